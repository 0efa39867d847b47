"""RMSE of warmstart beside its peers: two pictures, and tables in Markdown.

``python bench/ratings/plot.py FOLDER [--pictures FOLDER]``: FOLDER holds what ``run.py DATA TASK --out TASK.json`` and
``peers.py SPLITS --out peers.json`` wrote, with the errors beside them (``.npz``). A difference to the best peer comes
with a paired bootstrap over ratings; the best peer of a line is the one that did best on the test set itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.isotonic import isotonic_regression

OWN, DRAWS = "warmstart", 1000
INK, GRID, BOLD = "#1c1e21", "#d9dce1", "#0b62d6"
THIN = ("#c2571a", "#d98a3d", "#8a4b1f", "#2f8f5b", "#127a86", "#7a4fc4", "#a8407f", "#7a6a12")
STYLE = {"font.family": "sans-serif", "font.size": 10.5, "svg.fonttype": "none", "svg.hashsalt": OWN, "text.color": INK}
TITLES = {"few": "ratings known of somebody new", "thin": "share of the training ratings"}


@dataclass(frozen=True)
class Curve:
    """A system's figures by level: RMSE, its interval, and the error of each rating where it was kept."""

    name: str
    rmse: dict[float, float]
    interval: dict[float, tuple[float, float]]
    errors: dict[float, np.ndarray]


def main() -> None:
    """Draw and tell what is there."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("folder", type=Path)
    words.add_argument("--pictures", type=Path, metavar="FOLDER")
    given = words.parse_args()
    peers = json.loads((given.folder / "peers.json").read_text(encoding="utf-8"))["tasks"]
    for task in peers:
        curves = [c for c in (own(given.folder, task), *others(given.folder, task, peers[task])) if c]
        sys.stdout.write(f"## {task}\n\n{table(curves, TITLES.get(task, 'training part'), shares=task != 'few')}\n\n")
        if given.pictures and task in TITLES:
            picture(curves, task).savefig(given.pictures / f"ratings-{task}.svg", metadata={"Date": None})


def curve(name: str, by_level: dict[str, dict[str, Any]], errors: dict[str, np.ndarray]) -> Curve:
    """Figures as they are in the files."""
    rmse = {float(level): found["rmse"] for level, found in sorted(by_level.items(), key=lambda pair: float(pair[0]))}
    interval = {float(level): tuple(found["rmse_95"]) for level, found in by_level.items()}
    return Curve(name, rmse, interval, {float(level): off for level, off in errors.items()})


def own(folder: Path, task: str) -> Curve | None:
    """What ``run.py`` found, if it ran."""
    file = folder / f"{task}.json"
    if not file.is_file():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    return curve(OWN, found.get("by_k") or found.get("by_share") or {"1": found}, kept(file))


def others(folder: Path, task: str, found: dict[str, Any]) -> list[Curve]:
    """What ``peers.py`` found."""
    errors = kept(folder / "peers.json")
    parted = [(key.split("/"), off) for key, off in errors.items()]
    return [
        curve(name, peer["levels"], {key[2]: off for key, off in parted if key[:2] == [task, name]})
        for name, peer in sorted(found.items())
    ]


def kept(file: Path) -> dict[str, np.ndarray]:
    """The errors beside a file of figures."""
    beside = file.with_suffix(".npz")
    if not beside.is_file():
        return {}
    with np.load(beside) as arrays:
        return dict(arrays)


def table(curves: Sequence[Curve], title: str, *, shares: bool) -> str:
    """A line a level: each system's RMSE, and how far warmstart is below the best peer."""
    levels = sorted({level for c in curves for level in c.rmse})
    ours = curves[0] if curves[0].name == OWN else None
    lines = [f"| {title} | " + " | ".join(c.name for c in curves) + " | below the best peer |"]
    lines.append("|---" * (len(curves) + 2) + "|")
    for level in levels:
        there = [c for c in curves if level in c.rmse and c is not ours]
        best = min(there, key=lambda c: c.rmse[level])
        cells = [f"{100 * level:g} %" if shares else f"{level:g}"]
        for c in curves:
            value = f"{c.rmse[level]:.4f}" if level in c.rmse else "–"
            cells.append(f"**{value}**" if c in (ours, best) else value)
        cells.append(gain(ours, best, level))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gain(ours: Curve | None, best: Curve, level: float) -> str:
    """Difference to the best peer in per cent of its RMSE, with a paired 95 % bootstrap interval."""
    if ours is None or level not in ours.rmse:
        return "–"
    told = f"{100 * (1 - ours.rmse[level] / best.rmse[level]):.1f} %"
    if level not in ours.errors or level not in best.errors:
        return told
    square = np.square([ours.errors[level], best.errors[level]], dtype=np.float64)
    rng, n = np.random.default_rng(0), square.shape[1]
    drawn = np.sqrt([square[:, rng.integers(0, n, n)].mean(axis=1) for _ in range(DRAWS)])
    low, high = 100 * np.quantile(1 - drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return f"{told} ({low:.1f} to {high:.1f})"


def picture(curves: Sequence[Curve], task: str) -> Figure:
    """RMSE by level: warmstart bold with its 95 % band, peers thin, names at the ends of the lines."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(8.6, 4.8), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        levels = sorted({level for c in curves for level in c.rmse})
        at = {level: float(i) for i, level in enumerate(levels)} if task == "few" else {v: v for v in levels}
        if task == "thin":
            axes.set_xscale("log")
        ends = []
        for c, colour in zip(reversed(curves), colours(curves), strict=True):
            x, bold = [at[v] for v in c.rmse], c.name == OWN
            if bold:
                low, high = zip(*(c.interval[v] for v in c.rmse), strict=True)
                axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
            axes.plot(x, list(c.rmse.values()), color=colour, lw=3 if bold else 1.2, marker="o", ms=5 if bold else 2.5)
            ends.append((x[-1], list(c.rmse.values())[-1], c.name, colour))
        axes.set_xticks(list(at.values()), [f"{v:g}" if task == "few" else f"{100 * v:g} %" for v in levels])
        axes.minorticks_off()
        finish(axes, TITLES[task])
        name_ends(axes, ends)
        figure.draw_without_rendering()
    return figure


def colours(curves: Sequence[Curve]) -> list[str]:
    """Colours from the last curve to the first; peers keep theirs whether warmstart is there or not."""
    peers = [c for c in curves if c.name != OWN]
    chosen = dict(zip((c.name for c in peers), THIN, strict=False)) | {OWN: BOLD}
    return [chosen[c.name] for c in reversed(curves)]


def finish(axes: Axes, title: str) -> None:
    """Labels, grid, no box."""
    axes.set_xlabel(title)
    axes.set_ylabel("RMSE (lower is better)")
    axes.grid(axis="y", color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
    axes.tick_params(length=0)


def name_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Names right of the last points, pushed apart where they would lie on each other."""
    ordered = sorted(ends, key=lambda end: end[1])
    low, high = axes.get_ylim()
    steps = 0.05 * (high - low) * np.arange(len(ordered))
    places = isotonic_regression(np.array([y for _, y, _, _ in ordered]) - steps) + steps
    for (x, y, name, colour), place in zip(ordered, places, strict=True):
        axes.annotate(
            name,
            (x, y),
            xytext=(1.06, place),
            textcoords=axes.get_yaxis_transform(),
            color=colour,
            va="center",
            weight="bold" if name == OWN else "normal",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6, "alpha": 0.6, "relpos": (0, 0.5), "shrinkA": 1},
        )


if __name__ == "__main__":
    main()
