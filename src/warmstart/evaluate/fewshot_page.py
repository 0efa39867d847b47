"""A few-shot learning curve as one self-contained HTML page."""

from __future__ import annotations

from html import escape

import numpy as np

from warmstart.document import document, section, table
from warmstart.evaluate.figures import MARKERS, MUTED, SERIES, canvas, finish, svg_of
from warmstart.learn.fewshot_curve import Curve, Spread


def page(curve: Curve, title: str) -> str:
    """The whole page: the curve, the table, how to read it.

    Examples
    --------
    >>> from warmstart.learn.fewshot import FewShot
    >>> values = {"popularity": np.array([[0.1, 0.2]]), "stacked": np.array([[0.3, 0.4]])}
    >>> page(Curve(FewShot((8,)), values, values, {"users": 9}), "A & B").splitlines()[0]
    '<!doctype html>'
    """
    sizes = ", ".join(f"{n:,} {escape(name)}" for name, n in curve.sizes.items())
    figure = f"<figure>{drawn(curve)}<figcaption>Bands are 95 % t-intervals over seeds.</figcaption></figure>"
    header = f"<h1>{escape(title)}</h1>\n<p>{sizes} &middot; full ranking</p>"
    body = section("Learning curve", f'<div class="figures">{figure}</div>') + section("Figures", _table(curve))
    return document(title, "A few labels", header, body)


def drawn(curve: Curve) -> str:
    """A line with an interval band a method, over k on a logarithmic axis, as an SVG element."""
    figure, axes = canvas("fewshot", height=4.6)
    shots = curve.settings.shots
    x = np.log2(shots)
    for i, name in enumerate(curve.values):
        spreads = [curve.spread(name, k) for k in shots]
        floor = name in curve.floors or "everybody" in name
        colour, style = SERIES[i % 8], "--" if floor else "-"
        axes.fill_between(x, [s.low for s in spreads], [s.high for s in spreads], color=colour, alpha=0.13, linewidth=0)
        means = [s.mean for s in spreads]
        axes.plot(x, means, style, color=colour, marker=MARKERS[i % 8], lw=1.8, label=name, clip_on=False)
    axes.set_xticks(x, [str(k) for k in shots])
    finish(axes, "labels", curve.measure.upper())
    axes.legend(frameon=False, ncols=3, labelcolor=MUTED, loc="lower left", bbox_to_anchor=(0, 1.0))
    return svg_of(figure, "fewshot", f"{curve.measure} by number of labels, for each method")


def _table(curve: Curve) -> str:
    head = ["method", *(f"k = {k}" for k in curve.settings.shots)]
    rows = [[escape(name), *(_cell(curve.spread(name, k)) for k in curve.settings.shots)] for name in curve.values]
    return table(head, rows, f"{curve.measure}, mean and 95 % t-interval over seeds")


def _cell(spread: Spread) -> str:
    if np.isnan(spread.low):
        return f"{spread.mean:.4f}"
    return f"<span>{spread.mean:.4f}</span><small>{spread.low:.4f} to {spread.high:.4f}</small>"
