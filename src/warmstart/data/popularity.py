"""Which items are widely known: groups by their share of the events, and the long tail."""

from __future__ import annotations

import numpy as np

GROUPS = ("head", "mid", "tail", "never seen")
NEVER = len(GROUPS) - 1
HEAD_SHARE = 0.2


def popularity_groups(counts: np.ndarray) -> np.ndarray:
    """Group of each item: 0 head, 1 mid, 2 tail (they share the events 50 : 30 : 20), 3 never seen.

    Parameters
    ----------
    counts
        Training events an item, shape (n_items,).

    Returns
    -------
    int8, shape (n_items,), positions in ``GROUPS``.

    Examples
    --------
    >>> popularity_groups(np.array([1, 6, 0, 3])).tolist()
    [2, 0, 3, 1]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    total = max(int(counts.sum()), 1)
    groups = np.empty(len(counts), np.int8)
    groups[order] = np.where(before < 0.5 * total, 0, np.where(before < 0.8 * total, 1, 2))
    groups[counts == 0] = NEVER
    return groups


def long_tail(counts: np.ndarray) -> np.ndarray:
    """Items outside the fifth of the catalogue with the most events: bool, shape (n_items,).

    Of items with as many events the first is the better known.

    Examples
    --------
    >>> long_tail(np.array([1, 6, 0, 3, 3])).tolist()
    [True, False, True, True, True]
    """
    tail = np.ones(len(counts), bool)
    tail[np.argsort(-counts, kind="stable")[: round(HEAD_SHARE * len(counts))]] = False
    return tail
