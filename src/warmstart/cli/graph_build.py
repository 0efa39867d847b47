"""A graph out of what there is: triples, the catalogue's columns, its texts, facts about people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warmstart.cli.graph_task import FromText, Given, Wanted, build
from warmstart.cli.options import Items, Json, Links, Map, Users, ids, pairs
from warmstart.cli.screen import answers, emit, progress, say

Out = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder of the graph; is made.")]
Triples = Annotated[
    list[str] | None,
    typer.Option(help="Triples: a table, .nt, .ttl, .jsonld, RecBole .kg; may be repeated."),
]
Columns = Annotated[
    str,
    typer.Option("--from-columns", help="Columns of --items whose values become entities, e.g. director,cast,genre."),
]
Text = Annotated[
    str,
    typer.Option(
        "--from-text", help="Out of titles and descriptions: phrases, entities, mentions; several between commas."
    ),
]
People = Annotated[str, typer.Option("--from-users", help="Columns of --users whose values become entities.")]
Friends = Annotated[str, typer.Option(help="Columns of --users that hold ids of other users.")]
Separator = Annotated[
    list[str] | None,
    typer.Option(
        "--separator", help="What separates a column's values, e.g. cast=; or title= for none; may be repeated."
    ),
]
Merge = Annotated[bool, typer.Option(help="Whether names that are nearly alike become one.")]
Threshold = Annotated[float, typer.Option(min=50, max=100, help="Least likeness of such names.")]
Ranges = Annotated[int, typer.Option(min=0, help="Tell numbers of --from-columns as that many ranges, too.")]
Ties = Annotated[
    int,
    typer.Option(min=0, help="Tell in that many ranges how many others a column's values tie an item to."),
]
Inverses = Annotated[bool, typer.Option("--inverses", help="Tell every fact from its other end, too.")]
Encoder = Annotated[str | None, typer.Option(help="For key phrases; the best that works here if none is named.")]
Pipeline = Annotated[str | None, typer.Option(help="spaCy pipeline for named entities: a package or a folder.")]
Template = Annotated[str | None, typer.Option(help='Text of an item, e.g. "{title}: {description}".')]
Csv = Annotated[bool, typer.Option("--csv", help="Write CSV in place of Parquet.")]


def build_graph(
    out: Out,
    items: Items = None,
    triples: Triples = None,
    links: Links = None,
    from_columns: Columns = "",
    from_text: Text = "",
    users: Users = None,
    from_users: People = "",
    friends: Friends = "",
    columns: Map = None,
    separators: Separator = None,
    merge: Merge = True,
    threshold: Threshold = 90.0,
    ranges: Ranges = 0,
    ties: Ties = 0,
    inverses: Inverses = False,
    encoder: Encoder = None,
    pipeline: Pipeline = None,
    template: Template = None,
    csv: Csv = False,
    as_json: Json = False,
) -> None:
    """Build a graph out of triples, columns, texts and people, in any combination.

    The folder holds graph, graph_labels and merges as tables, and report.json; give it to --graph of other commands.
    """
    given = Given(items, tuple(triples or ()), links, users, pairs(columns or (), "--map") or None)
    text = FromText(tuple(ids(from_text)), encoder, pipeline, template)
    marks = pairs(separators or (), "--separator")
    named = (tuple(ids(from_columns)), text, tuple(ids(from_users)), tuple(ids(friends)), marks)
    with progress() as tell:
        report = build(given, Wanted(*named, merge, threshold, inverses, ranges, ties), out, tell, csv=csv)
    if as_json:
        return emit(report)
    for name, value in report["numbers"].items():
        answers().print(f"{name}: {value:,}", highlight=False)
    for what, n in report["told"].items():
        if n:
            say(f"{what}: {n:,}")
    if report["numbers"].get("items with facts", 1) == 0:
        say("no item has a fact; link entities to items: --links FILE with item_id, entity_id")
    say(f"graph: {out}")
    return None
