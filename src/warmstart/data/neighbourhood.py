"""What lies around an entity: its facts, most specific first, and what else those lead to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from rapidfuzz import process

from warmstart.data.adjacency import Adjacency
from warmstart.data.path_count import HUB
from warmstart.errors import DataError

NEAR = {"relation": pl.String, "forward": pl.Boolean, "entity": pl.String, "facts": pl.Int64}
FAR = {"via": pl.String, "relation": pl.String, "forward": pl.Boolean, "entity": pl.String, "facts": pl.Int64}


@dataclass(frozen=True)
class Neighbourhood:
    """An entity and what is one or two facts away.

    Parameters
    ----------
    entity
        The one in the middle.
    near
        ``relation``, ``forward`` (the middle is the head), ``entity`` and its ``facts``.
    far
        The same, with ``via``, the entity of ``near`` that leads there; nothing beyond a hub of more than 500 facts.
    left_out
        Facts of the middle that are not in ``near``.
    """

    entity: str
    near: pl.DataFrame
    far: pl.DataFrame
    left_out: int


def neighbourhood(
    index: Adjacency,
    entity: str,
    items: frozenset[str] = frozenset(),
    *,
    hops: int = 2,
    most: int = 20,
    beyond: int = 3,
) -> Neighbourhood:
    """Facts of an entity, and of what they name.

    First come entities that lead somewhere, the most specific before the others (fewest facts); those that have no
    other fact come last.

    Parameters
    ----------
    index
        Of the graph.
    entity
        In the middle.
    items
        Ids of the catalogue: beyond an entity, items come before others.
    hops
        1 or 2.
    most
        Facts of the middle, at most.
    beyond
        Facts of each of those, at most.

    Raises
    ------
    DataError
        If the graph does not hold the entity; the nearest names are told.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> found = neighbourhood(Adjacency.of(clusters().graph.triples), "i0", beyond=2)
    >>> found.near.rows(), found.far["entity"].to_list()
    ([('made_by', True, 'maker0_0', 7)], ['i100', 'i20'])
    """
    if entity not in index.entities:
        alike = [name for name, _, _ in process.extract(entity, index.entities.ids, limit=3, score_cutoff=60)]
        hint = f"did you mean {', '.join(map(repr, alike))}?" if alike else "give the id of an item or entity"
        raise DataError(f"the graph holds no {entity!r}; {hint}")
    middle = int(index.entities.codes([entity])[0])
    edges = np.arange(*index.row(middle).indices(len(index.neighbour)))
    degree = index.degree[index.neighbour[edges]]
    order = np.lexsort((index.neighbour[edges], degree, degree == 1))
    kept = edges[order[:most]]
    near = _rows(index, kept)
    far = [_beyond(index, int(at), middle, items, beyond) for at in kept] if hops > 1 else []
    return Neighbourhood(entity, near, pl.concat([pl.DataFrame(schema=FAR), *far]), len(edges) - len(kept))


def _beyond(index: Adjacency, edge: int, middle: int, items: frozenset[str], most: int) -> pl.DataFrame:
    """Facts of what an edge leads to, but for that which led there."""
    via = int(index.neighbour[edge])
    if index.degree[via] > HUB:
        return pl.DataFrame(schema=FAR)
    edges = np.arange(*index.row(via).indices(len(index.neighbour)))
    edges = edges[index.neighbour[edges] != middle]
    others = index.neighbour[edges]
    strange = np.array([name not in items for name in index.entities.names(others)], dtype=bool)
    order = np.lexsort((others, index.degree[others], strange))
    first = np.sort(np.unique(others[order], return_index=True)[1])  # by several relations, an entity is still one
    kept = edges[order[first][:most]]
    return _rows(index, kept).select(pl.lit(index.entities.ids[via]).alias("via"), pl.all())


def _rows(index: Adjacency, edges: np.ndarray) -> pl.DataFrame:
    there = index.neighbour[edges]
    return pl.DataFrame(
        {
            "relation": index.relations.names(index.relation[edges]),
            "forward": index.forward[edges],
            "entity": index.entities.names(there),
            "facts": index.degree[there],
        },
        schema=NEAR,
    )
