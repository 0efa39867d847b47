"""Figures by which learning is judged."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def ndcg(scores: np.ndarray, relevant: sp.csr_matrix, k: int = 10) -> float:
    """Mean NDCG@k over rows; every relevant item has gain 1 and discount ``1 / log2(rank + 1)``.

    Parameters
    ----------
    scores
        float, shape (n, n_items).
    relevant
        CSR, shape (n, n_items); rows without entries are left out.

    Returns
    -------
    In [0, 1]; NaN if no row has a relevant item. Ties are broken by position.

    Examples
    --------
    >>> ndcg(np.array([[0.1, 0.9]]), sp.csr_matrix([[0, 1]]))
    1.0
    """
    values = ndcg_rows(scores, relevant, k)
    known = ~np.isnan(values)
    return float(values[known].mean()) if known.any() else float("nan")


def ndcg_rows(scores: np.ndarray, relevant: sp.csr_matrix, k: int = 10) -> np.ndarray:
    """NDCG@k of every row, as ``ndcg`` counts it: float64, shape (n,); NaN for rows without a relevant item.

    Examples
    --------
    >>> ndcg_rows(np.array([[0.9, 0.1], [0.9, 0.1]]), sp.csr_matrix([[1, 0], [0, 0]])).tolist()
    [1.0, nan]
    """
    n = relevant.getnnz(axis=1)
    out, rows = np.full(len(n), np.nan), np.flatnonzero(n)
    k = min(k, scores.shape[1])
    top = np.argsort(-scores[rows], axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis((relevant[rows] > 0).toarray(), top, axis=1)
    discount = 1 / np.log2(np.arange(k) + 2)
    best = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(n[rows], k)]
    out[rows] = (hits * discount).sum(1) / best
    return out
