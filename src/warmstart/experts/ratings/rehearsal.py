"""A rehearsal for predicting ratings: some are hidden, and some people are met with a few of theirs alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions

SHOWN = (0, 1, 2, 4, 8, 16, 32)  # ratings that are known of somebody new
ASKED = 20  # ratings of such a person that are asked for, at most


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """What is learned from, and what is asked.

    Parameters
    ----------
    train
        The data without hidden ratings and without new people.
    histories
        Of every user code: what is known when the ratings are asked for.
    query, item
        User code and item code of each pair: int64, shape (n_pairs,).
    value
        The hidden ratings: float64, shape (n_pairs,).
    """

    train: Dataset
    histories: Histories
    query: np.ndarray
    item: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, data: Dataset, share: float = 0.1, seed: int = 0) -> Rehearsal:
        """Hide a share of the ratings of known people, and of people; of these 0 to 32 ratings stay known.

        Examples
        --------
        >>> from warmstart.data.toy import checkerboard
        >>> x = checkerboard(40, 30).interactions
        >>> data = checkerboard(40, 30).with_interactions(replace(x, rating=np.full(len(x), 3.0, np.float32)))
        >>> one = Rehearsal.of(data, share=0.25)
        >>> len(one.value) > 0, len(one.train.interactions) + len(one.value) <= len(x)
        (True, True)
        """
        x, rng = once(data.interactions), np.random.default_rng(seed)
        rated = np.isfinite(x.rating)
        new = rng.random(data.n_users) < share
        hidden = rated & ~new[x.user] & (rng.random(len(x)) < share)
        known, learned = ~hidden, ~hidden & ~new[x.user]
        asked = hidden.copy()
        for user in np.flatnonzero(new):
            rows = rng.permutation(np.flatnonzero(rated & (x.user == user)))
            shown = int(rng.choice([k for k in SHOWN if k < len(rows)] or [0]))
            known[rows[shown:]] = False
            asked[rows[shown : shown + ASKED]] = True
        histories = replace(
            Histories.of_users(x.select(known), np.arange(data.n_users)),
            attributes=data.attributes(np.arange(data.n_users)),
        )
        at = np.flatnonzero(asked)
        train = data.with_interactions(x.select(learned))
        return cls(
            train, histories, x.user[at].astype(np.int64), x.item[at].astype(np.int64), x.rating[at].astype(np.float64)
        )


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
