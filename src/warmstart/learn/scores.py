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
    n = relevant.getnnz(axis=1)
    rows = np.flatnonzero(n)
    if not len(rows):
        return float("nan")
    k = min(k, scores.shape[1])
    top = np.argsort(-scores[rows], axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis((relevant[rows] > 0).toarray(), top, axis=1)
    discount = 1 / np.log2(np.arange(k) + 2)
    best = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(n[rows], k)]
    return float(((hits * discount).sum(1) / best).mean())
