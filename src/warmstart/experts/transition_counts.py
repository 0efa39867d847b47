"""How often what is taken soon after what, so many items at a time that the pairs fit in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from warmstart.data.interactions import Interactions

PAIRS = 20_000_000  # pairs of events counted at once, about


def counted(x: Interactions, lags: int, decay: float, pairs: int = PAIRS) -> Iterator[sp.csr_matrix]:
    """``T_ij = sum over lags l of decay^(l-1) #(j comes l events after i)``, ``i != j``, in blocks of rows.

    From the first item on, of about so many pairs each: CSR float32, shape (rows, n_items).

    Examples
    --------
    >>> x = Interactions.of(np.zeros(3), np.array([0, 1, 2]), n_users=1, n_items=3)
    >>> [block.toarray().tolist() for block in counted(x, lags=1, decay=0.5, pairs=1)]
    [[[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]]
    """
    places = np.argsort(x.item, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(x.item, minlength=x.n_items))])
    first = 0
    while first < x.n_items:
        last = int(np.searchsorted(starts, starts[first] + max(pairs // lags, 1), side="right")) - 1
        last = min(max(last, first + 1), x.n_items)
        yield _block(x, places[starts[first] : starts[last]], (first, last), lags, decay)
        first = last


def followed(x: Interactions, lags: int, decay: float) -> np.ndarray:
    """Column sums of all that is ``counted``, without counting pairs: float64, shape (n_items,).

    Examples
    --------
    >>> x = Interactions.of(np.zeros(3), np.array([0, 1, 2]), n_users=1, n_items=3)
    >>> followed(x, lags=2, decay=0.5).tolist()
    [0.0, 1.0, 1.5]
    """
    total = np.zeros(x.n_items)
    for lag in range(1, min(lags, len(x) - 1) + 1):
        same = (x.user[lag:] == x.user[:-lag]) & (x.item[lag:] != x.item[:-lag])
        total += decay ** (lag - 1) * np.bincount(x.item[lag:][same], minlength=x.n_items)
    return total


def _block(x: Interactions, places: np.ndarray, rows: tuple[int, int], lags: int, decay: float) -> sp.csr_matrix:
    """Counts after the events at these places, whose items are ``rows``."""
    shape = rows[1] - rows[0], x.n_items
    total = sp.csr_matrix(shape, dtype=np.float32)
    for lag in range(1, lags + 1):
        at = places[places + lag < len(x)]
        at = at[(x.user[at + lag] == x.user[at]) & (x.item[at + lag] != x.item[at])]
        weight = np.full(len(at), decay ** (lag - 1), np.float32)
        total = total + sp.csr_matrix((weight, (x.item[at] - rows[0], x.item[at + lag])), shape=shape)
    return sp.csr_matrix(total)
