"""The plots of a report as inline SVG that takes its colours and fonts from the page, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.report import EVERYBODY, Report, Trust
from warmstart.evaluate.slices import is_quintile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Placeholders drawn by matplotlib, put into the page as CSS variables; the first series is the measured system.
INK, MUTED, GRID = "#010101", "#020202", "#030303"
SERIES = tuple(f"#0a0a{i:02x}" for i in range(8))
MARKERS = "osD^vPX*"


def by_history(report: Report) -> str:
    """NDCG by history length, a line with an interval band a system; empty if only one length occurs."""
    labels = {p: p.removeprefix("history ") for p in report.populations if p.startswith("history ")}
    return by_group(report, "history", labels, "events in the history")


def by_fifth(report: Report, kind: str) -> str:
    """NDCG by fifths of the queries, ``kind`` as in ``slices``; empty without them."""
    labels = {p: p.removeprefix(f"{kind} ") for p in report.populations if is_quintile(p) and p.startswith(kind)}
    return by_group(report, kind, labels, f"fifth of the queries by {kind}")


def by_group(report: Report, name: str, labels: Mapping[str, str], told: str) -> str:
    """NDCG by population, in the order of ``labels``, a line and interval band a system; empty for one or none."""
    names = list(labels)
    if len(names) < 2:
        return ""
    figure, axes = canvas(name)
    x = np.arange(len(names))
    for i, system in enumerate(report.systems):
        mean, low, high = _columns([system.values[n]["ndcg"] for n in names])
        axes.fill_between(x, low, high, color=SERIES[i % 8], alpha=0.13, linewidth=0)
        axes.plot(
            x,
            mean,
            color=SERIES[i % 8],
            marker=MARKERS[i % 8],
            lw=2.6 if i == 0 else 1.6,
            label=system.name,
            clip_on=False,
        )
    axes.set_xticks(x, [f"{label}\n{report.populations[n]:,} queries" for n, label in labels.items()])
    finish(axes, told, f"NDCG@{report.k}")
    return svg_of(figure, name, f"NDCG@{report.k} by {told}, for each system")


def by_popularity(report: Report) -> str:
    """NDCG by popularity group of the wanted items, a point with its interval a system; empty without groups."""
    names = [p for p in report.populations if p.startswith("items: ")]
    if not names:
        return ""
    figure, axes = canvas("items")
    width = 0.6 / max(len(report.systems) - 1, 1)
    for i, system in enumerate(report.systems):
        mean, low, high = _columns([system.values[n]["ndcg"] for n in names])
        x = np.arange(len(names)) + (i - (len(report.systems) - 1) / 2) * width
        axes.vlines(x, low, high, color=SERIES[i % 8], lw=2.4, alpha=0.55)
        axes.plot(x, mean, MARKERS[i % 8], color=SERIES[i % 8], ms=8 if i == 0 else 6, label=system.name, clip_on=False)
    labels = [f"{n.removeprefix('items: ')}\n{report.populations[n]:,} queries" for n in names]
    axes.set_xticks(np.arange(len(names)), labels)
    axes.set_xlim(-0.5, len(names) - 0.5)
    finish(axes, "popularity of the wanted item in training", f"NDCG@{report.k}")
    return svg_of(figure, "items", "NDCG by popularity group of the wanted items, for each system")


def trust_curve(trust: Trust) -> str:
    """Share of the trust by source as evidence grows, stacked."""
    figure, axes = canvas("trust")
    x, base = np.arange(len(trust.x)), np.zeros(len(trust.x))
    for i, (name, share) in enumerate(trust.shares.items()):
        top = base + np.asarray(share)
        axes.fill_between(x, base, top, color=SERIES[i % 8], alpha=0.75, linewidth=0, label=name)
        base = top
    axes.set_xticks(x, [f"{v:g}" for v in trust.x])
    axes.set_xlim(0, max(len(x) - 1, 1))
    finish(axes, trust.label, "share of the trust")
    axes.set_ylim(0, 1)
    return svg_of(figure, "trust", f"Share of the trust in {', '.join(trust.shares)} by {trust.label}")


def gains(report: Report) -> str:
    """Difference to the best baseline with its interval, fifths left out; empty without comparisons."""
    if not report.comparisons:
        return ""
    rows = [c for c in report.comparisons[::-1] if not is_quintile(c.population)]
    figure, axes = canvas("gains", height=0.3 * len(rows) + 0.9)
    colour = {"better": SERIES[0], "equal": MUTED, "worse": SERIES[3]}
    for y, c in enumerate(rows):
        axes.hlines(y, c.test.low, c.test.high, color=colour[c.verdict], lw=2.6, alpha=0.6)
        axes.plot(c.test.difference, y, "o", color=colour[c.verdict], ms=7 if c.population != EVERYBODY else 10)
    axes.axvline(0, color=INK, lw=1)
    axes.locator_params(axis="x", nbins=5)
    axes.set_yticks(range(len(rows)), [f"{c.population}  (on {c.baseline})" for c in rows])
    finish(axes, f"difference in NDCG@{report.k}", "", legend=False, axis="x")
    return svg_of(figure, "gains", "Difference in NDCG to the best baseline of each slice")


def canvas(name: str, height: float = 3.5) -> tuple[Figure, Axes]:
    """An empty drawing without a ground of its own."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = {"font.size": 11, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}
    with mpl.rc_context(style):  # type: ignore[arg-type]
        figure = Figure(figsize=(6.4, height), layout="constrained")
        axes = figure.add_subplot()
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    axes.set_label(name)
    return figure, axes


def finish(axes: Axes, x_label: str, y_label: str, *, legend: bool = True, axis: str = "y") -> None:
    """Labels, grid and legend; with ``axis="y"`` the scale begins at 0."""
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(axis=axis, color=GRID, lw=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(MUTED)
    axes.tick_params(length=0)
    if axis == "y":
        axes.set_ylim(bottom=0)
    if legend:
        axes.legend(
            frameon=False, ncols=4, labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2
        )


def _columns(values: Sequence[Interval]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean, low, high = np.array([(v.mean, v.low, v.high) for v in values]).T
    return mean, low, high


def svg_of(figure: Figure, name: str, title: str) -> str:
    """The figure as an SVG element: text as text, ids of its own, colours as CSS variables."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font: ([^;\"]*?)'[^;\"]*", r"font: \1inherit", svg)
    svg = re.sub(
        r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', rf'<svg viewBox="\1" role="img" aria-label="{title}">', svg, count=1
    )
    for colour, variable in _variables().items():
        svg = svg.replace(colour, f"var({variable})")
    return svg


def _variables() -> dict[str, str]:
    return {INK: "--ink", MUTED: "--muted", GRID: "--line"} | {c: f"--s{i}" for i, c in enumerate(SERIES)}
