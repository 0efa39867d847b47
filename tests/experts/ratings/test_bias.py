"""Biases: the exact ridge, and people known by their histories alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, DataError
from warmstart.experts.ratings.bias import Bias
from warmstart.experts.ratings.rated import Predictor, Rated


def draw(seed, n_users=9, n_items=7, density=0.4):
    rng = np.random.default_rng(seed)
    met = rng.random((n_users, n_items)) < density
    met[0, -1] = True
    user, item = np.nonzero(met)
    rating = rng.integers(1, 6, len(user))
    return Interactions.of(user, item, n_users, n_items, rating=rating, time=rng.permutation(len(user)))


def dense(rated, user_ridge, item_ridge):
    """User and item biases by the normal equations of the whole problem."""
    n, m = len(rated), rated.n_users
    a = np.zeros((n, m + rated.n_items))
    a[np.arange(n), rated.user] = a[np.arange(n), m + rated.item] = 1.0
    ridge = np.diag(np.repeat([user_ridge, item_ridge], [m, rated.n_items]))
    b = np.linalg.solve(a.T @ a + ridge, a.T @ (rated.value - rated.value.mean()))
    return b[:m], b[m:]


def pairs(x):
    query, item = np.divmod(np.arange(x.n_users * x.n_items), x.n_items)
    return Histories.of_users(x, np.arange(x.n_users)), query, item


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), user_ridge=st.sampled_from([0.1, 3.0]), item_ridge=st.sampled_from([0.1, 3.0]))
def test_the_solution_is_that_of_the_normal_equations(seed, user_ridge, item_ridge):
    x = draw(seed)
    rated = Rated.of(x)
    fitted = Bias(user_ridge, item_ridge).fit(rated)
    b_u, b_i = dense(rated, user_ridge, item_ridge)
    np.testing.assert_allclose(fitted.item, b_i, atol=1e-7)
    np.testing.assert_allclose(fitted.people(rated.known()), b_u, atol=1e-7)
    histories, query, item = pairs(x)
    expected = rated.value.mean() + b_u[query] + b_i[item]
    np.testing.assert_allclose(fitted.predict(histories, query, item), expected, atol=1e-7)


def test_two_by_two_by_hand():
    x = Interactions.of(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 2, 2, rating=np.array([5.0, 3.0, 3.0, 1.0]))
    fitted = Bias(2.0, 2.0).fit(Rated.of(x))  # a deviation of 1 for each side, halved by two ratings of 0
    assert fitted.mean == 3.0
    np.testing.assert_allclose(fitted.item, [0.5, -0.5])
    histories = Histories.of_users(x, np.array([0, 1, -1]))
    found = fitted.predict(histories, np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 1]))
    np.testing.assert_allclose(found, [4.0, 3.0, 2.0, 3.5, 2.5])


def test_residuals_and_predictions_add_up_to_the_ratings():
    x = draw(3)
    rated = Rated.of(x)
    fitted, known = Bias().fit(rated), rated.known()
    found = fitted.predict(Histories.of_users(x, np.arange(x.n_users)), rated.user, rated.item)
    np.testing.assert_allclose(found + fitted.residuals(known), rated.value)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_a_history_counts_by_what_it_holds_alone(seed):
    x, rng = draw(seed), np.random.default_rng(seed + 1)
    fitted = Bias().fit(Rated.of(x))
    histories, query, item = pairs(x)
    known = fitted.predict(histories, query, item)
    anew = [np.flatnonzero(x.user == u) for u in range(x.n_users)]
    rows = np.concatenate([rng.permutation(r) for r in anew])  # another order, no user code
    told = replace(Histories.of([x.item[r] for r in anew], x.n_items), item=x.item[rows], rating=x.rating[rows])
    np.testing.assert_allclose(fitted.predict(told, query, item), known, atol=1e-12)
    viewed = Histories.of([[*x.item[r], 0, 1] for r in anew], x.n_items)
    unrated = np.concatenate([[*x.rating[r], np.nan, np.nan] for r in anew]).astype(np.float32)
    np.testing.assert_allclose(fitted.predict(replace(viewed, rating=unrated), query, item), known, atol=1e-12)
    assert (np.abs(fitted.people(Rated.of(x).known())) <= 4.0 + np.abs(fitted.item).max()).all()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), by=st.sampled_from([-7.0, 0.5, 100.0]), times=st.sampled_from([0.25, 20.0]))
def test_another_unit_changes_the_unit_alone(seed, by, times):
    x = draw(seed)
    histories, query, item = pairs(x)
    found = Bias().fit(Rated.of(x)).predict(histories, query, item)
    other = replace(x, rating=(by + times * x.rating).astype(np.float32))
    histories, query, item = pairs(other)
    again = Bias().fit(Rated.of(other)).predict(histories, query, item)
    np.testing.assert_allclose(again, by + times * found, rtol=1e-5, atol=1e-4)


def test_order_of_the_events_does_not_matter():
    x = draw(5)
    order = np.random.default_rng(0).permutation(len(x))
    mixed = Interactions.of(x.user[order], x.item[order], x.n_users, x.n_items, rating=x.rating[order])
    np.testing.assert_allclose(Bias().fit(Rated.of(mixed)).item, Bias().fit(Rated.of(x)).item, atol=1e-9)


def test_constant_people_single_ratings_and_unmet_items_behave():
    user, item = np.array([0, 0, 0, 1, 2]), np.array([0, 1, 2, 0, 3])
    x = Interactions.of(user, item, 4, 5, rating=np.array([5.0, 5.0, 5.0, 1.0, 2.0]))
    fitted = Bias(2.0, 1.0).fit(Rated.of(x))
    assert fitted.item[4] == 0.0
    assert 0 < -fitted.item[3] < fitted.mean - 2.0  # one rating counts, not in full
    histories, query, item = pairs(x)
    found = fitted.predict(histories, query, item).reshape(4, 5)
    assert np.isfinite(found).all()
    assert found[0].mean() > found[3].mean() > found[1].mean()
    np.testing.assert_allclose(found[3], fitted.mean + fitted.item)  # nothing known of them


def test_equal_ratings_are_predicted_as_they_are():
    x = draw(2)
    flat = replace(x, rating=np.full(len(x), 4.0, np.float32))
    histories, query, item = pairs(flat)
    np.testing.assert_allclose(Bias().fit(Rated.of(flat)).predict(histories, query, item), 4.0)


def test_items_added_after_the_fit_count_as_unrated():
    fitted = Bias(1.0, 1.0).fit(Rated.of(draw(1)))
    wider = replace(Histories.of([[8]], 9), rating=np.array([fitted.mean + 2.0], np.float32))
    assert fitted.predict(wider, np.array([0]), np.array([7])) == pytest.approx(fitted.mean + 1.0)


def test_it_is_a_predictor_and_refuses_what_is_not_there():
    fitted = Bias().fit(Rated.of(draw(0)))
    assert isinstance(fitted, Predictor)
    with pytest.raises(DataError, match="query holds 1, outside 0 to 0"):
        fitted.predict(Histories.of([[0]], 7), np.array([1]), np.array([0]))
    assert fitted.predict(Histories.of([[0]], 7), np.empty(0, int), np.empty(0, int)).shape == (0,)


@pytest.mark.parametrize("ridges", [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0), (1.0, np.inf)])
def test_ridges_are_above_zero(ridges):
    with pytest.raises(ConfigError, match="must be above 0; 5 and 3 are usual"):
        Bias(*ridges)


def test_data_without_ratings_are_refused():
    x = Interactions.of(np.array([0, 1]), np.array([0, 1]), 2, 2)
    with pytest.raises(DataError, match="no rating among 2 events; give a rating column, or use warmstart fit"):
        Bias().fit(Rated.of(x))
