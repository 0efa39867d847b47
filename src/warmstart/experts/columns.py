"""What is kept of an item-item matrix: solved columns, whole or the largest entries of each; the same of rows."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

DENSE_TABLE = 8000  # items of a catalogue up to which dense blocks are kept as one dense table


def prune(columns: np.ndarray, mine: np.ndarray, keep: int) -> sp.csc_matrix:
    """The ``keep`` largest entries (by size) of each column, the diagonal (row ``mine``) always among them.

    Examples
    --------
    >>> prune(np.array([[0.1, 0.0], [9.0, 2.0], [-5.0, 3.0]]), np.array([0, 1]), keep=2).toarray().tolist()
    [[0.1, 0.0], [9.0, 2.0], [0.0, 3.0]]
    """
    n, m = columns.shape
    keep = min(keep, n)
    rows = np.empty((m, keep), np.int32)
    for s in range(0, m, 512):
        block = np.abs(columns[:, s : s + 512].T)
        block[np.arange(len(block)), mine[s : s + 512]] = np.inf
        rows[s : s + 512] = np.sort(np.argpartition(-block, keep - 1, axis=1)[:, :keep], axis=1)
    values = columns[rows.ravel(), np.repeat(np.arange(m), keep)]
    return sp.csc_matrix((values, rows.ravel(), np.arange(0, m * keep + 1, keep)), shape=(n, m))


def assemble(
    blocks: list[tuple[np.ndarray, np.ndarray | sp.csc_matrix]], active: np.ndarray, n: int
) -> np.ndarray | sp.csr_matrix:
    """Put solved columns (over active rows) into one n x n array: dense where blocks are and n is small, or sparse.

    Examples
    --------
    >>> assemble([(np.array([1]), np.array([[2.0], [3.0]]))], active=np.array([1, 2]), n=3).tolist()
    [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 3.0, 0.0]]
    """
    if blocks and not sp.issparse(blocks[0][1]) and n <= DENSE_TABLE:
        out = np.zeros((n, n), np.float32)
        for columns, values in blocks:
            out[np.ix_(active, columns)] = values
        return out
    rows, cols, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for columns, block in blocks:
        coo = sp.coo_matrix(block)
        rows.append(active[coo.row])
        cols.append(columns[coo.col])
        values.append(coo.data)
    triple = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
    return sp.csr_matrix(triple, shape=(n, n), dtype=np.float32)


def strongest(rows: sp.csr_matrix, keep: int, strength: np.ndarray | None = None) -> sp.csr_matrix:
    """The ``keep`` largest entries of each row, in the order they had; itself where no row has more.

    Parameters
    ----------
    strength
        float, shape (nnz,): how large each entry is taken for; None = its value.

    Examples
    --------
    >>> strongest(sp.csr_matrix([[3.0, 1.0, 2.0], [0.0, 9.0, 0.0]]), 2).toarray().tolist()
    [[3.0, 0.0, 2.0], [0.0, 9.0, 0.0]]
    """
    many = np.flatnonzero(np.diff(rows.indptr) > keep)
    if not len(many):
        return rows
    kept, strength = np.ones(rows.nnz, bool), rows.data if strength is None else strength
    for begin, end in zip(rows.indptr[many].tolist(), rows.indptr[many + 1].tolist(), strict=True):
        kept[begin + np.argpartition(-strength[begin:end], keep)[keep:]] = False
    ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return sp.csr_matrix((rows.data[kept], rows.indices[kept], ends), shape=rows.shape)
