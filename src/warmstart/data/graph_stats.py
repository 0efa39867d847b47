"""What a graph is like: relations, degrees, components, hubs, and how much of a catalogue it speaks of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from warmstart.data.adjacency import Adjacency
from warmstart.data.graph import KnowledgeGraph

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
HUBS = 10  # entities of most facts that are listed
LARGEST = 5  # components that are listed


@dataclass(frozen=True)
class GraphStats:
    """Numbers about a graph.

    Parameters
    ----------
    numbers
        ``triples``, ``facts`` (distinct; a relation and its inverse tell one), ``entities``, ``relations``, ``labels``,
        ``components``; where a catalogue is known ``items``, ``items_linked`` and ``share_items_linked`` (0..1).
    relations
        A row a relation, most triples first: ``relation``, ``triples``, ``heads``, ``tails`` (distinct) and ``items``
        (distinct items among either; null without a catalogue).
    degrees
        Facts an entity: quantiles, by ``"min"``, ``"p25"``, ``"median"``, ``"p75"``, ``"p90"``, ``"p99"``, ``"max"``.
    histogram
        ``from``, ``to`` (facts an entity, both included, doubling) and ``entities``.
    hubs
        The ten entities of most facts: ``entity``, ``label`` (null = none), ``degree``.
    components
        Entities of the five largest components, descending.
    """

    numbers: dict[str, float]
    relations: pl.DataFrame
    degrees: dict[str, int]
    histogram: pl.DataFrame
    hubs: pl.DataFrame
    components: tuple[int, ...]

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        tables = {name: getattr(self, name).to_dicts() for name in ("relations", "histogram", "hubs")}
        return {"numbers": self.numbers, "degrees": self.degrees, "components": list(self.components)} | tables


def graph_stats(graph: KnowledgeGraph, items: pl.Series | None = None, index: Adjacency | None = None) -> GraphStats:
    """Look a graph over.

    Parameters
    ----------
    graph
        Any graph.
    items
        Ids of the catalogue, where there is one.
    index
        The graph's index, where it is made already.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters()
    >>> stats = graph_stats(data.graph, pl.Series(data.catalog.items.ids))
    >>> stats.relations.rows()
    [('made_by', 120, 120, 20, 120), ('works_in', 20, 20, 4, 0)]
    >>> stats.numbers["share_items_linked"], stats.degrees["max"], stats.components
    (1.0, 7, (36, 36, 36, 36))
    """
    index = index or Adjacency.of(graph.triples)
    degree, sizes = index.degree, component_sizes(index)
    numbers: dict[str, float] = {
        "triples": len(graph),
        "facts": len(index),
        "entities": len(index.entities),
        "relations": graph.triples["relation"].n_unique(),
        "labels": len(graph.names()),
        "components": len(sizes),
    }
    if items is not None:
        linked = int((index.entities.codes(items.to_list()) >= 0).sum())
        numbers |= {"items": len(items), "items_linked": linked, "share_items_linked": linked / max(len(items), 1)}
    points = np.quantile(degree, QUANTILES, method="lower").tolist() if len(degree) else [0] * len(QUANTILES)
    names = ("min", "p25", "median", "p75", "p90", "p99", "max")
    return GraphStats(
        numbers,
        by_relation(graph.triples, items),
        {name: int(point) for name, point in zip(names, points, strict=True)},
        histogram(degree),
        largest(index, graph.names()),
        tuple(sizes[:LARGEST].tolist()),
    )


def by_relation(triples: pl.DataFrame, items: pl.Series | None) -> pl.DataFrame:
    """Counts a relation; see ``GraphStats.relations``."""
    counts = triples.group_by("relation").agg(
        pl.len().cast(pl.Int64).alias("triples"),
        pl.col("head").n_unique().cast(pl.Int64).alias("heads"),
        pl.col("tail").n_unique().cast(pl.Int64).alias("tails"),
    )
    order = counts.sort(["triples", "relation"], descending=[True, False])
    if items is None:
        return order.with_columns(items=pl.lit(None, pl.Int64))
    ends = pl.concat([triples.select("relation", id=end) for end in ("head", "tail")]).unique()
    reached = ends.join(items.unique().to_frame("id"), on="id", how="semi").group_by("relation").len("items")
    found = order.join(reached, on="relation", how="left", maintain_order="left")
    return found.with_columns(pl.col("items").fill_null(0).cast(pl.Int64))


def histogram(degree: np.ndarray) -> pl.DataFrame:
    """Entities by facts in steps that double.

    Examples
    --------
    >>> histogram(np.array([1, 1, 2, 3, 4, 9])).rows()
    [(1, 1, 2), (2, 3, 2), (4, 7, 1), (8, 15, 1)]
    """
    step = np.floor(np.log2(np.maximum(degree, 1))).astype(np.int64)
    found, count = np.unique(step, return_counts=True)
    return pl.DataFrame({"from": 2**found, "to": 2 ** (found + 1) - 1, "entities": count.astype(np.int64)})


def largest(index: Adjacency, names: dict[str, str], most: int = HUBS) -> pl.DataFrame:
    """The entities of most facts; see ``GraphStats.hubs``."""
    top = np.argsort(-index.degree, kind="stable")[:most]
    entities = index.entities.names(top)
    labels = pl.Series("label", [names.get(entity) for entity in entities], dtype=pl.String)
    return pl.DataFrame({"entity": pl.Series(entities, dtype=pl.String), "label": labels, "degree": index.degree[top]})


def component_sizes(index: Adjacency) -> np.ndarray:
    """Entities of each connected component, descending: int64, shape (n_components,)."""
    n = len(index.entities)
    if not n:
        return np.empty(0, np.int64)
    links = sp.csr_matrix((np.ones(len(index.neighbour), np.int8), index.neighbour, index.indptr), shape=(n, n))
    _, which = connected_components(links, directed=False)
    return -np.sort(-np.bincount(which))
