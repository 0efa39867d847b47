"""How many facts tie items to a history: entities that both are next to, counted for every item at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.adjacency import Adjacency, spans
from warmstart.data.vocab import Vocabulary

BLOCK = 8_192  # candidates looked at at once
HUB = 500  # facts; what has more says little of what it touches


@dataclass(frozen=True, eq=False)
class PathCount:
    """Items by what they are next to.

    Parameters
    ----------
    near
        float32 CSR, shape (n_items, n_entities): 1 where an item has a fact with an entity that is no hub.
    node
        int64, shape (n_items,): the entity that an item is; -1 = none.
    specificity
        float32, shape (n_entities,): see ``Adjacency.specificity``.

    Examples
    --------
    >>> import polars as pl
    >>> rows = [("a", "by", "x"), ("b", "by", "x"), ("b", "by", "y"), ("a", "then", "c")]
    >>> graph = Adjacency.of(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    >>> counts = PathCount.of(graph, Vocabulary(["a", "b", "c"]))
    >>> counts(sp.csr_matrix([[1.0, 0.0, 0.0]]))[0].tolist()
    [[2.0, 1.0, 1.0]]
    """

    near: sp.csr_matrix
    node: np.ndarray
    specificity: np.ndarray

    @classmethod
    def of(cls, index: Adjacency, items: Vocabulary, hub: int = HUB) -> Self:
        """Of an indexed graph; an item it does not hold is next to nothing.

        Parameters
        ----------
        items
            The catalogue's; item codes count by it.
        hub
            Entities of more facts than this are left out.
        """
        node = index.entities.codes(items.ids).astype(np.int64)
        known = np.flatnonzero(node >= 0)
        which, at = index.edges(node[known])
        there = index.neighbour[at]
        few = index.degree[there] <= hub
        row, column, shape = known[which[few]], there[few], (len(items), len(index.entities))
        return cls(_ones(row, column, shape), node, index.specificity)

    @cached_property
    def held(self) -> sp.csr_matrix:
        """``near``, and 1 at the entity that the item is."""
        known = np.flatnonzero(self.node >= 0)
        own = _ones(known, self.node[known], self.near.shape)
        return sp.csr_matrix(self.near.maximum(own))

    @cached_property
    def reached(self) -> sp.csr_matrix:
        """``held`` turned over: float32 CSR, shape (n_entities, n_items)."""
        return sp.csr_matrix(self.held.T)

    def __call__(self, sets: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Distinct entities next to the history that an item is, or is next to; and the sum of their specificity.

        An item that the history itself names (a sequel) is such an entity: it counts 1 for the fact that names it.

        Parameters
        ----------
        sets
            CSR, shape (n_queries, n_items): items of each history (``Histories.sets``); weights do not count.

        Returns
        -------
        tuple
            float32, shape (n_queries, n_items), both: number, and sum of specificity (each within [0, 1]).
        """
        around = self.around(sets)
        count, weight = around @ self.reached, self._weighed(around) @ self.reached
        return np.asarray(count.toarray(), np.float32), np.asarray(weight.toarray(), np.float32)

    def pairs(self, sets: sp.csr_matrix, query: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of given candidates alone: two float32 arrays of shape (n_pairs,).

        Parameters
        ----------
        query, item
            Row of ``sets`` and item code of each candidate: int, shape (n_pairs,).
        """
        around, count, weight = self.around(sets), *(np.zeros(len(query), np.float32) for _ in range(2))
        order = np.argsort(query, kind="stable")
        bounds = np.searchsorted(query[order], np.arange(sets.shape[0] + 1)).tolist()
        near = np.zeros(self.near.shape[1], np.float32)  # what a history is next to; wiped after each
        for q, (begin, end) in enumerate(pairwise(bounds)):
            marked = around.indices[around.indptr[q] : around.indptr[q + 1]]
            near[marked] = 1.0
            for start in range(begin, end, BLOCK):
                at = order[start : min(start + BLOCK, end)]
                count[at], weight[at] = self._met(near, item[at])
            near[marked] = 0.0
        return count, weight

    def _met(self, near: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of marked entities (1, else 0; float32, shape (n_entities,)): how many each item holds, and their weight."""
        start = self.held.indptr[items]
        which, at = spans(start, self.held.indptr[items + 1] - start)
        entity, n = self.held.indices[at], len(items)
        met = near[entity]
        return np.bincount(which, met, n), np.bincount(which, met * self.specificity[entity], n)

    @property
    def degree(self) -> np.ndarray:
        """Entities that each item is next to, hubs left out: int64, shape (n_items,)."""
        return np.diff(self.near.indptr)

    def grown(self, n: int, told: PathCount | None = None) -> Self:
        """With n new items appended; ``told``: what the same graph says of them, None = nothing."""
        if told is None:
            return replace(self, near=_longer(self.near, n), node=np.append(self.node, np.full(n, -1)))
        near = sp.csr_matrix(sp.vstack([self.near, told.near]))
        return replace(self, near=near, node=np.append(self.node, told.node))

    def around(self, sets: sp.csr_matrix) -> sp.csr_matrix:
        """What each history is next to: float32 CSR of ones, shape (n_queries, n_entities)."""
        found = sp.csr_matrix(sets[:, : self.near.shape[0]] @ self.near)
        found.data = np.ones(found.nnz, np.float32)
        return found

    def _weighed(self, around: sp.csr_matrix) -> sp.csr_matrix:
        return sp.csr_matrix((self.specificity[around.indices], around.indices, around.indptr), shape=around.shape)


def _longer(m: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """With n empty rows appended."""
    indptr = np.append(m.indptr, np.full(n, m.nnz, m.indptr.dtype))
    return sp.csr_matrix((m.data, m.indices, indptr), shape=(m.shape[0] + n, m.shape[1]))


def _ones(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sp.csr_matrix:
    """Ones at the given places, each once."""
    made = sp.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=shape)
    made.sum_duplicates()
    made.data[:] = 1.0
    return made
