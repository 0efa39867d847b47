"""Ranking measures, vectorised over queries: everything follows from which places of a list are hits.

Notation: ``h_r`` is 1 if place r (1 = best) holds a relevant item, ``R`` the number of relevant items of the
query. All measures lie in [0, 1] and are NaN where nothing is relevant (R = 0), so that means leave such queries out.
Definitions follow Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (TOIS 2002) for NDCG
and trec_eval for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import scipy.sparse as sp

from warmstart.errors import DataError


def find_hits(ranked: np.ndarray, targets: sp.csr_matrix) -> np.ndarray:
    """Which places hold a relevant item.

    Parameters
    ----------
    ranked
        int32 item codes, shape (n_queries, length), best first, -1 = no item.
    targets
        CSR, shape (n_queries, n_items): the relevant items are the non-zeros.

    Returns
    -------
    bool, shape (n_queries, length).

    Examples
    --------
    >>> find_hits(np.array([[2, 0, -1]]), sp.csr_matrix([[1, 1, 0]])).tolist()
    [[False, True, False]]
    """
    if ranked.shape[0] != targets.shape[0]:
        raise DataError(f"{ranked.shape[0]} lists for {targets.shape[0]} rows of targets; give one list a query")
    relevant, n_items = targets.tocoo(), targets.shape[1]
    wanted = relevant.row.astype(np.int64) * n_items + relevant.col
    listed = np.arange(len(ranked), dtype=np.int64)[:, None] * n_items + ranked
    return np.isin(listed, wanted) & (ranked >= 0)


def ndcg(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Normalised discounted cumulative gain: ``sum_r h_r / log2(r + 1)`` over that of the best possible list.

    Parameters
    ----------
    hits
        bool, shape (n_queries, k).
    relevant
        int, shape (n_queries,): how many items are relevant.

    Returns
    -------
    float64, shape (n_queries,), in [0, 1], NaN where nothing is relevant.

    Examples
    --------
    >>> ndcg(np.array([[False, True]]), np.array([1])).round(4).tolist()
    [0.6309]
    """
    k = hits.shape[1]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[np.nan], np.cumsum(discount)])
    gain: np.ndarray = (hits @ discount) / ideal[np.minimum(relevant, k)]
    return gain


def recall(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of the relevant items that are listed: ``sum_r h_r / R``.

    Examples
    --------
    >>> recall(np.array([[False, True]]), np.array([4])).tolist()
    [0.25]
    """
    share: np.ndarray = hits.sum(axis=1) / _positive(relevant)
    return share


def hit(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Whether any relevant item is listed: ``max_r h_r``.

    Examples
    --------
    >>> hit(np.array([[False, True], [False, False]]), np.array([4, 1])).tolist()
    [1.0, 0.0]
    """
    return np.where(relevant > 0, hits.any(axis=1), np.nan)


def mrr(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Reciprocal rank of the first hit, 0 if there is none.

    Examples
    --------
    >>> mrr(np.array([[False, True], [False, False]]), np.array([4, 1])).tolist()
    [0.5, 0.0]
    """
    first = np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1), 0.0)
    return np.where(relevant > 0, first, np.nan)


def precision(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of the k places that are hits: ``sum_r h_r / k``; an unfilled place is a miss.

    Examples
    --------
    >>> precision(np.array([[False, True]]), np.array([4])).tolist()
    [0.5]
    """
    return np.where(relevant > 0, hits.mean(axis=1), np.nan)


def f1(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall: ``2 sum_r h_r / (k + R)``.

    Examples
    --------
    >>> f1(np.array([[False, True]]), np.array([2])).tolist()
    [0.5]
    """
    mean: np.ndarray = 2 * hits.sum(axis=1) / (hits.shape[1] + _positive(relevant))
    return mean


def average_precision(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Mean over the relevant items of the precision at their place, 0 if unlisted: ``sum_r h_r P_r / R``.

    Examples
    --------
    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(4).tolist()
    [0.8333]
    """
    so_far = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    mean: np.ndarray = (so_far * hits).sum(axis=1) / _positive(relevant)
    return mean


MEASURES: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = MappingProxyType(
    {"ndcg": ndcg, "recall": recall, "hit": hit, "mrr": mrr, "precision": precision, "f1": f1, "map": average_precision}
)


def ranking(ranked: np.ndarray, targets: sp.csr_matrix, k: int = 10) -> dict[str, np.ndarray]:
    """All measures of the first ``k`` places.

    Parameters
    ----------
    ranked
        int32 item codes, shape (n_queries, any length), best first, distinct within a row, -1 = no item.
    targets
        CSR, shape (n_queries, n_items).
    k
        Places that count.

    Returns
    -------
    dict
        By name of the measure, float64, shape (n_queries,), in [0, 1], NaN where nothing is relevant.

    Examples
    --------
    >>> values = ranking(np.array([[2, 0]]), sp.csr_matrix([[1, 1, 0]]), k=2)
    >>> {name: round(float(v[0]), 3) for name, v in values.items()}
    {'ndcg': 0.387, 'recall': 0.5, 'hit': 1.0, 'mrr': 0.5, 'precision': 0.5, 'f1': 0.5, 'map': 0.25}
    """
    hits = np.zeros((len(ranked), k), bool)
    hits[:, : ranked.shape[1]] = find_hits(ranked[:, :k], targets)
    relevant = targets.getnnz(axis=1)
    return {name: measure(hits, relevant) for name, measure in MEASURES.items()}


def _positive(relevant: np.ndarray) -> np.ndarray:
    """Counts as float64, NaN for 0."""
    return np.where(relevant > 0, relevant, np.nan)
