"""Learning curves of runs as one self-contained HTML page, in the style of the reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from warmstart.document import document, number, section, table
from warmstart.evaluate.figures import MARKERS, SERIES, canvas, finish, svg_of
from warmstart.learn.run import Run
from warmstart.learn.runs import VALID, Summary, curves, differences, summary

MOST = 300  # points a line is drawn with
LOSS = "loss"
HEAD = ("run", "kind", "model", "status", "best", "at step", "steps", "time, s", "memory, MB", "seed")


def page(runs: Mapping[str, Run]) -> str:
    """Runs by name as a page: a line each, their curves, and in what they differ."""
    lines = [summary(run, name) for name, run in runs.items()]
    names = " &middot; ".join(escape(name) for name in runs)
    header = f"<h1>{len(runs)} {'run' if len(runs) == 1 else 'runs'}</h1>\n<p>{names}</p>"
    body = _overview(lines) + _plots(runs) + _differences(runs)
    return document(f"Learning: {', '.join(runs)}", "Learning curves", header, body)


def curve(figure: str, lines: Mapping[str, tuple[Sequence[int], Sequence[float]]], name: str = "curve") -> str:
    """One figure by step as inline SVG, a line a run.

    Parameters
    ----------
    figure
        Its name, for the axis.
    lines
        Run -> steps and values.
    name
        Begins the ids inside the drawing; another one for each drawing of a page.
    """
    drawing, axes = canvas(name)
    for i, (run, (steps, values)) in enumerate(lines.items()):
        x, y = thinned(steps, values)
        marker = MARKERS[i % 8] if len(x) <= 40 else ""
        axes.plot(x, y, color=SERIES[i % 8], lw=1.8, label=_plain(run), clip_on=False, marker=marker)
    finish(axes, "step", figure, axis="both", legend=len(lines) > 1)
    return svg_of(drawing, name, f"{escape(figure)} by step")


def thinned(steps: Sequence[int], values: Sequence[float], most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
    """At most ``most`` points: means of as many neighbours as it takes.

    Examples
    --------
    >>> thinned([1, 2, 3, 4, 5], [1.0, 3.0, 5.0, 7.0, 9.0], most=3)
    (array([1.5, 3.5, 5. ]), array([2., 6., 9.]))
    """
    each = -(-len(steps) // most) if len(steps) else 1
    starts = np.arange(0, len(steps), each)
    sizes = np.diff([*starts, len(steps)])
    x, y = (np.add.reduceat(np.asarray(v, float), starts) / sizes for v in (steps, values))
    return x, y


def _plots(runs: Mapping[str, Run]) -> str:
    """Loss and every validation figure; empty where nothing was logged."""
    found = {name: curves(run) for name, run in runs.items()}
    logged = dict.fromkeys(f for lines in found.values() for f in lines if f.startswith(VALID) or f == LOSS)
    drawn = []
    for i, figure in enumerate(sorted(logged, key=lambda f: f != LOSS)):
        lines = {name: each[figure] for name, each in found.items() if figure in each}
        title = figure.removeprefix(VALID)
        svg = curve(title, lines, f"curve{i}")
        told = "Training, mean of a step's batch." if figure == LOSS else "Validation, on what is held out."
        drawn.append(f"<figure><h3>{escape(title)}</h3>{svg}<figcaption>{told}</figcaption></figure>")
    return section("Curves", f'<div class="figures">{"".join(drawn)}</div>') if drawn else ""


def _overview(lines: Sequence[Summary]) -> str:
    rows = []
    for line in lines:
        best = "-" if line.best is None else f"{line.best:.4f}<small>{escape(line.figure or '')}</small>"
        texts = [escape(str(v or "-")) for v in (line.run, line.kind, line.model, line.status)]
        steps = f"{line.step} of {line.steps}" if line.steps else str(line.step)
        rest = [_or_dash(line.best_step), steps, number(line.seconds or 0.0, 1), _or_dash(line.memory_mb)]
        rows.append([*texts, best, *rest, _or_dash(line.seed)])
    return section("Runs", table(HEAD, rows, "The best value of the figure by which weights were chosen."))


def _differences(runs: Mapping[str, Run]) -> str:
    """Settings, machine and versions that are not alike; empty where all are, or with one run."""
    rows = [[escape(key), *(escape(_or_dash(row[name])) for name in runs)] for key, row in differences(runs).items()]
    caption = "What is not in this table was the same for all of them."
    return section("What was different", table(["setting", *runs], rows, caption)) if rows else ""


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _plain(label: str) -> str:
    """A label as it stands: no mathematics between ``$``, not hidden for a leading ``_``."""
    return " " + label.replace("$", r"\$")
