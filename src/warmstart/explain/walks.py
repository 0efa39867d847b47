"""Walks of one, two or three edges from some entities to another, found from both ends; all in arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.data.adjacency import Adjacency, spans


@dataclass(frozen=True, eq=False)
class Walks:
    """Walks of the same length.

    Parameters
    ----------
    node
        int64, shape (n, edges + 1): entities from a source to the target.
    relation
        int64, shape (n, edges).
    forward
        bool, shape (n, edges): the edge is walked from its head to its tail.
    cut
        Edges, or walks, that were left out because there were more than the budget.
    """

    node: np.ndarray
    relation: np.ndarray
    forward: np.ndarray
    cut: int = 0

    def __len__(self) -> int:
        return len(self.node)

    @property
    def edges(self) -> int:
        """Edges of each walk."""
        return int(self.relation.shape[1])

    def take(self, rows: np.ndarray) -> Walks:
        """Some of the walks."""
        return Walks(self.node[rows], self.relation[rows], self.forward[rows], self.cut)

    def specificity(self, index: Adjacency) -> np.ndarray:
        """Mean specificity of the middle entities and rarity of the relations: float64 in [0, 1], shape (n,)."""
        middle = index.specificity[self.node[:, 1:-1]].astype(np.float64)
        found: np.ndarray = np.hstack([middle, index.rarity[self.relation]]).mean(1)
        return found


@dataclass(frozen=True, eq=False)
class Ends:
    """Edges by which one end reaches what may lie between.

    ``here[i]`` is joined to ``there[i]`` by ``relation[i]``; ``forward`` as seen from ``here``. Ascending in ``there``.
    """

    here: np.ndarray
    there: np.ndarray
    relation: np.ndarray
    forward: np.ndarray

    @classmethod
    def of(cls, index: Adjacency, entities: np.ndarray, through: np.ndarray) -> Ends:
        """Edges of some entities to those that may be walked through: bool, shape (n_entities,)."""
        which, at = index.edges(entities)
        which, at = (part[through[index.neighbour[at]]] for part in (which, at))
        order = np.argsort(index.neighbour[at], kind="stable")
        which, at = which[order], at[order]
        return cls(entities[which], index.neighbour[at].astype(np.int64), index.relation[at], index.forward[at])


def direct(index: Adjacency, sources: np.ndarray, target: int) -> Walks:
    """Walks of one edge."""
    which, at = index.edges(sources)
    hit = index.neighbour[at] == target
    here, at = sources[which[hit]], at[hit]
    node = np.column_stack([here, np.full(len(here), target)])
    return Walks(node, index.relation[at, None].astype(np.int64), index.forward[at, None])


def by_one(index: Adjacency, near: Ends, far: Ends, budget: int) -> Walks:
    """Walks of two edges: both ends reach the same entity; the most specific, where the budget is exceeded."""
    i, j, cut = matched(far.there, near.there, budget)
    if cut:
        best = np.argsort(-index.specificity[near.there], kind="stable")
        i, j, cut = matched(far.there, near.there[best], budget)
        i = best[i]
    node = np.column_stack([near.here[i], near.there[i], far.here[j]])
    relation = np.column_stack([near.relation[i], far.relation[j]]).astype(np.int64)
    return Walks(node, relation, np.column_stack([near.forward[i], ~far.forward[j]]), cut)


def by_two(index: Adjacency, near: Ends, far: Ends, budget: int) -> Walks:
    """Walks of three edges: what one end reaches is next to what the other reaches.

    The side with fewer edges is opened, entities of few facts first, and no more edges than the budget.
    """
    a, b = np.unique(near.there), np.unique(far.there)
    turn = int(index.degree[a].sum()) > int(index.degree[b].sum())
    opened, other = (b, a) if turn else (a, b)
    opened, cut = affordable(index, opened, budget)
    which, at = index.edges(opened)
    held = np.zeros(len(index.entities), bool)
    held[other] = True
    hit = held[index.neighbour[at]]
    here, at = opened[which[hit]], at[hit]
    there, relation, forward = index.neighbour[at].astype(np.int64), index.relation[at], index.forward[at]
    one, two = (there, here) if turn else (here, there)
    best = np.argsort(-(index.specificity[one] + index.specificity[two] + index.rarity[relation]), kind="stable")
    one, two, relation, forward = one[best], two[best], relation[best], (forward ^ turn)[best]
    m, i, more = matched(near.there, one, budget)
    w, j, beyond = matched(far.there, two[m], budget)
    cut, m, i = cut + more + beyond, m[w], i[w]
    node = np.column_stack([near.here[i], one[m], two[m], far.here[j]])
    relations = np.column_stack([near.relation[i], relation[m], far.relation[j]]).astype(np.int64)
    directions = np.column_stack([near.forward[i], forward[m], ~far.forward[j]])
    return Walks(node, relations, directions, cut)


def affordable(index: Adjacency, entities: np.ndarray, budget: int) -> tuple[np.ndarray, int]:
    """Entities of the fewest facts, as many as have ``budget`` edges together; and the edges left out."""
    order = np.argsort(index.degree[entities], kind="stable")
    total = np.cumsum(index.degree[entities[order]])
    n = int((total <= budget).sum())
    return np.sort(entities[order[:n]]), int(index.degree[entities[order[n:]]].sum())


def matched(table: np.ndarray, wanted: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Pairs of equal values: positions in ``wanted``, ascending, and in the ascending ``table``; and how many were cut.

    No more than the first ``most`` pairs are made.

    Examples
    --------
    >>> i, j, cut = matched(np.array([3, 5, 5]), np.array([5, 4, 3]), 9)
    >>> i.tolist(), j.tolist(), cut
    ([0, 0, 2], [1, 2, 0], 0)
    """
    start = np.searchsorted(table, wanted, side="left")
    length = np.searchsorted(table, wanted, side="right") - start
    kept = np.clip(most - (np.cumsum(length) - length), 0, length)
    return *spans(start, kept), int(length.sum() - kept.sum())
