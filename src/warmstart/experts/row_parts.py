"""Tables that keep the rows of some items alone: the rows of all others follow from what the items are."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def places(items: np.ndarray, n: int) -> np.ndarray:
    """Where each of n items stands among ``items``: int32, shape (n,), -1 = not among them.

    Examples
    --------
    >>> places(np.array([1, 3]), 4).tolist()
    [-1, 0, -1, 1]
    """
    place = np.full(n, -1, np.int32)
    place[items] = np.arange(len(items), dtype=np.int32)
    return place


def parted(sets: sp.csr_matrix, items: np.ndarray, place: np.ndarray) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Sets of items as those among ``items`` (in their places), and the others (by their codes).

    Parameters
    ----------
    sets
        CSR, shape (n_sets, n_items).
    items
        int, shape (a,).
    place
        Of ``places``; items beyond its end are not among them.

    Examples
    --------
    >>> sets = sp.csr_matrix([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> [part.toarray().tolist() for part in parted(sets, np.array([1]), places(np.array([1]), 2))]
    [[[1.0], [0.0]], [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    at = np.where(sets.indices < len(place), place[np.minimum(sets.indices, len(place) - 1)], -1)
    inside = at >= 0
    if inside.all():
        return sp.csr_matrix((sets.data, at, sets.indptr), shape=(sets.shape[0], len(items))), _none_of(sets)
    ends = np.concatenate([[0], np.cumsum(inside)])[sets.indptr]
    mine = sp.csr_matrix((sets.data[inside], at[inside], ends), shape=(sets.shape[0], len(items)))
    rest = (sets.data[~inside], sets.indices[~inside], sets.indptr - ends)
    return mine, sp.csr_matrix(rest, shape=sets.shape)


def _none_of(sets: sp.csr_matrix) -> sp.csr_matrix:
    return sp.csr_matrix(sets.shape, dtype=sets.dtype)
