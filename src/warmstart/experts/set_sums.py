"""Sums of rows over sets of items: of one set, as a single request brings it, by its own rows alone."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

EVENTS = 6  # items of a set up to which rows of a sparse table are added one by one
CELLS = 200_000  # of a dense table that are copied for one set at most


def sums(sets: sp.csr_matrix, table: np.ndarray | sp.csr_matrix) -> np.ndarray:
    """``sets @ table``, dense: float, shape (n_sets, d).

    Parameters
    ----------
    sets
        CSR, shape (n_sets, n): how much each item counts.
    table
        Shape (n, d), dense or CSR (each entry of a row once).

    Examples
    --------
    >>> table = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> sets = sp.csr_matrix([[1.0, 0.5]])
    >>> sums(sets, table).tolist(), sums(sets, sp.csr_matrix(table)).tolist()
    ([[2.5, 4.0]], [[2.5, 4.0]])
    """
    wide = isinstance(table, np.ndarray) and sets.nnz > CELLS // max(table.shape[1], 1)
    if sets.shape[0] != 1 or wide:
        found = sets @ table
        return found.toarray() if sp.issparse(found) else np.asarray(found)
    if isinstance(table, np.ndarray):
        return np.asarray(sets.data @ table[sets.indices])[None]
    if sets.nnz > EVENTS:
        return np.asarray(table[sets.indices].T @ sets.data)[None]
    out = np.zeros((1, table.shape[1]), np.result_type(sets.dtype, table.dtype))
    begins, ends = table.indptr[sets.indices].tolist(), table.indptr[sets.indices + 1].tolist()
    for weight, begin, end in zip(sets.data, begins, ends, strict=True):
        out[0, table.indices[begin:end]] += weight * table.data[begin:end]
    return out
