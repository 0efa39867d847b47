"""Which item belongs to which concept, whoever found the concepts: a tree, or a dictionary of overlapping ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from warmstart.text.whiten import unit_rows


@dataclass(frozen=True, eq=False)
class Membership:
    """Every item belongs to one concept or several on each level.

    Concepts are numbered over all levels, coarse ones first; within a level the largest first.

    Parameters
    ----------
    weights
        float32 CSR, shape (n_items, n_concepts): above 0 where an item belongs; an item's sum to 1 on each level.
    parent
        int32, shape (n_concepts,): the coarser concept that holds it; -1 on the first level.
    level
        int8, shape (n_concepts,): 0 = coarse; of a flat dictionary 0 throughout.
    """

    weights: sp.csr_matrix
    parent: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def levels(self) -> int:
        """Number of levels."""
        return int(self.level.max(initial=-1)) + 1

    def at(self, level: int) -> np.ndarray:
        """Concepts of a level."""
        return np.flatnonzero(self.level == level)

    def items(self, concept: int) -> np.ndarray:
        """Codes of the items that belong to a concept, ascending."""
        first, last = self._columns.indptr[concept : concept + 2]
        found: np.ndarray = self._columns.indices[first:last]
        return found

    def near(self, item: int, concept: int) -> bool:
        """Whether an item belongs to a concept, or to the coarser one that holds it."""
        return any(self.weights[item, c] > 0 for c in (concept, int(self.parent[concept])) if c >= 0)

    @cached_property
    def paths(self) -> np.ndarray:
        """The concept to which each item belongs most on each level: int32, shape (n_items, levels)."""
        out = np.empty((self.weights.shape[0], self.levels), np.int32)
        for level in range(self.levels):
            mine = self.at(level)
            out[:, level] = mine[np.asarray(self.weights[:, mine].argmax(axis=1)).ravel()]
        return out

    def typical(self, vectors: np.ndarray, concept: int, k: int = 5) -> np.ndarray:
        """Items in the middle of a concept: int64 codes, at most k, by weight times cosine with the weighted mean.

        Parameters
        ----------
        vectors
            float32, shape (n_items, d).
        """
        items = self.items(concept).astype(np.int64)
        weight = self._columns[:, [concept]].data
        near = weight * (unit_rows(vectors[items]) @ (weight @ vectors[items]))
        return items[np.argsort(-near, kind="stable")[:k]]

    def grow(self, weights: sp.csr_matrix) -> Membership:
        """With further items; the concepts stay as they are."""
        return replace(self, weights=sp.csr_matrix(sp.vstack([self.weights, weights])))

    @cached_property
    def _columns(self) -> sp.csc_matrix:
        columns = sp.csc_matrix(self.weights)
        columns.sort_indices()
        return columns


def of_paths(paths: np.ndarray, n_concepts: int) -> sp.csr_matrix:
    """Weights of items that belong wholly to one concept on each level.

    Parameters
    ----------
    paths
        int, shape (n_items, levels): concepts of the items, numbered over all levels.

    Returns
    -------
    float32 CSR of ones, shape (n_items, n_concepts).

    Examples
    --------
    >>> of_paths(np.array([[0, 2], [1, 3]]), 4).toarray().tolist()
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """
    n, levels = paths.shape
    rows = (np.ones(paths.size, np.float32), paths.ravel().astype(np.int64), np.arange(n + 1) * levels)
    return sp.csr_matrix(rows, shape=(n, n_concepts))
