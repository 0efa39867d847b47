"""Factors: the fold-in is the ridge solution; unmet items follow their features."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts.factors import Factors, factor_map

some = settings(max_examples=25, deadline=None, derandomize=True)
MODEL = Factors(dim=4, reg=0.5, alpha=3.0, iterations=8)


@some
@given(seed=st.integers(0, 10_000), length=st.integers(1, 6))
def test_fold_in_is_the_ridge_solution(draw_world, seed, length):
    """Among met items, c = 1 + alpha and p = 1 in the history, c = 1 and p = 0 elsewhere."""
    data = draw_world(seed, 12, 8)
    fitted = MODEL.fit(data)
    row = np.random.default_rng(seed).choice(np.flatnonzero(data.interactions.item_counts()), length, replace=True)
    met = data.interactions.item_counts() > 0
    v, p = fitted.v[met].astype(np.float64), np.isin(np.flatnonzero(met), row).astype(np.float64)
    c = 1.0 + MODEL.alpha * p
    u = np.linalg.solve((v.T * c) @ v + MODEL.reg * np.eye(MODEL.dim), v.T @ (c * p))
    h = Histories.of([row], 8)
    np.testing.assert_allclose(fitted.users(h)[0], u, atol=1e-4)
    np.testing.assert_allclose(fitted.score(h)[0], fitted.v @ u, atol=1e-4)


def test_fitting_and_folding_in_agree_on_the_confidence(make_data):
    """At the optimum of one factor, fold-in of a training history gives back that user's factor."""
    x = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 1]])
    data = make_data(x)
    fitted = Factors(dim=2, reg=0.1, alpha=4.0, iterations=300).fit(data)
    u = fitted.users(data.histories(np.arange(4))).astype(np.float64)
    c = 1.0 + 4.0 * x
    for j in range(4):  # item factors are the ridge solution against folded-in users
        v = np.linalg.solve((u.T * c[:, j]) @ u + 0.1 * np.eye(2), u.T @ (c[:, j] * x[:, j]))
        np.testing.assert_allclose(fitted.v[j], v, atol=5e-3)


def test_planted_themes_are_found():
    data = clusters(seed=0)
    fitted = Factors(dim=8, reg=1.0).fit(data)
    users = np.flatnonzero(data.interactions.user_counts() >= 8)
    scores = fitted.score(data.histories(users))
    top = np.argsort(-scores, axis=1)[:, :5]
    assert (top % 4 == (users % 4)[:, None]).mean() > 0.9


@some
@given(seed=st.integers(0, 10_000), ridge=st.sampled_from([0.1, 10.0]))
def test_map_from_features_is_the_weighted_ridge(seed, ridge):
    rng = np.random.default_rng(seed)
    z, v, counts = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)), rng.integers(0, 5, 9).astype(float) + (seed % 2)
    counts[0] += 1
    c = np.diag(counts / counts.mean())
    expected = np.linalg.solve(z.T @ c @ z + ridge * np.eye(3), z.T @ c @ v)
    np.testing.assert_allclose(factor_map(z, v, counts, ridge), expected, atol=1e-5)


def test_unmet_and_new_items_take_the_factors_their_features_predict(draw_world):
    data = draw_world(2, 12, 8)
    fitted = MODEL.fit(data)
    np.testing.assert_allclose(fitted.v[-1], data.features[-1] @ fitted.r, atol=1e-6)
    grown = fitted.grow(data.features[-1:])
    np.testing.assert_allclose(grown.v[-1], fitted.v[-1], atol=1e-6)


def test_without_features_unmet_items_stand_at_zero(make_data):
    fitted = MODEL.fit(make_data([[1, 1, 0], [1, 0, 0]]))
    scores = fitted.grow(np.ones((1, 7), np.float32)).score(Histories.of([[0]], 4))
    assert scores[0, 2:].tolist() == [0.0, 0.0]
    assert scores[0, 0] > 0


def test_nothing_known_of_anybody(make_data):
    fitted = MODEL.fit(make_data(np.zeros((2, 3), int)))
    assert fitted.score(Histories.of([[0]], 3)).tolist() == [[0.0, 0.0, 0.0]]


def test_seed_decides(draw_world):
    data = draw_world(2, 30, 20)
    a, b, c = (Factors(dim=4, iterations=1, seed=s).fit(data).v for s in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 1e-6


@pytest.mark.parametrize("repeat", [1, 3])
def test_repeats_count_once(draw_world, repeat):
    fitted = MODEL.fit(draw_world(2, 12, 8))
    h = Histories.of([[1, 2], [1, 2] + [2] * repeat], 8)
    once, again = fitted.score(h)
    np.testing.assert_allclose(again, once, atol=1e-6)
