"""How candidates lie to the history of a query: by what they are about, and by who took both."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from warmstart.data.histories import Histories
from warmstart.fusion.support import Support

RECENT = 20  # history items a candidate is held against
SCANTY = 32  # numbers of a table for each that is looked for in it, beyond which none is made


def pair_support(support: Support, h: Histories, query: np.ndarray, item: np.ndarray) -> list[np.ndarray]:
    """How the candidate lies to the history: by content (nearest, mean) and by people (nearest, links)."""
    n = h.lengths
    popularity = np.full(len(h), np.nan)
    filled = n > 0
    sums = np.add.reduceat(np.append(support.item[h.item, 0], 0.0), h.indptr[:-1])
    popularity[filled] = sums[filled] / n[filled]
    nearest, mean = (np.full(len(query), np.nan, np.float32) for _ in range(2))
    bounds = np.searchsorted(query, np.arange(len(h) + 1)).tolist()
    for q in np.flatnonzero(filled).tolist():
        at = slice(bounds[q], bounds[q + 1])
        sims = support.directions.cosines(item[at], h.row(q)[-RECENT:])
        nearest[at], mean[at] = sims.max(1, initial=-1), sims.mean(1)
    people, links = neighbours(support.people, h.newest(RECENT), query, item)
    return [np.log1p(n)[query], popularity[query], nearest, mean, people, links]


def neighbours(
    people: sp.csr_matrix, h: Histories, query: np.ndarray, item: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Largest entry of a history's rows at each candidate, and in how many rows it has one; NaN without history.

    Parameters
    ----------
    people
        CSR float32 above 0, shape (n_items, n_items).
    """
    begin = people.indptr[h.item].astype(np.int64)
    length = people.indptr[h.item + 1] - begin
    ends = np.cumsum(length)
    entry = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + length, length)
    row = np.repeat(np.repeat(np.arange(len(h)), h.lengths), length)
    at = found_among(query * h.n_items + item, row * h.n_items + people.indices[entry], len(h) * h.n_items)
    hit = at >= 0
    strongest = np.where((h.lengths > 0)[query], np.float32(0.0), np.float32(np.nan))
    links = strongest + np.bincount(at[hit], minlength=len(query))
    np.maximum.at(strongest, at[hit], people.data[entry[hit]])
    return strongest, links.astype(np.float32)


def found_among(some: np.ndarray, wanted: np.ndarray, n: int) -> np.ndarray:
    """Where each wanted number stands among some: int, shape of wanted, -1 = nowhere.

    By a table of all numbers, or by halving where it would be far larger than what is asked.

    Parameters
    ----------
    some
        int64, shape (m,): different numbers below n.
    wanted
        int64: numbers below n.

    Examples
    --------
    >>> [found_among(np.array([5, 2]), np.array([2, 3, 5]), n).tolist() for n in (6, 1_000_000)]
    [[1, -1, 0], [1, -1, 0]]
    """
    if not len(some):
        return np.full(len(wanted), -1)
    if n <= SCANTY * (len(wanted) + len(some)):
        place = np.full(n, -1, np.int32)
        place[some] = np.arange(len(some))
        found: np.ndarray = place[wanted]
        return found
    order = np.argsort(some, kind="stable")
    at = np.minimum(np.searchsorted(some[order], wanted), len(some) - 1)
    return np.where(some[order][at] == wanted, order[at], -1)
