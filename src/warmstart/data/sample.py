"""Fewer people that stand for all: as many of every history length as there are."""

from __future__ import annotations

import numpy as np

from warmstart.data.interactions import Interactions


def some_people(x: Interactions, most: int, seed: int) -> np.ndarray:
    """People with events: all of them, or of more than ``most`` as many, drawn: bool, shape (n_users,).

    They are sorted by the length of their history, in random order where it is equal, and one is taken at every step
    of ``n / most``: each length is drawn in proportion.

    Examples
    --------
    >>> x = Interactions.of(np.repeat(np.arange(6), [1, 1, 1, 1, 3, 3]), np.arange(10), n_users=7, n_items=10)
    >>> all_of_them, some = some_people(x, 9, seed=0), some_people(x, 3, seed=0)
    >>> int(all_of_them.sum()), int(some[:4].sum()), int(some[4:6].sum())
    (6, 2, 1)
    """
    counts = x.user_counts()
    people = np.flatnonzero(counts)
    if len(people) > most:
        people = people[np.lexsort((np.random.default_rng(seed).random(len(people)), counts[people]))]
        people = people[((np.arange(most) + 0.5) * len(people) / max(most, 1)).astype(np.int64)]
    drawn = np.zeros(x.n_users, bool)
    drawn[people] = True
    return drawn


def sampled(x: Interactions, most: int, seed: int) -> Interactions:
    """The events of ``some_people``; the same object where these are all."""
    drawn = some_people(x, most, seed)
    return x if drawn.sum() == np.count_nonzero(x.user_counts()) else x.select(drawn[x.user])
