"""Item neighbourhoods: weights and predictions as written out pair by pair."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError
from warmstart.experts.ratings import neighbours
from warmstart.experts.ratings.bias import Bias, FittedBias
from warmstart.experts.ratings.neighbours import FittedNeighbours, Neighbours, largest
from warmstart.experts.ratings.rated import Known, Predictor, Rated


def draw(seed, n_users=12, n_items=7, density=0.5):
    rng = np.random.default_rng(seed)
    met = rng.random((n_users, n_items)) < density
    met[:, -1] = False  # nobody rated the last item
    met[0, 0] = True
    user, item = np.nonzero(met)
    return Interactions.of(user, item, n_users, n_items, rating=rng.integers(1, 6, len(user)).astype(float))


def pairs(x):
    query, item = np.divmod(np.arange(x.n_users * x.n_items), x.n_items)
    return Histories.of_users(x, np.arange(x.n_users)), query, item


def weights_by_hand(e, met, shrink):
    """Shrunk correlations over common raters, pair by pair; e is dense, met says what was rated."""
    n = e.shape[1]
    w = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            both = met[:, i] & met[:, j]
            below = np.sqrt((e[both, i] ** 2).sum() * (e[both, j] ** 2).sum())
            if i != j and below > 0:
                w[i, j] = both.sum() / (both.sum() + shrink) * (e[both, i] @ e[both, j]) / below
    return w


def residuals(x, fitted):
    known = Rated.of(x).known()
    met = known.matrix(np.ones_like(known.value)).toarray() > 0
    return known.matrix(fitted.residuals(known)).toarray(), met


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), shrink=st.sampled_from([0.0, 3.0]), ridge=st.sampled_from([0.0, 0.5]))
def test_weights_and_predictions_are_those_written_out(seed, shrink, ridge):
    x = draw(seed)
    fitted = Neighbours(k=99, shrink=shrink, ridge=ridge).fit(Rated.of(x))
    e, met = residuals(x, fitted.bias)
    w = weights_by_hand(e, met, shrink)
    np.testing.assert_allclose(fitted.weights.toarray(), w, atol=1e-6)
    histories, query, item = pairs(x)
    below = ridge + np.abs(w) @ met.T
    added = np.divide(w @ e.T, below, out=np.zeros_like(below), where=below > 0).T.ravel()
    base = fitted.bias.predict(histories, query, item)
    np.testing.assert_allclose(fitted.predict(histories, query, item), base + added, atol=1e-5)


def test_a_prediction_by_hand():
    w = sp.csr_matrix(np.array([[0, 0.5, -0.25], [0, 0, 0], [0, 0, 0]], np.float32))
    fitted = FittedNeighbours(FittedBias(3.0, np.array([0.0, 0.0, 0.0]), user_ridge=2.0), w, ridge=0.25)
    history = replace(Histories.of([[1, 2]], 3), rating=np.array([5.0, 1.0], np.float32))
    # b_u = 0, residuals 2 and -2: (0.5 * 2 + -0.25 * -2) / (0.25 + 0.75) = 1.5
    assert fitted.predict(history, np.array([0, 0]), np.array([0, 1])).tolist() == [4.5, 3.0]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_what_neighbours_add_is_within_the_residuals(seed):
    x = draw(seed)
    fitted = Neighbours(k=3, shrink=1.0, ridge=0.0).fit(Rated.of(x))
    histories, query, item = pairs(x)
    known = Known.of(histories)
    reach = np.array([np.abs(r).max(initial=0.0) for r in np.split(fitted.bias.residuals(known), known.indptr[1:-1])])
    added = fitted.predict(histories, query, item) - fitted.bias.predict(histories, query, item)
    assert (np.abs(added) <= reach[query] + 1e-9).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_a_history_counts_by_what_it_holds_alone(seed):
    x, rng = draw(seed), np.random.default_rng(seed + 1)
    fitted = Neighbours(k=4, shrink=2.0).fit(Rated.of(x))
    histories, query, item = pairs(x)
    known = fitted.predict(histories, query, item)
    rows = [rng.permutation(np.flatnonzero(x.user == u)) for u in range(x.n_users)]
    told = Histories.of([[*x.item[r], 0] for r in rows], x.n_items)  # and a view without a rating
    rating = np.concatenate([[*x.rating[r], np.nan] for r in rows]).astype(np.float32)
    np.testing.assert_allclose(fitted.predict(replace(told, rating=rating), query, item), known, atol=1e-9)


def test_nobody_known_and_nothing_near_leave_the_biases():
    x = draw(4)
    fitted = Neighbours().fit(Rated.of(x))
    empty, items = Histories.of([[], [0]], x.n_items), np.arange(x.n_items)  # the second has events, no ratings
    for query in (0, 1):
        found = fitted.predict(empty, np.full(x.n_items, query), items)
        np.testing.assert_allclose(found, fitted.bias.mean + fitted.bias.item)
    histories = Histories.of_users(x, np.arange(x.n_users))
    unmet = np.full(x.n_users, x.n_items - 1)
    base = fitted.bias.predict(histories, np.arange(x.n_users), unmet)
    np.testing.assert_array_equal(fitted.predict(histories, np.arange(x.n_users), unmet), base)


def test_neighbours_beat_biases_where_tastes_are_opposed():
    rng = np.random.default_rng(0)
    taste, kind = rng.integers(0, 2, 200), rng.integers(0, 2, 30)
    user, item = np.nonzero(rng.random((200, 30)) < 0.5)
    rating = np.where(taste[user] == kind[item], 5.0, 1.0)
    hidden = rng.random(len(user)) < 0.1
    x = Interactions.of(user[~hidden], item[~hidden], 200, 30, rating=rating[~hidden])
    fitted = Neighbours().fit(Rated.of(x))
    histories = Histories.of_users(x, np.arange(200))
    wrong, biased = (
        np.sqrt(np.mean((m.predict(histories, user[hidden], item[hidden]) - rating[hidden]) ** 2))
        for m in (fitted, fitted.bias)
    )
    assert wrong < biased / 3
    assert biased > 1.5  # each taste likes half of the items: a mean says nothing


def test_blocks_and_parts_do_not_change_the_answer(monkeypatch):
    x = draw(6)
    histories, query, item = pairs(x)
    whole = Neighbours(k=3).fit(Rated.of(x))
    found = whole.predict(histories, query, item)
    monkeypatch.setattr(neighbours, "BLOCK", 13)  # two items at a time
    monkeypatch.setattr(neighbours, "CELLS", 20)
    parts = Neighbours(k=3).fit(Rated.of(x))
    np.testing.assert_allclose(parts.weights.toarray(), whole.weights.toarray(), atol=1e-7)
    np.testing.assert_allclose(parts.predict(histories, query, item), found, atol=1e-7)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 6))
def test_the_largest_weights_are_kept(seed, k):
    w = np.random.default_rng(seed).integers(-3, 4, (4, 5)).astype(float)  # with ties and zeros
    row, col = largest(w, k)
    for r in range(4):
        best = sorted(np.abs(w[r]), reverse=True)[:k]
        assert sorted(np.abs(w[r, col[row == r]]), reverse=True) == [v for v in best if v > 0]


def test_catalogues_that_grew_or_shrank_are_answered():
    x = draw(7)
    fitted = Neighbours(k=3).fit(Rated.of(x))
    rating = np.array([5.0, 1.0], np.float32)
    same = fitted.predict(replace(Histories.of([[1, 2]], 7), rating=rating), np.zeros(3, int), np.arange(3))
    fewer = fitted.predict(replace(Histories.of([[1, 2]], 3), rating=rating), np.zeros(3, int), np.arange(3))
    more = fitted.predict(replace(Histories.of([[1, 2]], 9), rating=rating), np.zeros(4, int), np.array([0, 1, 2, 8]))
    np.testing.assert_array_equal(fewer, same)
    np.testing.assert_array_equal(more[:3], same)
    assert np.isfinite(more[3])


def test_it_is_a_predictor_and_answers_no_pairs():
    x = draw(8)
    fitted = Neighbours().fit(Rated.of(x))
    assert isinstance(fitted, Predictor)
    assert fitted.predict(Histories.of([], x.n_items), np.empty(0, int), np.empty(0, int)).shape == (0,)


def test_equal_ratings_leave_nothing_to_carry_over():
    x = draw(9)
    flat = replace(x, rating=np.full(len(x), 2.0, np.float32))
    fitted = Neighbours(bias=Bias(1.0, 1.0)).fit(Rated.of(flat))
    histories, query, item = pairs(flat)
    np.testing.assert_allclose(fitted.predict(histories, query, item), 2.0)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"shrink": -1.0}, {"ridge": -0.1}, {"shrink": np.nan}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"200, 300 and 0\.2 are usual"):
        Neighbours(**wrong)
