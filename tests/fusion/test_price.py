"""What a popularity correction costs, where the answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.fusion.price import FIRST, STRENGTHS, Price, corrected, price_of, spreads

QUERY = np.repeat(np.arange(3), [4, 3, 1])


def test_the_unit_is_the_deviation_of_the_best_scores():
    score = np.concatenate([np.arange(FIRST, dtype=float), np.full(50, -1e6), [7.0]])
    query = np.array([0] * (FIRST + 50) + [1])
    assert spreads(score, query, 3) == pytest.approx([np.arange(FIRST).std(), 0.0, 0.0])


@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_a_correction_means_the_same_on_any_scale(scale, shift):
    rng = np.random.default_rng(0)
    score, events, strength = rng.normal(size=8), rng.random(8), np.array([0.5, 1.0, 0.2])
    once = corrected(score, QUERY, events, strength)
    again = corrected(scale * score + shift, QUERY, events, strength)
    np.testing.assert_allclose(again, scale * once + shift, atol=1e-6)


def test_no_strength_changes_nothing_and_more_of_it_sinks_what_is_known():
    score, events = np.array([4.0, 3.0, 2.0, 1.0]), np.log1p([90, 60, 20, 0])
    one = np.zeros(4, np.int64)
    assert corrected(score, one, events, np.zeros(1)).tolist() == score.tolist()
    gap = [np.ptp(corrected(score, one, events, np.array([b]))[[0, 3]]) for b in (0.1, 0.2, 0.3)]
    assert gap == sorted(gap, reverse=True)


def world(wanted_known):
    """Twenty queries over 40 candidates, scored as they are known; wanted is what is known, or what is not."""
    query, events = np.repeat(np.arange(20), 40), np.tile(np.log1p(np.arange(40)[::-1]), 20)
    score = events + np.random.default_rng(0).normal(scale=0.1, size=800)
    place = np.tile(np.arange(40), 20)
    taken = place < 5 if wanted_known else place > 34
    return price_of(score, query, events, taken, np.full(20, 5), place < 10)


def test_the_price_is_paid_where_the_known_is_wanted():
    paid = world(wanted_known=True)
    assert (paid.loss[-1] > 0.5, paid.head_loss[-1] > 0.5) == (True, True)
    assert paid.within(0.01, None) < STRENGTHS[-1]
    assert (np.diff([paid.within(share, None) for share in (0.001, 0.1, 0.5, 1.0)]) >= 0).all()
    free = world(wanted_known=False)
    assert (free.loss <= 0).all()  # nothing was found, so nothing can be lost
    assert free.within(0.01, 0.01) == STRENGTHS[-1]


def test_the_choice_stops_at_the_first_strength_that_costs_too_much():
    price = Price(np.array([0.1, 0.2, 0.3]), np.array([0.0, 0.02, 0.0]), np.zeros(3))
    assert price.within(0.01, None) == 0.1
    assert price.within(None, 0.01) == 0.3
    assert price.within(-0.5, None) == 0.0
