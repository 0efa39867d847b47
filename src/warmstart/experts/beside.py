"""What stands beside a projection: whole rows, or of a very large catalogue entries of the few items that have any."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from warmstart.experts.best import Found, best

FEW = 8  # queries up to which entries are summed one by one


class Beside(Protocol):
    """Numbers of a block of queries, one an item, to be asked for where they matter."""

    def best(self, allowed: np.ndarray, top: int, sample: np.ndarray) -> Found:
        """Query and item of the ``top`` largest above 0 of each query.

        Parameters
        ----------
        allowed
            bool, shape (n_queries, n_items).
        sample
            As in ``experts.best.best``; entries do without.
        """
        ...

    def at(self, items: np.ndarray) -> np.ndarray:
        """At some items, int64, shape (n_queries, m): float32, same shape."""
        ...

    def add_to(self, rows: np.ndarray) -> None:
        """Add to float32, shape (n_queries, n_items), in place."""
        ...


@dataclass(frozen=True, eq=False)
class Rows:
    """Of every item: float32, shape (n_queries, n_items)."""

    rows: np.ndarray

    def best(self, allowed: np.ndarray, top: int, sample: np.ndarray) -> Found:
        """See ``Beside``."""
        return best(self.rows, allowed, top, sample, floor=0.0)

    def at(self, items: np.ndarray) -> np.ndarray:
        """See ``Beside``."""
        return np.take_along_axis(self.rows, items, axis=1)

    def add_to(self, rows: np.ndarray) -> None:
        """See ``Beside``."""
        rows += self.rows


@dataclass(frozen=True, eq=False)
class Entries:
    """Of some items, zero of all others: CSR float32, shape (n_queries, n_items), columns ascending; some may be zero.

    Examples
    --------
    >>> few = Entries(sp.csr_matrix([[0.0, 2.0, 0.0, 3.0], [1.0, 0.0, 0.0, 0.0]], dtype=np.float32))
    >>> few.at(np.array([[3, 0], [0, 0]])).tolist()
    [[3.0, 0.0], [1.0, 1.0]]
    >>> [part.tolist() for part in few.best(np.ones((2, 4), bool), 1, np.arange(4))]
    [[0, 1], [3, 0]]
    """

    rows: sp.csr_matrix

    def best(self, allowed: np.ndarray, top: int, sample: np.ndarray) -> Found:
        """See ``Beside``."""
        found = [np.empty(0, np.int64)]
        for may, (column, value) in zip(allowed, self._each(), strict=True):
            able = np.flatnonzero(may[column] & (value > 0))
            if len(able) > top:
                able = able[np.argpartition(-value[able], top)[:top]]
            found.append(column[able])
        return np.repeat(np.arange(len(allowed)), [len(f) for f in found[1:]]), np.concatenate(found)

    def at(self, items: np.ndarray) -> np.ndarray:
        """See ``Beside``."""
        out = np.zeros(items.shape, np.float32)
        for q, (column, value) in enumerate(self._each()):
            if len(column):
                place = np.minimum(np.searchsorted(column, items[q]), len(column) - 1)
                out[q] = np.where(column[place] == items[q], value[place], np.float32(0.0))
        return out

    def add_to(self, rows: np.ndarray) -> None:
        """See ``Beside``."""
        for row, (column, value) in zip(rows, self._each(), strict=True):
            row[column] += value

    def _each(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Columns and values of each query."""
        rows = self.rows
        return [(rows.indices[a:b], rows.data[a:b]) for a, b in pairwise(rows.indptr.tolist())]


def entry_sums(
    sets: sp.csr_matrix, table: sp.csr_matrix, n: int, among: tuple[np.ndarray, np.ndarray] | None = None
) -> Entries:
    """``sets @ table`` without a row over all items.

    Parameters
    ----------
    sets
        CSR, shape (n_queries, m): how much each item counts.
    table
        CSR, shape (m, at most n), each entry of a row once.
    n
        Items of the catalogue.
    among
        Columns, ascending, in which every entry of the table lies, and the place of each item among them; None = any.

    Examples
    --------
    >>> entry_sums(sp.csr_matrix([[1.0, 0.5]]), sp.csr_matrix([[0.0, 2.0], [4.0, 2.0]]), 3).rows.toarray().tolist()
    [[2.0, 3.0, 0.0]]
    """
    if not 0 < sets.shape[0] <= FEW:
        found = sp.csr_matrix(sets @ table, dtype=np.float32)
        found.sort_indices()
        parts = found.data, found.indices, found.indptr
    else:
        each = [_summed(sets, q, table, among) for q in range(sets.shape[0])]
        ends = np.concatenate([[0], np.cumsum([len(column) for column, _ in each])])
        parts = np.concatenate([value for _, value in each]), np.concatenate([column for column, _ in each]), ends
    return Entries(sp.csr_matrix(parts, shape=(sets.shape[0], n)))


def _summed(
    sets: sp.csr_matrix, q: int, table: sp.csr_matrix, among: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Columns, ascending, and float32 sums of one set."""
    here = slice(sets.indptr[q], sets.indptr[q + 1])
    begins, ends = table.indptr[sets.indices[here]].tolist(), table.indptr[sets.indices[here] + 1].tolist()
    rows = [(w, slice(a, b)) for w, a, b in zip(sets.data[here].tolist(), begins, ends, strict=True)]
    if not rows:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    if among is None:
        column, at = np.unique(np.concatenate([table.indices[row] for _, row in rows]), return_inverse=True)
        found = np.concatenate([w * table.data[row] for w, row in rows])
        return column, np.bincount(at, weights=found, minlength=len(column)).astype(np.float32)
    (column, place), value = among, np.zeros(len(among[0]), np.float32)
    for w, row in rows:
        value[place[table.indices[row]]] += w * table.data[row]
    return column, value
