"""The content map against its normal equation, and the neighbour rule."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.errors import NotFitted
from warmstart.experts import content
from warmstart.experts.content import ContentCosine, ContentMap, Gram, content_map

some = settings(max_examples=40, deadline=None, derandomize=True)
sizes = st.tuples(st.integers(0, 10_000), st.integers(2, 10), st.integers(2, 8), st.integers(1, 4))


def draw(seed, n_users, n_items, dim):
    rng = np.random.default_rng(seed)
    x = (rng.random((n_users, n_items)) < 0.5).astype(np.float64)
    x[0] = 1.0
    return x, rng.normal(size=(n_items, dim))


def off(a):
    return a - np.diag(np.diag(a))


@some
@given(size=sizes, mu=st.sampled_from([0.1, 1.0, 30.0]))
def test_equals_the_dense_normal_equation(size, mu):
    """``min_W ||X - X off(Z W Z')||^2 + mu ||W||^2`` as one least squares problem in the entries of W."""
    x, z = draw(*size)
    d, gram = z.shape[1], x.T @ x
    basis = [np.outer(a, b) for a in np.eye(d) for b in np.eye(d)]
    effect = np.column_stack([(x @ off(z @ e @ z.T)).ravel() for e in basis])
    ridge = mu * np.diag(gram).mean()
    expected = np.linalg.solve(effect.T @ effect + ridge * np.eye(d * d), effect.T @ x.ravel()).reshape(d, d)
    found = content_map(sp.csr_matrix(gram), z, mu, iterations=200, tolerance=1e-9)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@some
@given(size=sizes)
def test_no_other_map_is_better(size):
    x, z = draw(*size)
    gram = x.T @ x
    ridge = 1.0 * np.diag(gram).mean()
    w = content_map(sp.csr_matrix(gram), z, 1.0, iterations=200, tolerance=1e-9).astype(np.float64)

    def loss(w):
        return ((x - x @ off(z @ w @ z.T)) ** 2).sum() + ridge * (w**2).sum()

    rng = np.random.default_rng(0)
    for _ in range(5):
        assert loss(w) <= loss(w + 0.01 * rng.normal(size=w.shape)) + 1e-9


def test_the_ridge_is_in_units_of_the_mean_count():
    """Everybody twice: the same map."""
    x, z = draw(1, 8, 6, 3)
    once = content_map(sp.csr_matrix(x.T @ x), z, 5.0)
    twice = content_map(sp.csr_matrix(2 * x.T @ x), z, 5.0)
    np.testing.assert_allclose(once, twice, atol=1e-5)


@some
@given(size=sizes, power=st.sampled_from([0.0, 0.5, 1.0]), at_once=st.sampled_from([1, 3, 65_536]))
def test_gram_weighs_users_by_length(size, power, at_once):
    x, _ = draw(*size)
    length = np.maximum(x.sum(1), 1.0)
    expected = sum(length[u] ** -power * np.outer(x[u], x[u]) for u in range(len(x)))
    gram = Gram(sp.csr_matrix(x, dtype=np.float32), power)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "USERS", at_once)
        np.testing.assert_allclose(gram @ np.eye(x.shape[1], dtype=np.float32), expected, atol=1e-5)
    np.testing.assert_allclose(gram.diagonal(), np.diag(expected), atol=1e-5)


def test_items_without_events_do_not_touch_the_map(draw_world, make_data):
    data = draw_world(0, 12, 8)
    known = make_data(data.interactions.matrix().toarray()[:, :-1], data.features[:-1])
    np.testing.assert_allclose(ContentMap().fit(data).w, ContentMap().fit(known).w, atol=1e-4)


def test_score_is_linear_in_the_history_and_in_the_text(draw_world):
    data = draw_world(0, 12, 8)
    fitted = ContentMap(text_weight=2.0).fit(data)
    text = np.array([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0], [0.5, -1.0, 0.25], [0.0, 0.0, 0.0]], np.float32)
    h = Histories.of([[1, 2], [1, 2], [], []], 8)
    both, history, typed, silent = fitted.score(type(h)(h.indptr, h.item, h.weight, 8, vectors=text))
    np.testing.assert_allclose(both, history + typed, atol=1e-5)
    np.testing.assert_allclose(typed, 2.0 * text[0] @ fitted.w @ data.features.T, atol=1e-5)
    assert np.isnan(silent).all()


def test_a_typed_text_speaks_like_the_item_it_describes(draw_world):
    data = draw_world(0, 12, 8)
    h = Histories.of([[3], []], 8)
    asked = type(h)(h.indptr, h.item, h.weight, 8, vectors=np.stack([np.zeros(3, np.float32), data.features[3]]))
    for expert in (ContentMap(), ContentCosine()):
        fitted = expert.fit(data)
        item, text = fitted.score(asked)
        if isinstance(expert, ContentMap):
            np.testing.assert_allclose(text, item, atol=1e-5)
        assert not np.isnan(text).any()


def test_cosine_is_the_mean_cosine_to_the_history(draw_world):
    data = draw_world(5, 12, 8)
    centred = data.features - data.features.mean(0)
    centred = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    scores = ContentCosine().fit(data).score(Histories.of([[0, 4, 5]], 8))[0]
    np.testing.assert_allclose(scores, centred @ centred[[0, 4, 5]].mean(0), atol=1e-6)


def test_cosine_of_a_new_item_like_an_old_one_is_the_same(draw_world):
    data = draw_world(5, 12, 8)
    grown = ContentCosine().fit(data).grow(10.0 * (data.features[[2]] - data.features.mean(0)) + data.features.mean(0))
    scores = grown.score(Histories.of([[0, 4]], 9))[0]
    assert scores[8] == pytest.approx(scores[2], abs=1e-5)


@pytest.mark.parametrize("expert", [ContentMap(), ContentCosine()], ids=lambda e: type(e).__name__)
def test_no_features_is_told_with_a_remedy(make_data, expert):
    with pytest.raises(NotFitted, match="with_features"):
        expert.fit(make_data([[1, 0], [1, 1]]))


def test_a_kept_solution_serves_its_own_data_only(draw_world):
    """Several experts ask for the map of the same data; other data, features or ridges have their own."""
    data = draw_world(7, 12, 8)
    first = ContentMap().fit(data)
    np.testing.assert_array_equal(ContentMap(text_weight=3.0).fit(data).w, first.w)
    half = data.interactions.select(np.arange(len(data.interactions)) % 2 == 0)
    others = [
        ContentMap().fit(data.with_features(data.features[::-1].copy())),
        ContentMap().fit(data.with_interactions(half)),
        ContentMap(mu=1.0).fit(data),
        ContentMap(power=1.0).fit(data),
    ]
    for other in others:
        assert np.abs(other.w - first.w).max() > 1e-6
    np.testing.assert_array_equal(ContentMap().fit(data).w, first.w)
    fresh = draw_world(7, 12, 8)
    np.testing.assert_array_equal(ContentMap().fit(fresh).w, first.w)
