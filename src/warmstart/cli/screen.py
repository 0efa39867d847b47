"""What goes to the terminal: answers to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from warmstart.learn.objective import Watch

Tell = Callable[[str, int, int], None]  # stage, done, total (0 = not known)
NARROW = 120  # columns taken where nobody says how wide the terminal is


def silent() -> bool:
    """Whether another process speaks: of several that learn together only the first does."""
    return os.environ.get("RANK", "0") != "0"


def answers() -> Console:
    """The console of stdout; a pipe gets lines of a fixed width."""
    console = Console(quiet=silent(), emoji=False)  # an id such as a:fire:b is no picture
    if console.is_terminal:
        return console
    return Console(width=max(NARROW, console.width), quiet=silent(), emoji=False)


def notes() -> Console:
    """The console of stderr."""
    return Console(stderr=True, emoji=False)


def emit(value: Any) -> None:
    """Write one JSON document to stdout.

    Examples
    --------
    >>> emit({"title": "三体"})
    {
     "title": "三体"
    }
    """
    if not silent():
        typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def say(text: str) -> None:
    """Write a line to stderr."""
    notes().print(escape(text), soft_wrap=True, highlight=False)


@contextmanager
def progress() -> Iterator[Tell]:
    """Progress bars on stderr, one a stage; a stage is done when the next begins. Nothing is written before the first.

    Examples
    --------
    >>> with progress() as tell:
    ...     tell("reading", 1, 2)
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    bars = Progress(*columns, TimeElapsedColumn(), console=notes(), disable=silent())
    tasks: dict[str, TaskID] = {}

    def tell(stage: str, done: int, total: int) -> None:
        bars.start()
        if stage not in tasks:
            finish()
            tasks[stage] = bars.add_task(escape(stage), total=total or None)
        bars.update(tasks[stage], completed=done, total=total or None)

    def finish() -> None:
        for task in tasks.values():
            bars.update(task, total=1, completed=1)

    try:
        yield tell
        finish()
    finally:
        _stop(bars)


@contextmanager
def learning() -> Iterator[Watch]:
    """A progress bar on stderr for a run: steps, time left, loss, steps a second, the newest validation.

    There is none before the first of these is told: what fails at once leaves its message alone.

    Examples
    --------
    >>> with learning() as watch:
    ...     watch("training", 1, 2, {"loss": 0.7, "steps_per_second": 3.0})
    """
    from warmstart.learn.objective import ALREADY_DONE

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, TextColumn("{task.fields[told]}"), console=notes(), disable=silent())
    task = bars.add_task("learning", total=None, told="")
    told: dict[str, str] = {}

    def watch(stage: str, done: int, total: int, figures: dict[str, float]) -> None:
        if stage == ALREADY_DONE:
            return say(f"{stage}: {done} of {total} steps")
        bars.start()
        rate = figures.get("steps_per_second")
        shown = {k: v for k, v in figures.items() if k == "loss" or stage == "validation"}
        words = [*(f"{k} {v:.4g}" for k, v in shown.items()), f"{rate:.2g}/s" if rate else ""]
        told[stage] = " ".join(words).strip()
        bars.update(task, completed=done, total=total, told=escape(" | ".join(told[k] for k in sorted(told))))
        return None

    try:
        yield watch
    finally:
        _stop(bars)


def _stop(bars: Progress) -> None:
    if bars.live.is_started:
        bars.stop()


def note_no_gain(best_step: int) -> None:
    """Say on stderr where no step of a run was better than its beginning: the figures alone do not tell."""
    if best_step == 0 and not silent():
        told = "nothing was gained: no validation was better than that before the first step, whose weights were kept"
        say(f"{told}; `warmstart runs show` has the figures by step, other --steps or --learning-rate may help")


def listing(rows: pl.DataFrame, title: str | None = None) -> Table:
    """A frame as a table: numbers to the right, lists a line an entry."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for name, kind in rows.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left")
    for row in rows.iter_rows():
        table.add_row(*(escape(_cell(value)) for value in row))
    return table


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return "\n".join(str(v) for v in value)
    return "" if value is None else str(value)
