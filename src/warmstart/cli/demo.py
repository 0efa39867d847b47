"""The main job, from data to explained and measured recommendations, on data that need no network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.evaluate import measure
from warmstart.cli.screen import answers, progress

if TYPE_CHECKING:
    from warmstart.data.dataset import Dataset
    from warmstart.engine import Engine
    from warmstart.evaluate.report import Report

Out = Annotated[
    Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the report, the engine and the data.")
]
Fast = Annotated[bool, typer.Option("--fast", hidden=True, help="A small part of the data and no language model.")]
SMALL = (100, 300)  # users, films
QUICK: dict[str, Any] = {
    "encoder": "tfidf",
    "fusion": {"queries": 60, "heads": {"ranker": False}},
    "experts": {c: {"class": c} for c in ("Popularity", "ContentMap", "PriorMeanEASE")},
}


def demo(out: Out = Path("demo"), fast: Fast = False) -> None:
    """Train, measure and explain on embedded films.

    MovieLens latest-small (2016), the default recipe; takes some minutes and no network.
    """
    from warmstart.cli import story
    from warmstart.cli.demo_task import demo_split, shrink
    from warmstart.data.embedded import embedded
    from warmstart.recipe import Recipe

    start, console = time.perf_counter(), answers()
    data = shrink(embedded(), *SMALL) if fast else embedded()
    split = demo_split(data, story.FILM)
    story.open_with(console, data, split)
    with progress() as tell:
        engine, report = measure(Recipe.of(QUICK) if fast else None, split, 10, tell)
    console.print(report.table())
    story.show_people(console, engine, split.train)
    story.show_new_film(console, engine, data, split, story.FILM)
    save(out, engine, report, split.train)
    story.close_with(console, out, split.train, story.FILM, time.perf_counter() - start)


def save(out: Path, engine: Engine, report: Report, data: Dataset) -> None:
    """Write the page, the engine's folder and, apart from it, what the users did."""
    out.mkdir(parents=True, exist_ok=True)
    report.save_html(out / "report.html")
    engine.save(out / "engine")
    data.save(out / "data")
