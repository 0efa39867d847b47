"""Runs: what was learned, how it went, which was better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.options import Json
from warmstart.cli.screen import answers, emit, listing, say

if TYPE_CHECKING:
    from rich.table import Table

    from warmstart.learn.run import Run
    from warmstart.learn.runs import Summary

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder in which, or below which, runs were written.")]
OneRun = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]
SomeRuns = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write the learning curves as a page.")]


def list_runs(folder: Folder, as_json: Json = False) -> None:
    """List the runs below a folder, the oldest first."""
    from warmstart.learn.runs import summaries

    lines = summaries(folder)
    if as_json:
        return emit([asdict(line) for line in lines])
    answers().print(overview(lines))
    return None


def show_run(folder: OneRun, html: Html = None, as_json: Json = False) -> None:
    """Show a run: what was asked, on which machine, how its figures went."""
    from warmstart.learn.runs import named

    runs = named([folder])
    ((name, run),) = runs.items()
    write_page(runs, html)
    if as_json:
        return emit(described(name, run))
    answers().print(overview(_lines(runs)), came_out(runs), settings(run), validations(run), sep="\n")
    return None


def compare_runs(folders: SomeRuns, html: Html = None, as_json: Json = False) -> None:
    """Compare runs: results side by side, what was asked differently, and their curves."""
    from warmstart.learn.runs import differences, named

    runs = named(folders)
    write_page(runs, html)
    if as_json:
        return emit({"runs": [described(*item) for item in runs.items()], "differences": differences(runs)})
    answers().print(overview(lines := _lines(runs)), came_out(runs), sep="\n")
    if len(figures := dict.fromkeys(line.figure for line in lines if line.figure)) > 1:
        answers().print(f"judged by different figures ({', '.join(figures)}): what is best does not compare")
    if rows := [{"setting": key} | _texts(row) for key, row in differences(runs).items()]:
        answers().print(_table(rows, "asked differently"))
    return None


def write_page(runs: Mapping[str, Run], html: Path | None) -> None:
    """The page of ``--html``, where it was asked for."""
    if html is None:
        return
    from warmstart.evaluate.curves import page

    html.write_text(page(runs), encoding="utf-8")
    say(f"learning curves: {html}")


def described(name: str, run: Run) -> dict[str, Any]:
    """A run for a program: its line, its card, and every figure by step."""
    from warmstart.learn.runs import curves, summary

    figures = {key: {"step": steps, "value": values} for key, (steps, values) in curves(run).items()}
    result = {key: value if math.isfinite(value) else None for key, value in (run.card.get("result") or {}).items()}
    return {"summary": asdict(summary(run, name)), "card": run.card | {"result": result}, "curves": figures}


def overview(lines: Sequence[Summary]) -> Table:
    """A line a run."""
    rows = []
    for line in lines:
        best = "-" if line.best is None else f"{line.figure} {line.best:.4f}"
        steps = f"{line.step} of {line.steps}" if line.steps else str(line.step)
        names = {"run": line.run, "kind": line.kind, "model": line.model, "status": line.status, "best": best}
        costs = {"steps": steps, "time": clock(line.seconds), "memory": _megabytes(line.memory_mb)}
        rows.append(_texts(names | costs | {"seed": line.seed}))
    return _table(rows)


def came_out(runs: Mapping[str, Run]) -> Table:
    """Figures of the weights that were kept, at first, and of whoever knows nothing; a column a run."""
    from warmstart.learn.runs import results

    rows = [
        {"figure": key} | {run: "-" if value is None else f"{value:.4f}" for run, value in row.items()}
        for key, row in results(runs).items()
    ]
    return _table(rows, "results")


def settings(run: Run) -> Table:
    """What was asked, and the machine."""
    from warmstart.learn.run import flat

    card = run.card
    parts = {"data": card["data"], **(card.get("sizes") or {})}
    parts |= {"started": card["started"], "ended": card.get("ended"), **card["settings"]}
    parts |= {"hardware": card.get("hardware") or {}, "versions": card.get("versions") or {}}
    return _table([_texts({"setting": key, "value": value}) for key, value in flat(parts)])


def validations(run: Run) -> Table:
    """Validation figures by step."""
    from warmstart.learn.runs import VALID

    rows = [row for row in run.metrics() if any(key.startswith(VALID) for key in row)]
    figures = [{key.removeprefix(VALID): f"{value:.4g}" for key, value in row.items()} for row in rows]
    return _table(figures, "validation")


def clock(seconds: float | None) -> str:
    """Seconds for a reader.

    Examples
    --------
    >>> clock(5.04), clock(3725.0), clock(None)
    ('5.0 s', '1:02:05', '-')
    """
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _megabytes(value: int | None) -> str:
    return "-" if value is None else f"{value:,} MB"


def _texts(row: Mapping[str, object]) -> dict[str, str]:
    return {key: "-" if value is None else str(value) for key, value in row.items()}


def _lines(runs: Mapping[str, Run]) -> list[Summary]:
    from warmstart.learn.runs import summary

    return [summary(run, name) for name, run in runs.items()]


def _table(rows: Sequence[Mapping[str, str]], title: str | None = None) -> Table:
    import polars as pl

    return listing(pl.DataFrame(rows), title)
