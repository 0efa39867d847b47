"""Choosing strengths from the labels at hand: a shown event of each user is hidden and must be found again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

FOLDS = 4

Family = Callable[[sp.csr_matrix], Callable[[int], np.ndarray]]  # labels -> (number of a setting -> scores)


def chosen(shown: sp.csr_matrix, family: Family, n: int, first: int, seed: int = 0) -> np.ndarray:
    """Scores of the setting that finds hidden labels best, fitted on all labels: shape (n_users, n_items).

    Parameters
    ----------
    shown
        CSR of ones, shape (n_users, n_items).
    family
        Prepares for some labels, then gives the scores of each setting.
    n
        Settings there are.
    first
        The setting that is taken where nobody has two labels.
    seed
        Decides what is hidden, in each of four rounds.

    Examples
    --------
    >>> x = sp.csr_matrix([[1, 1, 0, 0], [1, 1, 0, 0]])
    >>> two = lambda shown: lambda number: [np.eye(2, 4), np.ones((2, 4)) * [2, 2, 1, 0]][number]
    >>> chosen(x, two, 2, first=0)[0].tolist()
    [2.0, 2.0, 1.0, 0.0]
    """
    worth = np.zeros(n)
    for fold in range(FOLDS):
        kept, hidden = hide_one(shown, seed * FOLDS + fold)
        if not len(hidden):
            return family(shown)(first)
        scores = family(kept)
        worth += [discounted_rank(scores(number), kept, hidden) for number in range(n)]
    return family(shown)(int(np.argmax(worth)))


def hide_one(shown: sp.csr_matrix, seed: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Labels without a random one of half of the users who have two or more, and those that went.

    The other half stays whole, so that what is learned of items is nearly what all labels say.

    Returns
    -------
    CSR of ones, shape (n_users, n_items), and int64, shape (n, 2): user and item.

    Examples
    --------
    >>> kept, hidden = hide_one(sp.csr_matrix(np.eye(8) + 1), seed=0)
    >>> kept.nnz + len(hidden), len(hidden)
    (64, 4)
    >>> hide_one(sp.csr_matrix(np.eye(3)), seed=0)[1].shape
    (0, 2)
    """
    rng = np.random.default_rng([seed, 43])
    kept = sp.csr_matrix(shown, copy=True)
    length = np.diff(kept.indptr)
    able = rng.permutation(np.flatnonzero(length >= 2))
    rows = able[: (len(able) + 1) // 2]
    at = kept.indptr[rows] + rng.integers(0, length[rows]) if len(rows) else rows
    hidden = np.stack([rows, kept.indices[at]], axis=1).astype(np.int64)
    kept.data[at] = 0
    kept.eliminate_zeros()
    return kept, hidden


def discounted_rank(scores: np.ndarray, kept: sp.csr_matrix, hidden: np.ndarray) -> float:
    """Mean ``1 / log2(rank + 1)`` of the hidden labels among all items that are not shown; ties count half.

    Examples
    --------
    >>> discounted_rank(np.array([[9.0, 3.0, 2.0, 1.0]]), sp.csr_matrix([[1, 0, 0, 0]]), np.array([[0, 1]]))
    1.0
    """
    row, item = hidden.T
    ranked = np.array(scores[row], np.float64)
    own = ranked[np.arange(len(row)), item][:, None]
    ranked[kept[row].nonzero()] = -np.inf
    rank = 1 + (ranked > own).sum(axis=1) + 0.5 * ((ranked == own).sum(axis=1) - 1)
    return float((1 / np.log2(rank + 1)).mean())
