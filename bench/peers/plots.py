"""Pictures of the results: quality by scenario, and quality beside the cost of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from warmstart.evaluate.report import EVERYBODY

from .entrants import OWN
from .results import Found, all_found

INK, GRID, BOLD, PLAIN = "#1c1e21", "#d9dce1", "#0b62d6", "#8a8f98"
STYLE = {"font.family": "sans-serif", "font.size": 10.5, "svg.fonttype": "none", "svg.hashsalt": OWN, "text.color": INK}


def draw(work: Path, folder: Path) -> list[str]:
    """Write the pictures of all data sets; returns their names."""
    founds, names = all_found(work), []
    folder.mkdir(parents=True, exist_ok=True)
    for data in dict.fromkeys(f.data for f in founds):
        mine = [f for f in founds if f.data == data and any(f.questions.values())]
        for kind, picture in (("quality", quality), ("cost", cost)):
            with mpl.rc_context(STYLE):
                figure = picture(mine)
                if figure is not None:
                    names.append(f"peers-{data}-{kind}.svg")
                    figure.savefig(folder / names[-1], metadata={"Date": None})
    return names


def quality(founds: Sequence[Found]) -> Figure | None:
    """NDCG@10 with its interval: a panel a question, a line a system."""
    panels = [(f, name, report) for f in founds for name, report in f.questions.items() if report]
    if not panels:
        return None
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    height = 1.0 + 0.26 * max(len(report["systems"]) for _, _, report in panels)
    figure = Figure(figsize=(5.5 * columns, rows * height), layout="constrained")
    for place, (found, name, report) in enumerate(panels):
        bars(figure.add_subplot(rows, columns, place + 1), found, name, report)
    return figure


def bars(axes: Axes, found: Found, name: str, report: dict) -> None:
    """One panel."""
    titles = found.titles()
    told = [(titles.get(s["name"], s["name"]), s["name"], s["values"][EVERYBODY]["ndcg"]) for s in report["systems"]]
    for at, (_, system, value) in enumerate(sorted(told, key=lambda t: t[2]["mean"])):
        color = BOLD if system == OWN else PLAIN
        axes.plot([value["low"], value["high"]], [at, at], color=color, linewidth=2.2, solid_capstyle="round")
        axes.plot(value["mean"], at, "o", color=color, markersize=5.5)
    axes.set_yticks(range(len(told)), [t[0] for t in sorted(told, key=lambda t: t[2]["mean"])])
    axes.set_title(f"{found.scenario}: {name}" if len(found.questions) > 1 else found.scenario, loc="left")
    axes.set_xlabel("NDCG@10")
    plain(axes)


def cost(founds: Sequence[Found]) -> Figure | None:
    """NDCG@10 beside CPU seconds of the fit, of the first scenario: a dot a system."""
    if not founds:
        return None
    found, report = founds[0], next(iter(founds[0].questions.values()))
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.add_subplot()
    means = {s["name"]: s["values"][EVERYBODY]["ndcg"]["mean"] for s in report["systems"]}
    spent = {n: max(a["fit_cpu_s"], 0.01) for n, a in found.entrants.items() if n in means and "fit_cpu_s" in a}
    for place, name in enumerate(sorted(spent, key=spent.__getitem__)):
        at, lift = (
            (spent[name], means[name]),
            (5, -12)[place % 2],
        )  # names above and below in turn: neighbours stay apart
        axes.plot(*at, "o", color=BOLD if name == OWN else PLAIN)
        axes.annotate(found.entrants[name]["title"], at, (6, lift), textcoords="offset points", fontsize=9.5)
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.1)
    axes.set_xlabel("CPU seconds of a fit")
    axes.set_ylabel(f"NDCG@10, {found.scenario}")
    plain(axes)
    return figure


def plain(axes: Axes) -> None:
    """Few lines."""
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
