"""The work of ``warmstart graph build``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warmstart.cli.screen import Tell
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from warmstart.data.catalog import Catalog
    from warmstart.data.graph import KnowledgeGraph
    from warmstart.data.graph_columns import ColumnSettings

YEAR = re.compile(r"\s*\(\d{4}\)\s*$")  # at the end of a title


@dataclass(frozen=True)
class Given:
    """Where the tables are."""

    items: str | None
    triples: tuple[str, ...]
    links: str | None
    users: str | None
    columns: Mapping[str, str] | None


@dataclass(frozen=True)
class FromText:
    """What is taken out of texts, and by what."""

    ways: tuple[str, ...]
    encoder: str | None
    pipeline: str | None
    template: str | None


@dataclass(frozen=True)
class Wanted:
    """What becomes of the tables."""

    columns: tuple[str, ...]
    text: FromText
    user_columns: tuple[str, ...]
    friends: tuple[str, ...]
    separators: Mapping[str, str] = field(default_factory=dict)
    merge: bool = True
    threshold: float = 90.0
    inverses: bool = False
    ranges: int = 0
    ties: int = 0

    def cells(self, names: tuple[str, ...]) -> ColumnSettings:
        """How cells of some columns are read."""
        from warmstart.data.graph_columns import ColumnSettings

        marks = {name: mark for name, mark in self.separators.items() if name in names}
        return ColumnSettings(marks, self.merge, self.threshold)


class Builder:
    """Joins one part after the other and keeps the account."""

    def __init__(self, given: Given, wanted: Wanted, tell: Tell) -> None:
        self.given, self.wanted, self.tell = given, wanted, tell
        self.parts: list[KnowledgeGraph] = []
        self.merges: list[pl.DataFrame] = []
        self.told: dict[str, int] = {}
        self.separators: dict[str, str | None] = {}
        self.catalog = self._catalog()

    def triples(self) -> None:
        """Given triples, their links worked in."""
        from warmstart.data.ingest import read_graph

        for place, source in enumerate(self.given.triples):
            self.tell("reading triples", place, len(self.given.triples))
            found, account = read_graph(source, items=self.catalog, links=self.given.links, columns=self.given.columns)
            self.told |= {f"{source}: {what}": n for what, n in (*account.refused.items(), *account.repairs.items())}
            self.parts.append(with_source(found, Path(source).name))

    def columns(self) -> None:
        """The catalogue's own columns; what triples know by name goes under their id."""
        if not self.wanted.columns:
            return
        from warmstart.data.graph_columns import graph_from_columns
        from warmstart.data.graph_join import known_by_name

        catalog = self._needed("--from-columns")
        self.tell("reading columns", 0, 0)
        cells = self.wanted.cells(self.wanted.columns)
        cells = replace(cells, ranges=self.wanted.ranges, ties=self.wanted.ties)
        built = graph_from_columns(catalog, self.wanted.columns, cells)
        graph, same = known_by_name(built.graph, self._entities())
        self.parts.append(graph)
        self.merges.append(built.merges)
        self.separators |= built.separators
        self.told |= dict(built.told) | ({"names of columns that triples know": same} if same else {})

    def text(self) -> None:
        """Key phrases, named entities and known names out of texts."""
        asked = self.wanted.text
        if not asked.ways:
            return
        from warmstart.text.graph_text import TextGraphSettings, graph_from_text
        from warmstart.text.named_entities import MODEL

        catalog = self._needed("--from-text")
        settings = TextGraphSettings(asked.ways, model=asked.pipeline or MODEL, template=asked.template)
        titles = zip(catalog.items.ids, catalog.titles, strict=True)
        known = self._entities() | {item: YEAR.sub("", title) for item, title in titles if title != item}
        graph, told = graph_from_text(catalog, self._encoder(catalog), known, settings, self.tell)
        self.parts.append(graph)
        self.told |= told

    def people(self) -> None:
        """Facts about users."""
        if not (self.wanted.user_columns or self.wanted.friends):
            return
        from warmstart.data.graph_users import graph_from_users
        from warmstart.data.readers import read_table
        from warmstart.data.tables import present, shape_keyed

        if self.given.users is None:
            raise ConfigError("--from-users and --friends need the table of users; give --users")
        table = read_table(self.given.users)
        part = shape_keyed(table, "users", present(table, self.given.columns))
        names = (*self.wanted.user_columns, *self.wanted.friends)
        built = graph_from_users(
            part.frame, self.wanted.user_columns, friends=self.wanted.friends, settings=self.wanted.cells(names)
        )
        self.parts.append(built.graph)
        self.merges.append(built.merges)
        self.separators |= built.separators

    def _catalog(self) -> Catalog | None:
        from warmstart.data.ingest import read_items

        return None if self.given.items is None else read_items(self.given.items, columns=self.given.columns)[0]

    def _needed(self, option: str) -> Catalog:
        if self.catalog is None:
            raise ConfigError(f"{option} needs the table of items; give --items")
        return self.catalog

    def _entities(self) -> dict[str, str]:
        """Id -> name of all entities so far that are no items; an entity without a name is called by its id."""
        items = set() if self.catalog is None else set(self.catalog.items.ids)
        named: dict[str, str] = {}
        for part in self.parts:
            named |= {entity: entity for entity in part.entities() if entity not in items}
            named |= {entity: name for entity, name in part.names().items() if entity not in items}
        return named

    def _encoder(self, catalog: Catalog) -> Any:
        if "phrases" not in self.wanted.text.ways:
            return None
        from warmstart.text.cache import CachedEncoder
        from warmstart.text.choose import default_encoder, encoder_from_name
        from warmstart.text.graph_text import written
        from warmstart.text.weights import cache_home

        name, texts = self.wanted.text.encoder, written(catalog)
        encoder = default_encoder(texts).encoder if name is None else encoder_from_name(name, texts)
        return CachedEncoder(encoder, cache_home(), lambda done, total: self.tell("encoding phrases", done, total))


def build(given: Given, wanted: Wanted, out: Path, tell: Tell, *, csv: bool) -> dict[str, Any]:
    """Make the graph, write the folder, give back the report.

    Raises
    ------
    ConfigError
        If nothing was asked for, or a table that is needed was not named.
    """
    from warmstart.data.graph_join import join_graphs

    builder = Builder(given, wanted, tell)
    for stage in (builder.triples, builder.columns, builder.text, builder.people):
        stage()
    if not builder.parts:
        raise ConfigError("nothing to build from; give --triples, --from-columns, --from-text or --from-users")
    graph = join_graphs(builder.parts)
    graph = graph.with_inverses() if wanted.inverses else graph
    report = account(graph, builder)
    write(graph, builder.merges, report, out, csv=csv)
    return report


def with_source(graph: KnowledgeGraph, name: str) -> KnowledgeGraph:
    """Triples that say no source say the file they come from."""
    import polars as pl

    said = pl.col("source") if "source" in graph.triples.columns else pl.lit(None, pl.String)
    return replace(graph, triples=graph.triples.with_columns(source=said.fill_null(name)))


def account(graph: KnowledgeGraph, builder: Builder) -> dict[str, Any]:
    """What was made, for ``report.json``."""
    merged = {"merges": sum(frame.height for frame in builder.merges)}
    by_relation = graph.triples.group_by("relation").len().sort("len", descending=True)
    sources = graph.triples["source"].value_counts(sort=True)
    numbers = {"triples": len(graph), "entities": len(graph.entities()), "relations": by_relation.height} | merged
    if builder.catalog is not None:
        linked = set(graph.entities()) & set(builder.catalog.items.ids)
        numbers |= {"items": len(builder.catalog), "items with facts": len(linked)}
    return {
        "numbers": numbers,
        "relations": dict(by_relation.rows()),
        "sources": dict(sources.rows()),
        "separators": builder.separators,
        "told": builder.told,
    }


def write(graph: KnowledgeGraph, merges: list[pl.DataFrame], report: dict[str, Any], out: Path, *, csv: bool) -> None:
    """The folder: graph, labels and merges as tables, and the report."""
    import polars as pl

    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("graph.*"), *out.glob("graph_labels.*"), *out.glob("merges.*")):
        old.unlink()
    tables = {"graph": graph.triples}
    if graph.labels is not None:
        tables["graph_labels"] = graph.labels
    if merges:
        tables["merges"] = pl.concat(merges)
    for name, table in tables.items():
        if csv:
            table.write_csv(out / f"{name}.csv")
        else:
            table.write_parquet(out / f"{name}.parquet")
    (out / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
