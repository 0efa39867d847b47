"""Ratings that somebody would give."""

from __future__ import annotations

from typing import Annotated

import typer

from warmstart.cli.options import EngineFolder, Json, Known, ids
from warmstart.cli.recommend import note_unknown, open_engine, show
from warmstart.cli.screen import say
from warmstart.errors import ConfigError

OneUser = Annotated[str | None, typer.Option("--user", help="A user of --data.")]
Given = Annotated[
    str | None,
    typer.Option("--history", metavar="ITEM=RATING", help="Ratings known, with commas between, oldest first."),
]
Items = Annotated[str | None, typer.Option("--items", help="Item ids with commas between.")]
Ask = Annotated[int, typer.Option(min=0, help="Instead: that many items whose rating would tell most.")]


def rate(
    engine: EngineFolder,
    user: OneUser = None,
    history: Given = None,
    items: Items = None,
    ask: Ask = 0,
    data: Known = None,
    as_json: Json = False,
) -> None:
    """Predict ratings of items, with intervals; or find out what to ask.

    For a user, for ratings given, or without either for somebody new. The engine is one that was fitted with --ratings.
    Intervals hold 90 % of such ratings, or the `level` of its recipe.
    """
    import polars as pl

    if user is not None and history is not None:
        raise ConfigError("--user and --history were given; take one of them")
    if items and ask:
        raise ConfigError("--items and --ask were given; take one of them")
    if not items and not ask:
        raise ConfigError("nothing to do; name --items, or --ask for a number of questions")
    loaded = open_engine(engine, data)
    note_unknown(loaded, [] if user is None else [user])
    known = given(history)
    if ask:
        return show(loaded.ask_ratings(None if user is not None else known, ask, user), as_json)
    wanted = ids(items or "")
    people = None if user is None else [user] * len(wanted)
    if gone := [item for item in wanted if item not in loaded.fitted.catalog.items]:
        say(f"not in the catalogue: {', '.join(gone)}")
    rows = loaded.predict_rating(people, wanted, None if user is not None else [known] * len(wanted))
    if not as_json and loaded.fitted.ratings is not None:
        say(f"intervals hold {100 * loaded.fitted.ratings.trust.level:g} % of such ratings")
    return show(rows.insert_column(0, pl.Series("item_id", wanted, dtype=pl.String)), as_json)


def given(history: str | None) -> list[tuple[str, float]]:
    """Items and ratings.

    Examples
    --------
    >>> given("i1=4,i2=2.5")
    [('i1', 4.0), ('i2', 2.5)]
    """
    found = []
    for part in ids(history or ""):
        item, sign, value = part.rpartition("=")
        try:
            found.append((item, float(value)))
        except ValueError:
            sign = ""
        if not sign or not item.strip():
            raise ConfigError(f"--history has {part!r}; write ITEM=RATING, e.g. i1=4")
    return found
