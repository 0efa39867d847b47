"""What lists are like beyond being right: how much of the catalogue they show, how evenly, how known, how fitting.

Lists are int32 item codes, shape (n_queries, k), best first, -1 = no item.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from warmstart.evaluate.metrics import find_hits, recall

DEEP = 50  # places among which recall of the long tail is told, beside the first k


def of_lists(ranked: np.ndarray, counts: np.ndarray, candidates: np.ndarray | None = None) -> dict[str, float]:
    """``coverage``, ``gini`` and mean ``novelty`` of lists; NaN where not defined.

    Parameters
    ----------
    ranked
        int32 item codes, shape (n_queries, k).
    counts
        Training events an item, shape (n_items,).
    candidates
        The items that could be listed; None = all.

    Examples
    --------
    >>> of_lists(np.array([[0, 1], [0, 1]]), np.array([3, 1, 0, 0]))
    {'coverage': 0.5, 'gini': 0.5, 'novelty': 1.5}
    """
    exposed = exposure(ranked, len(counts))
    exposed = exposed if candidates is None else exposed[candidates]
    return {"coverage": coverage(exposed), "gini": gini(exposed), "novelty": mean_known(novelty(ranked, counts))}


def mean_known(values: np.ndarray) -> float:
    """Mean of the values that are not NaN; NaN without any.

    Examples
    --------
    >>> mean_known(np.array([1.0, np.nan, 3.0]))
    2.0
    """
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def exposure(ranked: np.ndarray, n_items: int) -> np.ndarray:
    """How many lists hold each item: int64, shape (n_items,).

    Examples
    --------
    >>> exposure(np.array([[0, 2], [0, -1]]), 3).tolist()
    [2, 0, 1]
    """
    return np.bincount(ranked[ranked >= 0], minlength=n_items).astype(np.int64)


def coverage(exposed: np.ndarray) -> float:
    """Share of the items that occur in any list, in [0, 1].

    Examples
    --------
    >>> coverage(np.array([2, 0, 1, 0]))
    0.5
    """
    return float((exposed > 0).mean())


def gini(exposed: np.ndarray) -> float:
    """Gini index of exposure: 0 = every item is shown as often, towards 1 = a few get it all.

    ``sum_j (2 j - n - 1) e_j / (n sum_j e_j)`` with exposures ascending; NaN without any list.

    Examples
    --------
    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    n, total = len(exposed), exposed.sum()
    if not total:
        return float("nan")
    return float((2 * np.arange(1, n + 1) - n - 1) @ np.sort(exposed) / (n * total))


def novelty(ranked: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean self-information of the listed items, in bits: ``-log2((n_j + 1) / (sum n + n_items))``.

    After Zhou et al., "Solving the apparent diversity-accuracy dilemma" (PNAS 2010), with add-one smoothing, so
    that items nobody has met are finitely surprising.

    Parameters
    ----------
    ranked
        Lists.
    counts
        Training events an item, shape (n_items,).

    Returns
    -------
    float64, shape (n_queries,), NaN for an empty list.

    Examples
    --------
    >>> novelty(np.array([[0, 1]]), np.array([3, 1, 0, 0])).tolist()
    [1.5]
    """
    bits = -np.log2((counts + 1.0) / (counts.sum() + len(counts)))
    return _mean_over_lists(ranked, bits)


def popularity_percentile(ranked: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean share of the catalogue that is less popular than a listed item (ties count half), in [0, 1].

    Examples
    --------
    >>> popularity_percentile(np.array([[0], [3]]), np.array([9, 1, 5, 0])).tolist()
    [0.875, 0.125]
    """
    order = np.sort(counts)
    below, upto = np.searchsorted(order, counts, "left"), np.searchsorted(order, counts, "right")
    return _mean_over_lists(ranked, (below + upto) / 2 / len(counts))


def tail_recall(ranked: np.ndarray, targets: sp.csr_matrix, tail: np.ndarray) -> np.ndarray:
    """Recall of the relevant items outside the head: float64, shape (n_queries,), NaN where there is none.

    Parameters
    ----------
    ranked, targets
        Lists and a CSR of what is relevant, shape (n_queries, n_items).
    tail
        bool, shape (n_items,): the items that count.

    Examples
    --------
    >>> tail_recall(np.array([[0, 1]]), sp.csr_matrix([[1, 1, 1]]), np.array([False, True, True])).tolist()
    [0.5]
    """
    wanted = sp.csr_matrix(targets.multiply(tail))
    wanted.eliminate_zeros()
    return recall(find_hits(ranked, wanted), wanted.getnnz(axis=1))


def miscalibration(
    ranked: np.ndarray, histories: sp.csr_matrix, categories: sp.csr_matrix, alpha: float = 0.01
) -> np.ndarray:
    """Divergence of a list's categories from the history's, in nats; 0 = the same mixture.

    ``KL(p || (1 - alpha) q + alpha p)`` with ``p`` the history's and ``q`` the list's distribution over
    categories, an item's unit shared among its categories (Steck, "Calibrated recommendations", RecSys 2018, eq. 6).

    Parameters
    ----------
    ranked
        Lists.
    histories
        CSR, shape (n_queries, n_items).
    categories
        CSR, shape (n_items, n_categories), as ``warmstart.evaluate.categories`` makes it.
    alpha
        Smoothing, in (0, 1).

    Returns
    -------
    float64 >= 0, shape (n_queries,), NaN where history or list has no category.

    Examples
    --------
    >>> genre = sp.csr_matrix(np.eye(2))
    >>> miscalibration(np.array([[0], [1]]), sp.csr_matrix([[1, 0], [1, 0]]), genre).round(3).tolist()
    [0.0, 4.605]
    """
    shares = categories.multiply(1 / np.maximum(categories.sum(axis=1), 1e-12)).tocsr()
    p, asked = _normalised(histories @ shares)
    q, answered = _normalised(_as_matrix(ranked, categories.shape[0]) @ shares)
    p = p.tocoo()  # only categories of the history contribute
    mixed = (1 - alpha) * np.asarray(q[p.row, p.col]).ravel() + alpha * p.data
    divergence = np.bincount(p.row, p.data * np.log(p.data / mixed), minlength=len(ranked))
    return np.where(asked & answered, np.maximum(divergence, 0.0), np.nan)


def _mean_over_lists(ranked: np.ndarray, values: np.ndarray) -> np.ndarray:
    listed = ranked >= 0
    total = np.where(listed, values[ranked], 0.0).sum(axis=1)
    n = listed.sum(axis=1)
    mean: np.ndarray = total / np.where(n > 0, n, np.nan)
    return mean


def _as_matrix(ranked: np.ndarray, n_items: int) -> sp.csr_matrix:
    row, column = np.nonzero(ranked >= 0)
    return sp.csr_matrix((np.ones(len(row)), (row, ranked[row, column])), shape=(len(ranked), n_items))


def _normalised(x: sp.csr_matrix) -> tuple[sp.csr_matrix, np.ndarray]:
    """Rows as distributions, and which rows have anything to distribute (bool)."""
    rows = sp.csr_matrix(x, dtype=np.float64)
    rows.eliminate_zeros()
    total = np.asarray(rows.sum(axis=1)).ravel()
    return sp.csr_matrix(sp.diags(1 / np.where(total > 0, total, 1.0)) @ rows), total > 0
