"""The leading candidates of every query, against a plain sort."""

import numpy as np
import pytest

from warmstart.fusion.floor import leading
from warmstart.fusion.price import first_places


@pytest.mark.parametrize("k", [1, 3, 10])
def test_first_places_are_those_of_a_stable_sort(k):
    rng = np.random.default_rng(k)
    query = np.sort(rng.integers(0, 40, 600))
    score = rng.integers(0, 9, 600).astype(float)  # many are equal
    score[rng.random(600) < 0.1] = -np.inf
    order = np.lexsort((-score, query))
    place = np.arange(600) - np.searchsorted(query, query)
    at, found = first_places(score, query, k)
    np.testing.assert_array_equal(at, order[place < k])
    np.testing.assert_array_equal(found, place[place < k])


def test_all_that_equal_the_last_are_among_the_leading():
    assert leading(np.array([2.0, 1.0, 1.0, 1.0, 0.0]), np.zeros(5, int), 1, 2).tolist() == [0, 1, 2, 3]
    assert not len(leading(np.empty(0), np.empty(0, int), 0, 3))
