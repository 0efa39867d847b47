"""A graph of facts: what it is like, what is wrong with it, what lies around an item."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.options import Items, Json, Links, Map, Rejects, count_refused, pairs
from warmstart.cli.screen import answers, emit, listing, say, silent
from warmstart.errors import ConfigError, DataError

if TYPE_CHECKING:
    import polars as pl

    from warmstart.data.catalog import Catalog
    from warmstart.data.graph import KnowledgeGraph
    from warmstart.data.graph_stats import GraphStats
    from warmstart.data.neighbourhood import Neighbourhood
    from warmstart.data.report import IngestReport

GraphFile = Annotated[
    str, typer.Argument(metavar="GRAPH", help="Triples: a table, .nt, .ttl, .jsonld, or what graph build wrote.")
]
One = Annotated[str, typer.Argument(metavar="ITEM", help="Id of an item or entity, or an item's title.")]
Hops = Annotated[int, typer.Option(min=1, max=2, help="2 = also what its facts lead to.")]
Most = Annotated[int, typer.Option("--most", "-k", min=1, help="Facts of the item at most.")]
Beyond = Annotated[int, typer.Option(min=1, help="Facts beyond each of those at most.")]
Relations = Annotated[
    list[str] | None, typer.Option("--relation", help="Facts of this relation only; may be repeated.")
]
Picture = Annotated[Path | None, typer.Option(dir_okay=False, help="Draw it into a file: .svg or .html.")]
FOUND = 1  # exit code of check where it finds a problem


@dataclass(frozen=True)
class Opened:
    """A graph as read, with the catalogue where there is one."""

    graph: KnowledgeGraph
    catalog: Catalog | None
    account: IngestReport

    @classmethod
    def of(
        cls, graph: str, items: str | None, links: str | None, columns: list[str] | None, rejects: Path | None = None
    ) -> Opened:
        """Read the tables; rows refused are counted on stderr."""
        from warmstart.data.ingest import read_graph, read_items

        given = pairs(columns or (), "--map") or None
        catalog = None if items is None else read_items(items, columns=given)[0]
        wanted = None if silent() else rejects
        found, account = read_graph(graph, items=catalog, links=links, columns=given, rejects=wanted)
        count_refused(account)
        return cls(found, catalog, account)

    @property
    def ids(self) -> pl.Series | None:
        """Ids of the catalogue."""
        import polars as pl

        return None if self.catalog is None else pl.Series(self.catalog.items.ids, dtype=pl.String)

    @property
    def titles(self) -> dict[str, str]:
        """Id -> title of every item."""
        return {} if self.catalog is None else dict(zip(self.catalog.items.ids, self.catalog.titles, strict=True))


def stats_graph(
    graph: GraphFile, items: Items = None, links: Links = None, columns: Map = None, as_json: Json = False
) -> None:
    """Tell what a graph is like: counts by relation, degrees, components, hubs, items it speaks of."""
    from warmstart.data.graph_stats import graph_stats

    opened = Opened.of(graph, items, links, columns)
    found = graph_stats(opened.graph, opened.ids)
    if as_json:
        return emit(found.to_dict())
    render_stats(found)
    return None


def check_graph(
    graph: GraphFile,
    items: Items = None,
    links: Links = None,
    columns: Map = None,
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Look a graph over and say what to do; exit code 1 if there is a problem.

    Rows refused, links that do not fit, items without facts, hubs, components, cycles, relations that say the same or
    nothing, names that are nearly alike.
    """
    from warmstart.cli.health_view import findings
    from warmstart.data.graph_check import check_graph as look

    opened = Opened.of(graph, items, links, columns, rejects)
    told = opened.account
    report = look(opened.graph, opened.ids, catalog=opened.catalog, refused=told.refused, repairs=told.repairs)
    if as_json:
        emit(report.to_dict())
    else:
        answers().print(findings(report.findings))
    if report.worst == "problem":
        raise typer.Exit(FOUND)


def show_graph(
    graph: GraphFile,
    item: One,
    items: Items = None,
    links: Links = None,
    columns: Map = None,
    hops: Hops = 2,
    most: Most = 20,
    beyond: Beyond = 3,
    relations: Relations = None,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """Show what lies around an item: its facts, the most specific first, and what those lead to."""
    from warmstart.data.neighbourhood import neighbourhood

    opened = Opened.of(graph, items, links, columns)
    names = opened.graph.names() | opened.titles
    entity, own = called(item, opened), frozenset(opened.titles)
    some = narrowed(opened.graph, relations)
    found = neighbourhood(some.index, entity, own, hops=hops, most=most, beyond=beyond)
    draw(picture, found, names, own)
    if as_json:
        return emit(described(found, names))
    answers().print(around(found, names))
    if found.left_out:
        say(f"{found.left_out:,} more facts; --most shows more")
    return None


def narrowed(graph: KnowledgeGraph, relations: list[str] | None) -> KnowledgeGraph:
    """The graph, or some of its relations."""
    from warmstart.data.graph_relations import of_relations

    return graph if not relations else replace(graph, triples=of_relations(graph.triples, relations))


def called(item: str, opened: Opened) -> str:
    """The id of an item that is named by id or title.

    Raises
    ------
    DataError
        If several items have the title.
    """
    if item in opened.titles:
        return item
    ids = [id_ for id_, title in opened.titles.items() if title.casefold() == item.casefold()]
    if len(ids) > 1:
        raise DataError(f"{len(ids)} items have the title {item!r}: {', '.join(ids[:5])}; give the id of one")
    return ids[0] if ids else item


def draw(picture: Path | None, found: Neighbourhood, names: dict[str, str], items: frozenset[str]) -> None:
    """The file of ``--picture``, where it was asked for.

    Raises
    ------
    ConfigError
        If its suffix is neither .svg nor .html.
    """
    if picture is None:
        return
    from warmstart.explain.graph_drawing import around_page, around_svg

    makers = {".svg": around_svg, ".html": around_page}
    if picture.suffix.lower() not in makers:
        raise ConfigError(f"--picture {str(picture)!r} has the suffix {picture.suffix!r}; use .svg or .html")
    picture.write_text(makers[picture.suffix.lower()](found, names, items), encoding="utf-8")
    say(f"picture: {picture}")


def described(found: Neighbourhood, names: dict[str, str]) -> dict[str, Any]:
    """A neighbourhood for a program."""
    tables = {name: named(getattr(found, name), names).to_dicts() for name in ("near", "far")}
    return {"entity": found.entity, "name": names.get(found.entity), **tables, "left_out": found.left_out}


def named(rows: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """Facts with what to call their entity; null where it has no name."""
    import polars as pl

    return rows.with_columns(pl.Series("name", [names.get(e) for e in rows["entity"]], dtype=pl.String))


def around(found: Neighbourhood, names: dict[str, str]) -> Any:
    """A neighbourhood for people: a line a fact, and what lies beyond it."""
    import polars as pl

    from warmstart.data.relation_names import relation_names

    words = relation_names()
    beyond: dict[str, list[str]] = {}
    for via, _, _, entity, _ in found.far.rows():
        beyond.setdefault(via, []).append(names.get(entity, entity))
    rows = [
        {
            "fact": (words(r).forward if forward else words(r).back).replace("{}", names.get(entity, entity)),
            "facts": facts,
            "leads to": ", ".join(beyond.get(entity, [])),
        }
        for r, forward, entity, facts in found.near.rows()
    ]
    schema = {"fact": pl.String, "facts": pl.Int64, "leads to": pl.String}
    return listing(pl.DataFrame(rows, schema=schema), names.get(found.entity, found.entity))


def render_stats(found: GraphStats) -> None:
    """Numbers, relations, degrees and hubs as tables."""
    import polars as pl

    numbers = {
        name.replace("_", " "): f"{n:.2%}" if "share" in name else f"{n:,.0f}" for name, n in found.numbers.items()
    }
    numbers["entities of the largest components"] = ", ".join(f"{n:,}" for n in found.components)
    numbers["facts an entity"] = ", ".join(f"{name} {n:,}" for name, n in found.degrees.items())
    console = answers()
    console.print(listing(pl.DataFrame({"": list(numbers), "value": list(numbers.values())})))
    console.print(listing(found.relations, "relations"), listing(found.hubs, "entities of most facts"), sep="\n")
    console.print(listing(found.histogram, "facts an entity"))
