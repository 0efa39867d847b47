"""A table of triples -> a graph: parts checked, links worked in, labels carried along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from warmstart.data.columns import Columns, map_columns
from warmstart.data.graph import TRIPLE, KnowledgeGraph
from warmstart.data.graph_links import Links, work_in
from warmstart.data.ids import id_text
from warmstart.data.rdf import Triples
from warmstart.data.table import Table
from warmstart.errors import DataError


@dataclass(frozen=True)
class ShapedGraph:
    """A graph put into shape.

    Parameters
    ----------
    graph
        Each triple once.
    refused
        ``row`` (1-based) and ``reason``.
    repairs
        What was put right or seen, with counts.
    """

    graph: KnowledgeGraph
    refused: pl.DataFrame
    repairs: Mapping[str, int] = field(default_factory=dict)


def shape_graph(
    table: Table, columns: Columns | None = None, links: Links | None = None, items: pl.Series | None = None
) -> ShapedGraph:
    """Triples as text, each once; entities that are items carry the item's id.

    Refused, with the reason: a part that is missing, a triple that occurs before, one whose head is its tail, and a
    ``confidence`` that is not within (0, 1].

    Parameters
    ----------
    table
        Triples, maybe with ``confidence``, ``source`` and labels.
    columns
        Canonical name -> own name.
    links
        Which entity is which item.
    items
        Ids of the catalogue, for ``graph_links.work_in``.

    Examples
    --------
    >>> from warmstart.data.graph_links import read_links
    >>> kg = Table(pl.DataFrame({"head": ["m.1"], "relation": ["by"], "tail": ["Lem"]}), "kg.csv")
    >>> links = read_links(Table(pl.DataFrame({"item_id": ["i1"], "entity_id": ["m.1"]}), "links.csv"))
    >>> shape_graph(kg, links=links).graph.triples.rows()
    [('i1', 'by', 'Lem')]
    """
    names = map_columns(table, "graph", columns)
    frame = pl.DataFrame([id_text(table.frame[names[name]]).alias(name) for name in TRIPLE])
    extra = _extra(table.frame.drop(set(names.values())))
    repairs: dict[str, int] = {}
    labels = table.labels if isinstance(table, Triples) else None
    if links is not None:
        frame, renamed, repairs = work_in(frame, links, items, table.iris if isinstance(table, Triples) else None)
        labels = None if labels is None else _moved(labels, renamed)
    wrong = _wrong(frame, extra)
    kept = pl.concat([frame, extra], how="horizontal").filter(wrong["reason"].is_null())
    return ShapedGraph(KnowledgeGraph(kept, labels), wrong.drop_nulls("reason"), repairs)


def _extra(others: pl.DataFrame) -> pl.DataFrame:
    """Confidence and source, where the table has them."""
    found = []
    if "confidence" in others.columns:
        told = others["confidence"]
        told = told.replace("", None) if told.dtype == pl.String else told
        number = told.cast(pl.Float32, strict=False)
        found.append(number.set(number.is_null() & told.is_not_null(), -1.0))  # no number: refused, no fact
    if "source" in others.columns:
        found.append(others["source"].cast(pl.String, strict=False))
    return pl.DataFrame(found)


def _wrong(frame: pl.DataFrame, extra: pl.DataFrame) -> pl.DataFrame:
    """Row (1-based) and the reason against it, null where there is none."""
    sure = pl.lit(value=True)
    if "confidence" in extra.columns:
        frame = frame.with_columns(extra["confidence"])
        sure = pl.col("confidence").is_null() | ((pl.col("confidence") > 0) & (pl.col("confidence") <= 1))
    return frame.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"),
        pl.when(pl.any_horizontal(pl.col(TRIPLE).is_null()))
        .then(pl.lit("head, relation or tail is missing"))
        .when(~pl.struct(TRIPLE).is_first_distinct())
        .then(pl.lit("triple occurs before"))
        .when(pl.col("head") == pl.col("tail"))
        .then(pl.lit("head is the tail"))
        .when(~sure)
        .then(pl.lit("confidence is not within 0 to 1"))
        .alias("reason"),
    )


def _moved(labels: pl.DataFrame, renamed: pl.DataFrame) -> pl.DataFrame:
    """Labels of entities that were renamed, under the new name."""
    if not renamed.height:
        return labels
    new = pl.col("entity").replace(renamed["entity_id"], renamed["name"])
    return labels.with_columns(new).unique(maintain_order=True)


def check_links(graph: KnowledgeGraph, items: pl.Series) -> None:
    """Refuse a graph that says nothing of any item.

    Raises
    ------
    DataError
        If neither a head nor a tail is an item.

    Examples
    --------
    >>> graph = KnowledgeGraph(pl.DataFrame({"head": ["i1"], "relation": ["by"], "tail": ["Lem"]}))
    >>> check_links(graph, pl.Series(["i1", "i2"]))
    """
    entities = graph.entities()
    if not entities.is_in(items.implode()).any():
        shown, known = ", ".join(entities.head(3)), ", ".join(items.head(3))
        raise DataError(
            f"none of the graph's {len(entities):,} entities ({shown} ...) is an item ({known} ...); name the table "
            "that links them by links= or --links, or leave the graph out"
        )
