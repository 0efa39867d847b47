"""Popularity: counts, decay by the clock, and what content predicts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.experts.popularity import FittedPopularity, Popularity, content_rates, decayed_counts, predict


def timed(item, time, n_items=4):
    item = np.asarray(item)
    return Interactions.of(np.zeros(len(item), int), item, 1, n_items, time=np.asarray(time))


def test_an_event_halves_with_every_half_life():
    x = timed([0, 1, 2, 2], [0, 50, 100, 75])
    np.testing.assert_allclose(decayed_counts(x, 0.25), [1 / 16, 1 / 4, 1.5, 0.0])
    np.testing.assert_allclose(decayed_counts(x, 0.5), [1 / 4, 1 / 2, 1 + 0.5**0.5, 0.0])


@pytest.mark.parametrize(("share", "time"), [(0.0, [0, 50, 100, 75]), (0.25, [-1, -1, -1, -1]), (0.25, [7, 7, 7, 7])])
def test_without_a_clock_every_event_counts_one(share, time):
    assert decayed_counts(timed([0, 1, 2, 2], time), share).tolist() == [1.0, 1.0, 2.0, 0.0]


def test_a_few_undated_events_count_as_long_gone():
    x = timed([0] * 19 + [1], [*range(1_000_000_000, 1_000_000_019), -1])
    decayed = decayed_counts(x, 0.5)
    assert decayed[1] < 1e-6 < decayed[0]


def test_recent_popularity_prefers_what_is_taken_now(make_data):
    data = make_data([[1]])
    x = Interactions.of(np.zeros(5, int), np.array([0, 0, 0, 1, 1]), 1, 2, time=np.array([0, 1, 2, 99, 100]))
    catalog = make_data([[1, 1]]).catalog
    data = replace(data, interactions=x, catalog=catalog)
    always, lately = (Popularity(half_life=h, tau=0.1).fit(data).scores for h in (0.0, 0.1))
    assert always[0] > always[1]
    assert lately[0] < lately[1]


def test_score_is_the_log_of_the_posterior_mean(make_data):
    data = make_data([[1, 1, 0], [1, 0, 0], [1, 0, 0]])
    counts, tau, mean = np.array([3.0, 1.0, 0.0]), 0.5, 4 / 3
    expected = np.log((counts + tau) / (1 + tau / mean))
    np.testing.assert_allclose(Popularity(tau=tau).fit(data).scores, expected, atol=1e-6)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), tau=st.sampled_from([0.1, 0.5, 2.0]))
def test_more_events_never_hurt(make_data, seed, tau):
    counts = np.random.default_rng(seed).integers(0, 9, 7)
    scores = Popularity(tau=tau).fit(make_data(np.arange(9)[:, None] < counts)).scores
    order = np.argsort(counts, kind="stable")
    assert (np.diff(scores[order]) >= 0).all()


def test_rates_are_the_ridge_over_met_items():
    rng = np.random.default_rng(0)
    z, counts = rng.normal(size=(30, 3)), rng.integers(0, 9, 30).astype(float)
    met = counts > 0
    y = np.log1p(counts[met])
    b = np.linalg.solve(z[met].T @ z[met] + 2.0 * np.eye(3), z[met].T @ (y - y.mean()))
    found, variance = content_rates(z, counts, 2.0)
    np.testing.assert_allclose(found, [*b, y.mean()])
    assert variance == pytest.approx((y - y.mean() - z[met] @ b).var())


def test_rates_of_nothing_met_are_nothing():
    found, variance = content_rates(np.ones((3, 2)), np.zeros(3), 1.0)
    assert found.tolist() == [0.0, 0.0, 0.0]
    assert variance == 1.0


def test_predictions_stay_between_nothing_and_the_highest():
    far = np.array([[1e6], [-1e6], [0.0]])
    assert predict(far, np.array([1.0, 0.5]), 20.0).round(6).tolist() == [20.0, 0.0, round(float(np.expm1(0.5)), 6)]
    assert np.isnan(predict(far, np.empty(0), 20.0)).all()


def test_content_tells_apart_items_without_events(make_data):
    rng = np.random.default_rng(1)
    loved = rng.random(60) < 0.5
    x = rng.random((80, 60)) < np.where(loved, 0.5, 0.05)
    x[:, -10:] = False
    x[0, :-10] = True
    z = np.column_stack([loved, ~loved])
    fitted = Popularity().fit(make_data(x, z))
    unmet, good = fitted.scores[-10:], loved[-10:]
    assert unmet[good].min() > unmet[~good].max()
    grown = fitted.grow(np.array([[1, 0], [0, 1]], np.float32)).scores[-2:]
    np.testing.assert_allclose(np.exp(grown), [x[:, :-10][:, loved[:-10]].sum(0).mean(), 5.0], rtol=0.35)


def test_without_features_new_items_have_no_score(make_data):
    grown = Popularity().fit(make_data([[1, 0]])).grow(np.ones((2, 5), np.float32))
    assert np.isnan(grown.scores[-2:]).all()
    assert not np.isnan(grown.scores[:-2]).any()


def test_everybody_gets_the_same(make_data):
    scores = Popularity().fit(make_data([[1, 0, 1], [1, 1, 0]])).score(Histories.of([[], [2], [0, 1]], 3))
    np.testing.assert_array_equal(scores, scores[[0, 0, 0]])


def test_events_after_the_fit_move_what_is_popular():
    known = FittedPopularity(np.log([8.0, 4.0, 2.0]).astype(np.float32), np.zeros(0), 9.0, half_life=100.0, until=1000)
    moved = known.moved(np.array([2, 2, 2, 2, 2]), np.full(5, 1100))
    rate = np.exp(moved.scores)
    np.testing.assert_allclose(rate, [8 * (9 / 14), 4 * (9 / 14), 2 * (9 / 14) + 5], rtol=1e-5)  # 1 - 5/14 > 0.5
    assert moved.scores.argmax() == 2


def test_without_half_life_nothing_fades_and_no_event_changes_nothing():
    known = FittedPopularity(np.log([8.0, 4.0]).astype(np.float32), np.zeros(0), 9.0)
    np.testing.assert_allclose(np.exp(known.moved(np.array([1]), np.array([10**9])).scores), [8, 5], rtol=1e-6)
    assert known.moved(np.array([], np.int64), np.array([], np.int64)) is known


def test_what_cannot_be_said_stays_so_until_somebody_takes_it():
    known = FittedPopularity(np.array([np.nan, 1.0, np.nan], np.float32), np.zeros(0), 9.0)
    scores = known.moved(np.array([0]), np.array([5])).scores
    assert scores[0] == 0.0
    assert np.isnan(scores[2])
