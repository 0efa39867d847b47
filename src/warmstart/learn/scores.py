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


def graded_ndcg(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean NDCG of whole lists: gain ``2^label - 1``, discount ``1 / log2(rank + 1)``.

    Parameters
    ----------
    scores, labels
        float, shape (n, m); a label is NaN where the list is shorter.

    Returns
    -------
    In [0, 1]; ties share their places; lists without any gain are left out; NaN if none is left.

    Examples
    --------
    >>> round(graded_ndcg(np.array([[0.2, 0.9, 5.0]]), np.array([[1.0, 0.0, np.nan]])), 4)
    0.6309
    """
    from sklearn import metrics  # a second of import, needed here only

    gain = np.where(np.isnan(labels), 0.0, 2.0 ** np.nan_to_num(labels) - 1)
    rows = gain.sum(1) > 0
    if not rows.any():
        return float("nan")
    lowest = scores.min() - 1  # a place that is no item comes last
    return float(metrics.ndcg_score(gain[rows], np.where(np.isnan(labels), lowest, scores)[rows]))


def binary_figures(probability: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy, precision, recall and F1 at 0.5, and the area under the ROC curve; in [0, 1], all (n,).

    Where nothing was said to be of interest, precision is 0; AUC is NaN if the labels are all alike.

    Examples
    --------
    >>> binary_figures(np.array([0.9, 0.6, 0.2, 0.1]), np.array([1, 0, 1, 0]))
    {'accuracy': 0.5, 'precision': 0.5, 'recall': 0.5, 'f1': 0.5, 'auc': 0.75}
    """
    from sklearn import metrics  # a second of import, needed here only

    said, both = probability >= 0.5, len(np.unique(labels)) > 1
    return {
        "accuracy": float(metrics.accuracy_score(labels, said)),
        "precision": float(metrics.precision_score(labels, said, zero_division=0)),
        "recall": float(metrics.recall_score(labels, said, zero_division=0)),
        "f1": float(metrics.f1_score(labels, said, zero_division=0)),
        "auc": float(metrics.roc_auc_score(labels, probability)) if both else float("nan"),
    }


def class_figures(probability: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy, and F1 averaged over the classes that occur or are said; ``probability`` is (n, n_classes).

    Examples
    --------
    >>> class_figures(np.eye(3)[[0, 1, 1]], np.array([0, 1, 2]))
    {'accuracy': 0.6666666666666666, 'macro_f1': 0.5555555555555555}
    """
    from sklearn import metrics  # a second of import, needed here only

    said = probability.argmax(1)
    return {
        "accuracy": float(metrics.accuracy_score(labels, said)),
        "macro_f1": float(metrics.f1_score(labels, said, average="macro", zero_division=0)),
    }


def rating_figures(predicted: np.ndarray, ratings: np.ndarray) -> dict[str, float]:
    """Root mean squared error and mean absolute error, in units of the rating; all (n,).

    Examples
    --------
    >>> rating_figures(np.array([3.0, 5.0]), np.array([4.0, 5.0]))
    {'rmse': 0.7071067811865476, 'mae': 0.5}
    """
    from sklearn import metrics  # a second of import, needed here only

    return {
        "rmse": float(metrics.root_mean_squared_error(ratings, predicted)),
        "mae": float(metrics.mean_absolute_error(ratings, predicted)),
    }
