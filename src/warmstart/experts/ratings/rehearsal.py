"""A rehearsal for predicting ratings: some are hidden, some items wholly, and some people are met with a few alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions

SHOWN = (0, 1, 2, 4, 8, 16, 32)  # ratings that are known of somebody new
ASKED = 40  # ratings of such a person that are asked for, at most


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """What is learned from, and what is asked.

    Parameters
    ----------
    train
        The data without hidden ratings and without new people.
    histories
        What is known of somebody when ratings are asked for; a person may be met more than once.
    person
        Whose history it is: user codes, int64, shape (n_histories,).
    query, item
        Row of ``histories`` and item code of each pair: int64, shape (n_pairs,).
    value
        The hidden ratings: float64, shape (n_pairs,).
    """

    train: Dataset
    histories: Histories
    person: np.ndarray
    query: np.ndarray
    item: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, data: Dataset, share: float = 0.1, seed: int = 0) -> Rehearsal:
        """Hide a share of the ratings of known people, all ratings of a share of the items, and a share of the people.

        These are met with 0, 1, 2 up to 32 of their ratings, and asked for the same others each time.

        Examples
        --------
        >>> from warmstart.data.toy import checkerboard
        >>> x = checkerboard(40, 30).interactions
        >>> data = checkerboard(40, 30).with_interactions(replace(x, rating=np.full(len(x), 3.0, np.float32)))
        >>> one = Rehearsal.of(data, share=0.25)
        >>> new = np.setdiff1d(one.person, one.train.interactions.user)
        >>> [one.histories.lengths[one.person == u].tolist() for u in new[:2]]
        [[0, 1, 2, 4, 8], [0, 1, 2, 4, 8]]
        """
        x, rng = once(data.interactions), np.random.default_rng(seed)
        rated, new = np.isfinite(x.rating), rng.random(data.n_users) < share
        hidden = rng.random(len(x)) < share
        unmet = unmet_items(data.n_items, share, seed)[x.item]
        hidden = rated & ~new[x.user] & (hidden | unmet)
        learned, old = x.select(~hidden & ~new[x.user]), np.flatnonzero(~new)
        strangers = np.flatnonzero(rated & new[x.user] & ~unmet)
        known = Asking(Histories.of_users(learned, old), old, np.searchsorted(old, x.user[hidden]), x.select(hidden))
        met = met_with(x.select(strangers[np.lexsort((rng.random(len(strangers)), x.user[strangers]))]))
        return cls(data.with_interactions(learned), *joined([known, *met], data))


def unmet_items(n: int, share: float, seed: int = 0) -> np.ndarray:
    """Of n items, those that nobody in the rehearsal has rated: bool, shape (n,).

    Examples
    --------
    >>> unmet_items(8, 0.25).tolist()
    [False, False, False, False, True, True, False, True]
    """
    drawn: np.ndarray = np.random.default_rng([seed, 1]).random(n) < share
    return drawn


class Asking(NamedTuple):
    """Histories, whose they are, and of each rating asked for the row and the event."""

    histories: Histories
    person: np.ndarray
    query: np.ndarray
    asked: Interactions


def met_with(x: Interactions) -> list[Asking]:
    """People met with the first k of their events, for each k of SHOWN that leaves some; ``x`` is sorted by user.

    Examples
    --------
    >>> x = Interactions.of(np.repeat([0, 1], [3, 2]), np.array([0, 1, 2, 0, 1]), 2, 3, rating=np.ones(5))
    >>> [(part.histories.lengths.tolist(), part.asked.item.tolist()) for part in met_with(x)][:3]
    [([0, 0], [2, 1]), ([1, 1], [2, 1]), ([2], [2])]
    """
    people, first, n = np.unique(x.user, return_index=True, return_counts=True)
    known = np.array(SHOWN)[np.searchsorted(SHOWN, n) - 1]  # the most that is ever known: below n
    place = np.arange(len(x)) - np.repeat(first, n)
    asked = (place >= np.repeat(known, n)) & (place < np.repeat(known + ASKED, n))
    found = []
    for k in SHOWN:
        here = known >= k
        rows = asked & np.repeat(here, n)
        query = np.searchsorted(people[here], x.user[rows])
        histories = Histories.of_rows(x, first[here], first[here] + k)
        found.append(Asking(histories, people[here].astype(np.int64), query, x.select(rows)))
    return found


def joined(parts: Sequence[Asking], data: Dataset) -> tuple[Histories, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Histories with attributes, people, rows, items and ratings of all parts."""
    starts = np.cumsum([0, *(len(part.person) for part in parts)])
    person = np.concatenate([part.person for part in parts])
    histories = replace(Histories.joined([part.histories for part in parts]), attributes=data.attributes(person))
    query = np.concatenate([part.query + start for part, start in zip(parts, starts, strict=False)])
    item = np.concatenate([part.asked.item for part in parts]).astype(np.int64)
    value = np.concatenate([part.asked.rating for part in parts]).astype(np.float64)
    return histories, person, query, item, value


def once(x: Interactions) -> Interactions:
    """Without ratings that were given again later: hiding the last one would leave them to tell it.

    Examples
    --------
    >>> x = Interactions.of(np.zeros(3), np.array([1, 1, 0]), 1, 2, rating=np.array([2.0, 4.0, np.nan]))
    >>> once(x).rating.tolist()
    [4.0, nan]
    """
    rated = np.isfinite(x.rating)
    rows = np.flatnonzero(rated)[::-1]
    pair = x.user[rows].astype(np.int64) * x.n_items + x.item[rows]
    kept = ~rated
    kept[rows[np.unique(pair, return_index=True)[1]]] = True
    return x.select(kept)
