"""Questions to a saved engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.everybody import everybody, refuse
from warmstart.cli.on_spark import AllOn, everybody_on
from warmstart.cli.options import EngineFolder, Json, Known, Places, Tables, events, filters, read_ids
from warmstart.cli.screen import answers, emit, listing, say

if TYPE_CHECKING:
    import polars as pl

    from warmstart.batch import Lists
    from warmstart.engine import Engine
    from warmstart.rerank.tail import Tail

User = Annotated[list[str] | None, typer.Option("--user", help="A user of --data; may be repeated.")]
History = Annotated[
    list[str] | None,
    typer.Option("--history", help="Item ids, or ITEM=RATING, with commas between, oldest first; may be repeated."),
]
Text = Annotated[list[str] | None, typer.Option("--text", help="What somebody looks for, in words; may be repeated.")]
Candidates = Annotated[Path | None, typer.Option(help="File with the only ids to recommend, one a line.")]
Filter = Annotated[list[str] | None, typer.Option("--filter", help="column=value of the items; may be repeated.")]
Seen = Annotated[bool, typer.Option("--include-seen", help="Recommend what is in the history, too.")]
Interest = Annotated[
    str | None, typer.Option(help="Only items of this concept: its number or name, as `warmstart concepts` lists them.")
]
Without = Annotated[list[str] | None, typer.Option(help="Switch a concept off: number or name; may be repeated.")]
More = Annotated[list[str] | None, typer.Option(help="More of a concept: number or name; may be repeated.")]
Calibrate = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Weight of a list in proportion to the interests; 0.5 is usual.")
]
Less = Annotated[
    float | None,
    typer.Option("--tail", min=0.0, help="Take this much of fame from the scores: 0 = none, 0.3 is usual."),
]
Lift = Annotated[
    float | None, typer.Option("--tail-lift", min=0.0, help="Add this much to the scores of the long tail: 0 = none.")
]
Price = Annotated[
    float | None,
    typer.Option("--tail-loss", min=0.0, max=1.0, help="Lift the tail by what costs at most this share of NDCG."),
]
Floor = Annotated[
    float | None, typer.Option("--tail-floor", min=0.0, max=1.0, help="Share of the places kept for the long tail.")
]
Objective = Annotated[str | None, typer.Option(help="Sort by relevance, by (predicted) rating, or by both.")]
Everybody = Annotated[bool, typer.Option("--all-users", help="Lists for every user of --data, into --out.")]
Out = Annotated[
    str | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder of Parquet parts, for --all-users.")
]
Part = Annotated[
    int | None, typer.Option("--part", min=1, help="Users of a part, which one process makes; 10000 if not given.")
]
Cores = Annotated[
    int | None, typer.Option("--processes", min=0, help="That work at once; one for each core if not given.")
]
Why = Annotated[bool, typer.Option("--explain", help="Say why, for each item.")]
Item = Annotated[str, typer.Option("--item", help="Item id.")]
ItemList = Annotated[list[str], typer.Option("--item", help="Item id; may be repeated.")]
OneUser = Annotated[str | None, typer.Option("--user", help="A user of --data.")]
OneText = Annotated[str | None, typer.Option("--text", help="What somebody looks for, in words.")]
OneHistory = Annotated[
    str | None, typer.Option("--history", help="Item ids, or ITEM=RATING, with commas between, oldest first.")
]


def recommend(
    engine: EngineFolder,
    user: User = None,
    history: History = None,
    text: Text = None,
    k: Places = 10,
    data: Known = None,
    candidates: Candidates = None,
    only: Filter = None,
    include_seen: Seen = False,
    interest: Interest = None,
    without: Without = None,
    more: More = None,
    calibrate: Calibrate = 0.0,
    tail: Less = None,
    tail_lift: Lift = None,
    tail_loss: Price = None,
    tail_floor: Floor = None,
    objective: Objective = None,
    explain: Why = False,
    all_users: Everybody = False,
    on: AllOn = None,
    out: Out = None,
    part: Part = None,
    processes: Cores = None,
    as_json: Json = False,
) -> None:
    """Recommend items, and say why.

    To users, to histories, to typed texts; without any of them to somebody of whom nothing is known. To every user of
    --data with --all-users: parts of Parquet in --out; what was stopped goes on where it stopped.
    """
    from warmstart.batch import Lists
    from warmstart.interests.steer import Steering

    tails = asked_tail(tail, tail_lift, tail_loss, tail_floor)
    asked = Lists(k, read_ids(candidates), not include_seen, filters(only or ()), calibrate, tails, objective)
    how = {"part": part, "processes": processes}
    if all_users or on is not None:
        one = {"user": user, "history": history, "text": text, "interest": interest, "without": without, "more": more}
        refuse(one | {"explain": explain}, "--all-users asks the same for everybody")
        return to_everybody(asked, engine, data, all_users, on, out, how, as_json)
    refuse({"out": out, **how}, "lists go into a folder with --all-users")
    loaded = open_engine(engine, data)
    note_unknown(loaded, user or ())
    told = [events(h, loaded.fitted.catalog.items) for h in history or ()]
    rows = loaded.recommend(
        users=user,
        histories=told or (None if user or text else [[]]),
        texts=text,
        explain=explain,
        interest=interest,
        steer=Steering(without or (), more or ()),
        k=k,
        candidates=asked.candidates,
        exclude_seen=asked.exclude_seen,
        filters=asked.filters,
        calibrate=calibrate,
        tail=tails,
        objective=objective,
    )
    return show(with_titles(rows, loaded), as_json)


def to_everybody(
    lists: Lists,
    engine: Path,
    data: str | None,
    all_users: bool,
    on: str | None,
    out: str | None,
    how: Mapping[str, int | None],
    as_json: bool,
) -> None:
    """Lists for every user of ``--data``: here, or with ``--on`` on Spark, which shares the work out itself."""
    if on is not None:
        refuse(how, f"--on {on} shares the work out itself")
        return everybody_on(on, all_users, engine, data, out, lists, as_json)
    return everybody(open_engine(engine, data), engine, lists, None if out is None else Path(out), how, as_json)


def asked_tail(correction: float | None, lift: float | None, loss: float | None, floor: float | None) -> Tail | None:
    """What the options ask for; None if nothing, so that the engine's recipe decides."""
    from warmstart.rerank.tail import Tail

    if correction is None and lift is None and loss is None and floor is None:
        return None
    return Tail(correction or 0.0, lift or 0.0, loss or 0.0, floor=floor or 0.0)


def similar(engine: EngineFolder, item: ItemList, k: Places = 10, as_json: Json = False) -> None:
    """List the items most like the given ones."""
    loaded = open_engine(engine, None)
    show(with_titles(loaded.similar(items=item, k=k), loaded), as_json)


def explain(
    engine: EngineFolder,
    item: Item,
    user: OneUser = None,
    history: OneHistory = None,
    text: OneText = None,
    data: Known = None,
    only: Filter = None,
    k: Places = 10,
    objective: Objective = None,
    as_json: Json = False,
) -> None:
    """Say why an item is recommended, or missing."""
    loaded = open_engine(engine, data)
    found = loaded.explain(
        item=item,
        user=user,
        history=None if history is None else events(history, loaded.fitted.catalog.items),
        text=text,
        k=k,
        filters=filters(only or ()),
        objective=objective,
    )
    if as_json:
        return emit(found.to_dict())
    answers().print(found.text, markup=False, highlight=False)
    return None


def open_engine(folder: Path, data: str | None) -> Engine:
    """A saved engine, with the data its users are looked up in where they are given."""
    from warmstart.engine import load

    return load(folder, data=None if data is None else Tables(data).read()[0])


def named(history: str, engine: Engine) -> list[str]:
    """The items of a history; what a rating says of them is left aside."""
    told = events(history, engine.fitted.catalog.items)
    return [one if isinstance(one, str) else one[0] for one in told]


def note_unknown(engine: Engine, users: Sequence[str]) -> None:
    """Say which users are not in the data, on stderr; they are new users, no mistake."""
    if engine.data is not None and (new := [u for u in users if u not in engine.data.users]):
        say(f"not in --data, so taken for new: {', '.join(new)}")


def with_titles(rows: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    """Answers with the items' titles beside their ids."""
    import polars as pl

    catalog = engine.fitted.catalog
    titles = [catalog.title(code) for code in catalog.items.codes(rows["item_id"].to_list()).tolist()]
    at = rows.columns.index("item_id") + 1
    return rows.insert_column(at, pl.Series("title", titles, dtype=pl.String))


def show(rows: pl.DataFrame, as_json: bool) -> None:
    """Answers as JSON, or as a table."""
    if as_json:
        emit(rows.to_dicts())
    else:
        answers().print(listing(rows))
