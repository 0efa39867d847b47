"""What sinking the known costs, where the answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.fusion.floor import query_ndcg
from warmstart.fusion.price import (
    CORRECTION,
    FIRST,
    LIFT,
    STRENGTHS,
    WAYS,
    Price,
    fame,
    first_places,
    ndcg_of,
    price_of,
    spreads,
)


def test_the_unit_is_the_deviation_of_the_best_scores():
    score = np.concatenate([np.arange(FIRST, dtype=float), np.full(50, -1e6), [7.0]])
    query = np.array([0] * (FIRST + 50) + [1])
    assert spreads(score, query, 3) == pytest.approx([np.arange(FIRST).std(), 0.0, 0.0])


@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_the_unit_goes_with_the_scale(scale, shift):
    score, query = np.random.default_rng(0).normal(size=8), np.repeat(np.arange(3), [4, 3, 1])
    np.testing.assert_allclose(spreads(scale * score + shift, query, 3), scale * spreads(score, query, 3), atol=1e-6)


def test_fame_is_counted_or_drawn_at_a_line():
    events, tail = np.array([3.0, np.nan, 0.5]), np.array([False, True, True])
    assert fame(CORRECTION, events, tail).tolist() == [3.0, 0.0, 0.5]
    assert fame(LIFT, events, tail).tolist() == [1.0, 0.0, 0.0]


def test_the_mean_is_that_of_the_floor():
    rng = np.random.default_rng(3)
    query, score = np.repeat(np.arange(30), 25), rng.normal(size=750)
    taken = rng.random(750) < 0.1
    relevant = np.bincount(query, weights=taken, minlength=30).astype(np.int64)
    at, place = first_places(score, query, 10)
    known = query_ndcg(score, query, taken, relevant)
    np.testing.assert_allclose(ndcg_of(query[at], place, taken[at], relevant), known[relevant > 0])


def world(way, *, wanted_known):
    """Twenty queries over 40 candidates, scored as they are known; wanted is what is known, or what is not."""
    query, events = np.repeat(np.arange(20), 40), np.tile(np.log1p(np.arange(40)[::-1]), 20)
    score = events + np.random.default_rng(0).normal(scale=0.1, size=800)
    place = np.tile(np.arange(40), 20)
    taken = place < 5 if wanted_known else place > 34
    sunk = fame(way, events, place >= 8)
    return price_of(way, score, query, sunk, taken, np.full(20, 5), place < 10)


@pytest.mark.parametrize("way", WAYS)
def test_the_price_is_paid_where_the_known_is_wanted(way):
    paid = world(way, wanted_known=True)
    assert min(paid.loss[-1], paid.head_loss[-1]) > 0.5
    assert paid.within(0.01, None) < STRENGTHS[way][-1]
    assert (np.diff([paid.within(share, None) for share in (0.001, 0.1, 0.5, 1.0)]) >= 0).all()
    free = world(way, wanted_known=False)
    assert (free.loss <= 0.01).all()  # nothing was found, so nothing can be lost
    assert free.within(0.01, 0.01) == STRENGTHS[way][-1]


def test_the_choice_stops_at_the_first_strength_that_costs_too_much():
    price = Price(np.array([0.1, 0.2, 0.3]), np.array([0.0, 0.02, 0.0]), np.zeros(3))
    assert price.within(0.01, None) == 0.1
    assert price.within(None, 0.01) == 0.3
    assert price.within(-0.5, None) == 0.0
