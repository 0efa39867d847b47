"""Samples of people: every length of history in proportion."""

import numpy as np

from warmstart.data.interactions import Interactions
from warmstart.data.sample import sampled, some_people


def crowd(counts):
    user = np.repeat(np.arange(len(counts)), counts)
    return Interactions.of(user, np.arange(len(user)) % 7, len(counts) + 3, 7)


def test_every_length_of_history_is_drawn_in_proportion():
    counts = np.repeat([1, 2, 9, 60], [400, 300, 200, 100])
    x = crowd(np.random.default_rng(0).permutation(counts))
    drawn = some_people(x, 100, seed=3)
    assert drawn.sum() == 100
    lengths = x.user_counts()[drawn]
    assert [int((lengths == n).sum()) for n in (1, 2, 9, 60)] == [40, 30, 20, 10]


def test_the_events_of_a_sample_are_those_of_its_people():
    x = crowd(np.arange(1, 50))
    some = sampled(x, 10, seed=0)
    drawn = some_people(x, 10, seed=0)
    np.testing.assert_array_equal(some.user_counts(), np.where(drawn, x.user_counts(), 0))
    assert (some.n_users, some.n_items) == (x.n_users, x.n_items)


def test_who_are_few_are_all_taken():
    x = crowd([3, 4])
    assert sampled(x, 2, seed=0) is x


def test_the_seed_decides_who_is_drawn():
    x = crowd(np.full(100, 2))
    one, same, other = (some_people(x, 20, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
