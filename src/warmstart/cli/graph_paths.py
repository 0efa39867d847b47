"""Paths through the graph of an engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import EngineFolder, Json, ids
from warmstart.cli.recommend import Item, open_engine
from warmstart.cli.screen import answers, emit, say
from warmstart.errors import DataError

if TYPE_CHECKING:
    from warmstart.explain.facts import Facts
    from warmstart.explain.path_words import ToldPath
    from warmstart.explain.paths import Paths, PathSettings
    from warmstart.fitted import Fitted

SHOWN = 5  # hubs that are named
OneHistory = Annotated[str, typer.Option("--history", help="Item ids with commas between, oldest first.")]
Edges = Annotated[int, typer.Option(min=1, max=3, help="Facts of a path at most; 2 = by one common neighbour.")]
Most = Annotated[int, typer.Option("--most", "-k", min=1, help="Paths from one item of the history at most.")]
Hub = Annotated[int, typer.Option(min=1, help="Entities of more facts than this are not walked through.")]
Names = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Words for relations (TOML), before those of the package.")
]
Chinese = Annotated[bool, typer.Option("--zh", help="Tell them in Chinese.")]


def graph_paths(
    engine: EngineFolder,
    history: OneHistory,
    item: Item,
    edges: Edges = 3,
    most: Most = 3,
    hub: Hub = 500,
    names: Names = None,
    chinese: Chinese = False,
    as_json: Json = False,
) -> None:
    """List the best paths of facts from the items of a history to an item.

    Short ones first, of equally long ones the most specific.
    """
    from warmstart.explain.paths import PathSettings

    f = open_engine(engine, None).fitted
    found, told = asked(f, facts_of(f, engine, names), ids(history), item, PathSettings(edges, most, hub))
    if as_json:
        rows = [path.to_dict() for path in told]
        return emit({"item_id": item, "paths": rows, "hubs": found.barred, "beyond_budget": found.cut})
    for path in told:
        answers().print(path.text_zh if chinese else path.text, markup=False, highlight=False, soft_wrap=True)
    note(found, hub)
    return None


def facts_of(f: Fitted, folder: Path, names: Path | None) -> Facts:
    """The graph of an engine.

    Raises
    ------
    DataError
        If it has none.
    """
    from dataclasses import replace

    from warmstart.data.relation_names import relation_names

    if f.facts is None:
        raise DataError(f"engine {folder} knows no graph; fit it with --graph (warmstart graph build makes one)")
    return f.facts if names is None else replace(f.facts, relations=relation_names(names, f.relation_names))


def asked(
    f: Fitted, facts: Facts, history: list[str], item: str, settings: PathSettings
) -> tuple[Paths, list[ToldPath]]:
    """The paths, and what they are in words; items of the history that are unknown are told.

    Raises
    ------
    DataError
        If the item is not in the catalogue.
    """
    from warmstart.data.histories import Histories
    from warmstart.reasons import explainer, told_paths

    known, code = f.catalog.items.codes(history), int(f.catalog.items.codes([item])[0])
    if code < 0:
        raise DataError(f"item {item!r} is not in the catalogue; give an item_id of it with --item")
    if unknown := [name for name, at in zip(history, known, strict=True) if at < 0]:
        say(f"not in the catalogue, so left out: {', '.join(unknown)}")
    h = Histories.of([known[known >= 0]], len(f.catalog))
    found = facts.between(f.catalog.items.names(h.row(0).tolist()), item, settings)
    return found, told_paths(facts, explainer(f), h, code, found.found)


def note(found: Paths, hub: int) -> None:
    """Say on stderr what there is not, and what was not looked at."""
    if not found.found:
        say("no path was found")
    if found.barred:
        more = f" and {len(found.barred) - SHOWN:,} more" if len(found.barred) > SHOWN else ""
        say(f"not walked through, for more than {hub:,} facts each: {', '.join(found.barred[:SHOWN])}{more}")
    if found.cut:
        say(f"{found.cut:,} edges and walks beyond the budget were not looked at; the most specific ones were")
