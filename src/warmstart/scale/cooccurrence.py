"""Which items the same people take: the Gram matrix X'X, a block of its rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import scipy.sparse as sp

CHUNK = 2_000_000  # events multiplied at once
Histories = tuple[np.ndarray, np.ndarray]  # offsets (n + 1,) and items of n people, each item once a person


def gram_rows(parts: Iterable[Histories], block: int, blocks: int, n_items: int) -> sp.csr_matrix:
    """Rows ``block, block + blocks, block + 2 blocks ...`` of ``X'X``: float64 (whole numbers), one after the other.

    Parameters
    ----------
    parts
        Histories, each item once; those without an item of the block add nothing.

    Examples
    --------
    >>> people = (np.array([0, 2, 4]), np.array([0, 1, 1, 2]))
    >>> gram_rows([people], block=1, blocks=2, n_items=3).toarray().tolist()
    [[1.0, 2.0, 1.0]]
    """
    height = -(-(n_items - block) // blocks)
    total = sp.csr_matrix((height, n_items))
    for offsets, item in gathered(parts):
        own = np.flatnonzero(item % blocks == block)
        person = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))[own]
        mine = sp.csr_matrix((np.ones(len(own)), (item[own] // blocks, person)), shape=(height, len(offsets) - 1))
        total = total + mine @ sp.csr_matrix((np.ones(len(item)), item, offsets), shape=(len(offsets) - 1, n_items))
    total.sort_indices()
    return total


def gathered(parts: Iterable[Histories], least: int = CHUNK) -> Iterator[Histories]:
    """The same people in larger parts: sums of large products are cheaper.

    Examples
    --------
    >>> [(o.tolist(), i.tolist()) for o, i in gathered([(np.array([0, 1]), np.array([7]))] * 2)]
    [([0, 1, 2], [7, 7])]
    """
    lengths: list[np.ndarray] = []
    items: list[np.ndarray] = []
    waiting = 0
    for offsets, item in parts:
        lengths.append(np.diff(offsets))
        items.append(item)
        waiting += len(item)
        if waiting >= least:
            yield _joined(lengths, items)
            lengths, items, waiting = [], [], 0
    if lengths:
        yield _joined(lengths, items)


def _joined(lengths: list[np.ndarray], items: list[np.ndarray]) -> Histories:
    return np.concatenate([[0], np.cumsum(np.concatenate(lengths))]), np.concatenate(items)


def strongest(rows: sp.csr_matrix, own: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row the ``n`` largest entries but its own column's: row, column, value; ties to the lower column.

    Parameters
    ----------
    own
        int64, shape (n_rows,): the column that a row is of itself.

    Examples
    --------
    >>> rows = sp.csr_matrix([[9.0, 2.0, 2.0, 5.0]])
    >>> [part.tolist() for part in strongest(rows, np.array([0]), 2)]
    [[0, 0], [3, 1], [5.0, 2.0]]
    """
    entries = rows.tocoo()
    kept = entries.col != own[entries.row]
    row, column, value = entries.row[kept], entries.col[kept], entries.data[kept]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    begins = np.searchsorted(row, np.arange(rows.shape[0]))
    first = np.arange(len(row)) - begins[row] < n
    return row[first], column[first], value[first]
