"""Made-up data of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from warmstart.cli.options import Json
from warmstart.cli.screen import answers, emit, progress

To = Annotated[Path, typer.Option("--to", file_okay=False, help="Folder to write it into.")]
People = Annotated[int | None, typer.Option("--users", min=1, help="People; one for every 50 events if not given.")]
Things = Annotated[int, typer.Option("--items", min=1, help="Items of the catalogue.")]
Many = Annotated[int, typer.Option("--events", min=1, help="About so many; nobody meets an item twice.")]
Clusters = Annotated[
    int | None,
    typer.Option("--clusters", help="Planted tastes, up to 200; one for every 20 items, 40 at most, if not given."),
]
Zipf = Annotated[float, typer.Option("--zipf", help="How fast popularity falls off within a taste; 0 = not at all.")]
Drift = Annotated[float, typer.Option("--drift", help="How far tastes turn within the year, from 0 to 0.5.")]
Unmet = Annotated[float, typer.Option("--unmet", help="Share of the items that have no event.")]
Ids = Annotated[Literal["short", "integer", "uuid"], typer.Option("--ids", help="What ids look like.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same data.")]


def make_data(
    to: To,
    users: People = None,
    items: Things = 2_000,
    events: Many = 200_000,
    clusters: Clusters = None,
    zipf: Zipf = 0.8,
    drift: Drift = 0.25,
    unmet: Unmet = 0.0,
    ids: Ids = "short",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Make data up: planted tastes, popularity, words and drift, of any size.

    Written as FOLDER/items.parquet and, in parts, so that memory does not grow with the events, as
    FOLDER/interactions/part-*.parquet.
    """
    from warmstart.data.synthetic import Synthetic

    clusters = max(1, min(40, items // 20)) if clusters is None else clusters
    made = Synthetic(
        users or max(1, events // 50), items, events, clusters, zipf=zipf, drift=drift, unmet=unmet, ids=ids, seed=seed
    )
    written = 0
    with progress() as tell:
        for written in made.write(to):
            tell("making events up", min(written, events), events)
    if as_json:
        return emit({"folder": to, "users": made.users, "items": items, "events": written})
    answers().print(f"{to}: {made.users:,} people, {items:,} items, {written:,} events", soft_wrap=True)
    return None
