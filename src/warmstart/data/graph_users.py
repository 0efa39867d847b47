"""Facts about people: a table of users as triples that cannot meet items by accident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from warmstart.data.dataset import USER_ID, Dataset
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_columns import BuiltGraph, ColumnSettings, graph_from_columns
from warmstart.errors import DataError

USER = "user:"  # before the id of whoever is an entity


def graph_from_users(
    users: pl.DataFrame, columns: Sequence[str], *, friends: Sequence[str] = (), settings: ColumnSettings | None = None
) -> BuiltGraph:
    """Triples user, ``user_COLUMN``, value: users are ``user:ID``, values ``COLUMN:VALUE``; labels keep both plain.

    Parameters
    ----------
    users
        A table with ``user_id``.
    columns
        Whose values become entities: occupation, region.
    friends
        Columns that hold ids of other users, several a cell where there are: their tails are ``user:ID``, too.
    settings
        How cells are split and names merged; ids of friends are never merged.

    Raises
    ------
    DataError
        If a column is not there or holds no value.

    Examples
    --------
    >>> people = pl.DataFrame({"user_id": ["1", "2"], "job": ["writer", "Writer"], "knows": ["2", None]})
    >>> graph_from_users(people, ["job"], friends=["knows"]).graph.triples.select("head", "relation", "tail").rows()
    [('user:1', 'user_job', 'job:Writer'), ('user:2', 'user_job', 'job:Writer'), ('user:1', 'user_knows', 'user:2')]
    """
    if USER_ID not in users.columns:
        raise DataError(f"the table of users has no column {USER_ID!r}; it has {users.columns[:20]}; rename one")
    table = users.rename({USER_ID: "item_id"}).with_columns(pl.col("item_id").cast(pl.String))
    settings = settings or ColumnSettings()
    exact = ColumnSettings(separators=settings.separators, merge=False, repair_cut=False)
    parts = [graph_from_columns(table, columns, settings)] if columns else []
    known = [graph_from_columns(table.with_columns(pl.col(friends).cast(pl.String)), friends, exact)] if friends else []
    triples = pl.concat(
        [
            *(_told(part.graph.triples, pl.col("relation") + ":") for part in parts),
            *(_told(part.graph.triples, pl.lit(USER)) for part in known),
        ]
    )
    ends = pl.concat([triples.select(entity="head"), triples.select(entity="tail")]).unique(maintain_order=True)
    labels = ends.with_columns(label=pl.col("entity").str.replace(r"^[^:]+:", ""))
    merges = pl.concat([part.merges for part in (*parts, *known)])
    marks = {name: mark for part in (*parts, *known) for name, mark in part.separators.items()}
    return BuiltGraph(KnowledgeGraph(triples, labels), merges, marks)


def without_users(graph: KnowledgeGraph) -> KnowledgeGraph:
    """The graph without people, and without what only people have: what may be kept in an engine.

    Examples
    --------
    >>> rows = {"head": ["i1", "user:1"], "relation": ["by", "user_job"], "tail": ["Lem", "job:writer"]}
    >>> without_users(KnowledgeGraph(pl.DataFrame(rows))).triples.rows()
    [('i1', 'by', 'Lem')]
    """
    ends = graph.triples.select(pl.col("head", "tail").str.starts_with(USER))
    if not ends.select(pl.any_horizontal("head", "tail").any()).item():
        return graph
    kept = graph.triples.filter(~ends["head"] & ~ends["tail"])
    known = pl.concat([kept["head"], kept["tail"]]).unique()
    labels = None if graph.labels is None else graph.labels.filter(pl.col("entity").is_in(known.implode()))
    return KnowledgeGraph(kept, labels)


def impersonal(data: Dataset) -> Dataset:
    """The dataset as an engine learns from it: what others did is no feature of an item, and is told to nobody.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> facts = pl.DataFrame({"head": ["a", "user:1"], "relation": ["by", "bought"], "tail": ["Lem", "a"]})
    >>> impersonal(replace(example(), graph=KnowledgeGraph(facts))).graph.triples.rows()
    [('a', 'by', 'Lem')]
    """
    graph = None if data.graph is None else without_users(data.graph)
    return data if graph is data.graph else replace(data, graph=graph)


def _told(triples: pl.DataFrame, before: pl.Expr) -> pl.DataFrame:
    """Triples of a table taken for items, with heads that are users and tails that are theirs."""
    value = pl.col("tail").str.strip_prefix(pl.col("relation") + ":")
    return triples.select(
        head=pl.lit(USER) + pl.col("head"),
        relation=pl.lit("user_") + pl.col("relation"),
        tail=before + value,
        source=pl.lit("users:") + pl.col("relation"),
    )
