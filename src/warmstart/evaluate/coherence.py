"""Whether what a concept holds belongs together: normalised pointwise mutual information."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp


def npmi(held: sp.csr_matrix) -> np.ndarray:
    """Normalised pointwise mutual information of every two terms, by the items that hold them.

    ``log(p_ab / (p_a p_b)) / -log p_ab`` (Bouma, GSCL 2009): 1 where two terms are only met together, 0 where they are
    independent, -1 where they are never met together (or one is not met at all).

    Parameters
    ----------
    held
        CSR of ones, shape (n_items, n_terms).

    Returns
    -------
    float64, shape (n_terms, n_terms), in [-1, 1].

    Examples
    --------
    >>> npmi(sp.csr_matrix([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])).round(2).tolist()
    [[1.0, 1.0, -1.0], [1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]
    """
    n = max(held.shape[0], 1)
    both = np.asarray((held.T @ held).todense(), np.float64) / n
    alone = both.diagonal()
    expected = np.maximum(alone[:, None] * alone, 1e-300)
    found = np.where(both > 0, both, 0.5)  # 0.5: any number whose logarithm is defined; replaced below
    ratio = np.log(found / expected) / np.maximum(-np.log(found), 1e-12)
    return np.where(both >= 1, 1.0, np.where(both > 0, np.clip(ratio, -1.0, 1.0), -1.0))


def word_coherence(held: sp.csr_matrix, terms: Sequence[Sequence[int]]) -> np.ndarray:
    """Mean NPMI over all pairs of a concept's words, by the texts that hold them; NaN of fewer than two words.

    Parameters
    ----------
    held
        CSR of ones, shape (n_items, n_words).
    terms
        Columns of each concept's words, e.g. the ten that name it best.

    Returns
    -------
    float64, shape (n_concepts,), in [-1, 1].
    """
    return np.array([_upper_mean(npmi(held[:, list(row)])) for row in terms])


def label_coherence(labels: sp.csr_matrix, items: Sequence[np.ndarray]) -> np.ndarray:
    """How related the labels of a concept's typical items are: mean NPMI of a label of one and a label of another.

    The mean is over pairs of items, then over their labels; a label which both have counts 1. Items without labels are
    left out; NaN where fewer than two are left.

    Parameters
    ----------
    labels
        CSR of ones, shape (n_items, n_labels).
    items
        Typical items of each concept, e.g. ten.

    Returns
    -------
    float64, shape (n_concepts,), in [-1, 1].
    """
    number, out = np.diff(labels.indptr), np.full(len(items), np.nan)
    for concept, row in enumerate(items):
        mine = np.asarray(row, np.int64)
        mine = mine[number[mine] > 0]
        if len(mine) < 2:
            continue
        at = np.unique(labels[mine].indices)
        share = np.asarray(labels[mine][:, at].todense()) / number[mine][:, None]
        out[concept] = _upper_mean(share @ npmi(labels[:, at]) @ share.T)
    return out


def _upper_mean(square: np.ndarray) -> float:
    """Mean of what stands above the diagonal; NaN of nothing."""
    above = square[np.triu_indices(len(square), 1)]
    return float(above.mean()) if len(above) else float("nan")
