"""How time and memory grow with events and with items: a size after another, fitted exponents, a table and a picture.

``python bench/scale/growth.py --work FOLDER [--events 100000,1000000,10000000] [--items 10000,100000,1000000]``

Events grow at ``--at-items`` items, items at ``--at-events`` events. Every size is read and fitted in a process of its
own (``run.py``); what was found stays in ``--work``, so that a run that was stopped goes on. Seconds are those of the
processor: others on the machine disturb them least. An exponent is the slope of the best line through the logarithms.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

RUN = Path(__file__).with_name("run.py")
INK, GRID, LINE = "#1c1e21", "#d9dce1", "#0b62d6"
STYLE = {"font.family": "sans-serif", "font.size": 10.5, "svg.fonttype": "none", "svg.hashsalt": "growth"}
SHOWN = (("cpu_s", "processor seconds of reading and fitting"), ("peak_mb", "peak memory, MB"))


@dataclass(frozen=True)
class Size:
    """What one size took."""

    events: int
    items: int
    cpu_s: float
    peak_mb: float
    p99_ms: float
    rate: float

    @classmethod
    def of(cls, found: dict) -> Size:
        """From what ``run.py`` wrote."""
        spent = sum(stage["cpu_s"] for stage in found["stages"].values())
        return cls(
            int(found["read"]),
            int(found["items"]),
            round(spent, 1),
            float(found["peak_mb"]),
            float(found["single"]["p99_ms"]),
            float(found["batch_users_per_s"]),
        )


def main() -> None:
    """Run what was not run before, then tell."""
    given = words().parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    grown = {
        "events": [measured(given, n, given.at_items) for n in numbers(given.events)],
        "items": [measured(given, given.at_events, n) for n in numbers(given.items)],
    }
    text = "\n\n".join(table(name, sizes) for name, sizes in grown.items() if sizes)
    (given.work / "growth.md").write_text(text + "\n")
    draw(grown, given.work / "growth.svg")
    sys.stdout.write(text + "\n")


def words() -> argparse.ArgumentParser:
    """What can be said."""
    found = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    found.add_argument("--work", type=Path, required=True, help="folder of what is found")
    found.add_argument("--events", default="100000,1000000,10000000,20000000", help='"" for none')
    found.add_argument("--items", default="10000,100000,1000000", help='"" for none')
    found.add_argument("--at-items", type=int, default=4_000)
    found.add_argument("--at-events", type=int, default=500_000)
    found.add_argument("--without", default="", help="experts left out, with commas between")
    return found


def numbers(said: str) -> list[int]:
    """Numbers with commas between."""
    return [int(one) for one in said.split(",") if one]


def measured(given: argparse.Namespace, events: int, items: int) -> Size:
    """One size, run if it was not."""
    less = f"-without-{given.without.replace(',', '-')}" if given.without else ""
    out = given.work / f"{events}-events-{items}-items{less}.json"
    if not out.is_file():
        sys.stderr.write(f"{events:,} events, {items:,} items\n")
        size = ["--events", str(events), "--items", str(items), "--without", given.without, "--out", str(out)]
        subprocess.run([sys.executable, str(RUN), *size], check=True, stdout=subprocess.DEVNULL)
    return Size.of(json.loads(out.read_text()))


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """Slope of log y by log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def table(name: str, sizes: Sequence[Size]) -> str:
    """Markdown: a line a size, and the exponents."""
    lines = [
        "| events | items | processor seconds | peak, MB | one answer, p99 ms | users a second |",
        "| --- " * 6 + "|",
    ]
    for s in sizes:
        lines.append(
            f"| {s.events:,} | {s.items:,} | {s.cpu_s:,.0f} | {s.peak_mb:,.0f} | {s.p99_ms:.1f} | {s.rate:,.0f} |"
        )
    if len(sizes) > 1:
        x = [getattr(s, name) for s in sizes]
        told = [f"{what} n^{exponent(x, [getattr(s, key) for s in sizes]):.2f}" for key, what in SHOWN]
        lines += ["", f"By {name}: {'; '.join(told)}."]
    return "\n".join(lines)


def draw(grown: dict[str, list[Size]], to: Path) -> None:
    """Time and memory by events and by items, on logarithmic axes."""
    there = {name: sizes for name, sizes in grown.items() if len(sizes) > 1}
    if not there:
        return
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * len(SHOWN), 3.4 * len(there)), layout="constrained")
        places = iter(range(1, 1 + len(SHOWN) * len(there)))
        for name, sizes in there.items():
            for key, what in SHOWN:
                panel(figure.add_subplot(len(there), len(SHOWN), next(places)), name, sizes, key, what)
        figure.savefig(to, metadata={"Date": None})


def panel(axes: Axes, name: str, sizes: Sequence[Size], key: str, what: str) -> None:
    """One line, and the exponent in its title."""
    x, y = [getattr(s, name) for s in sizes], [getattr(s, key) for s in sizes]
    axes.loglog(x, y, "o-", color=LINE, linewidth=2)
    axes.set_title(f"{what}: n^{exponent(x, y):.2f}", loc="left", fontsize=10.5, color=INK)
    axes.set_xlabel(name, color=INK)
    axes.set_ylim(min(y) / 2, max(y) * 2)
    axes.grid(color=GRID, linewidth=0.6, which="major")
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
