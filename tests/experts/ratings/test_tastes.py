"""Tastes: planted worlds, what text tells of unrated items, attributes, units, and new items."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.ratings.bias import Bias
from warmstart.experts.ratings.rated import Known, Predictor, Rated
from warmstart.experts.ratings.tastes import Tastes

SMALL = Tastes(person=2, item=4)


@pytest.fixture(scope="module")
def spoken(rated_data):
    """Items are worth what two of four features say, and people like these features differently; 10 are unrated."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 4)) * [1.5, 1.2, 0.4, 0.2]
    taste = rng.normal(size=(200, 2)) * 0.5
    truth = 6 + z[:, :2] @ [0.8, -0.5] + 0.5 * rng.normal(size=(200, 1)) + taste @ z[:, :2].T
    values = truth + 0.3 * rng.normal(size=truth.shape)
    user, item = np.nonzero((rng.random(truth.shape) < 0.3) & (np.arange(60) < 50))
    sex = np.where(rng.random(200) < 0.5, "f", "m")
    values = values + 0.6 * (sex == "f")[:, None]
    data = rated_data(
        user, item, values[user, item], 200, 60, features=z.astype(np.float32), people={"sex": sex.tolist()}
    )
    return data, truth + 0.6 * (sex == "f")[:, None]


@pytest.fixture(scope="module")
def fitted(spoken):
    return SMALL.fit(spoken[0], Rated.of(spoken[0].interactions))


def rmse(found, truth):
    return float(np.sqrt(((found - truth) ** 2).mean()))


def test_features_tell_what_unrated_items_are_worth_to_each_person(spoken, fitted):
    data, truth = spoken
    people = data.histories(np.arange(200))
    query, item = np.repeat(np.arange(200), 10), np.tile(np.arange(50, 60), 200)
    bias = Bias().fit(Rated.of(data.interactions)).predict(people, query, item)
    assert rmse(fitted.predict(people, query, item), truth[query, item]) < 0.4 * rmse(bias, truth[query, item])


def test_attributes_tell_how_kind_somebody_new_is(fitted):
    import polars as pl

    people = replace(Histories.of([[], [], []], 60), attributes=pl.DataFrame({"sex": ["f", "m", None]}))
    f, m, unknown = fitted.predict(people, np.arange(3), np.zeros(3, int))
    assert 0.2 < f - m < 0.7
    assert m < unknown < f


def test_a_persons_taste_is_the_ridge_of_the_formula(spoken, fitted):
    data, _ = spoken
    people, known = data.histories(np.array([3])), Known.of(data.histories(np.array([3])))
    x, left = fitted.rows[known.item], known.value - fitted.item[known.item]
    attributes = fitted.attributes.rows(people.attributes, 1)[0]
    precision, noise = np.linalg.inv(fitted.prior.covariance), fitted.prior.noise
    covariance = np.linalg.inv(precision + x.T @ x / noise)
    taste = covariance @ (precision @ (attributes @ fitted.prior.by_attribute) + x.T @ left / noise)
    mean, variance = fitted.distribution(people, np.zeros(60, int), np.arange(60))
    np.testing.assert_allclose(mean, fitted.item + fitted.rows @ taste)
    spread = np.einsum("nd,de,ne->n", fitted.rows, covariance, fitted.rows)
    np.testing.assert_allclose(variance, fitted.variance + noise + spread)


def test_variances_are_about_right(spoken, fitted):
    data, truth = spoken
    rng, people = np.random.default_rng(1), data.histories(np.arange(200))
    query, item = np.repeat(np.arange(200), 60), np.tile(np.arange(60), 200)
    given = np.isin(query * 60 + item, data.interactions.user.astype(int) * 60 + data.interactions.item)
    mean, variance = fitted.distribution(people, query[~given], item[~given])
    off = truth[query, item][~given] + 0.3 * rng.normal(size=(~given).sum()) - mean
    assert 0.6 < float((off**2 / variance).mean()) < 1.5


def test_another_unit_of_ratings_is_only_another_unit(spoken):
    data, _ = spoken
    x = data.interactions
    wide = data.with_interactions(replace(x, rating=(20 + 10 * x.rating).astype(np.float32)))
    both = [SMALL.fit(one, Rated.of(one.interactions)) for one in (data, wide)]
    query, item = np.arange(200), np.arange(200) % 60
    found = [m.predict(d.histories(np.arange(200)), query, item) for m, d in zip(both, (data, wide), strict=True)]
    np.testing.assert_allclose(found[1], 20 + 10 * found[0], atol=1e-3)


def test_a_new_item_is_as_one_that_nobody_rated(spoken, fitted):
    data, _ = spoken
    grown = fitted.grow(data.features[50:53])
    people = Histories.of([[]], 63)
    assert isinstance(grown, Predictor)
    old, new = (grown.predict(people, np.zeros(3, int), np.arange(3) + at) for at in (50, 60))
    np.testing.assert_allclose(new, old)
    assert (grown.distribution(people, np.zeros(3, int), np.arange(60, 63))[1] > fitted.prior.noise).all()


def test_without_features_and_attributes_it_is_a_model_of_biases(planted):
    data, query, item, value = planted(0)
    found = SMALL.fit(data, Rated.of(data.interactions))
    assert found.rows.shape[1] == 1
    people = data.histories(np.arange(data.n_users))
    bias = Bias().fit(Rated.of(data.interactions)).predict(people, query, item)
    assert rmse(found.predict(people, query, item), value) < 1.05 * rmse(bias, value)
    assert np.isfinite(found.grow(np.zeros((2, 0))).item).all()


def test_one_rating_is_enough_to_say_something(rated_data):
    data = rated_data([0], [0], np.array([4.0]), 2, 3, features=np.eye(3, dtype=np.float32))
    found = SMALL.fit(data, Rated.of(data.interactions))
    told = found.distribution(data.histories(np.arange(2)), np.array([0, 1]), np.array([1, 2]))
    assert np.isfinite(told).all()
    np.testing.assert_allclose(told[0], 4.0, atol=0.5)


def test_people_are_looked_at_in_blocks(spoken, fitted, monkeypatch):
    data, _ = spoken
    query, item = np.arange(200)[::-1].copy(), np.arange(200) % 60
    before = fitted.distribution(data.histories(np.arange(200)), query, item)
    for module in ("tastes", "tasted"):
        monkeypatch.setattr(f"warmstart.experts.ratings.{module}.PEOPLE", 7)
    again = SMALL.fit(data, Rated.of(data.interactions))
    np.testing.assert_allclose(again.distribution(data.histories(np.arange(200)), query, item), before, atol=1e-8)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"person": 0}, "person=0"),
        ({"person": 9, "item": 8}, "person=9"),
        ({"tilt": -1.0}, "tilt=-1"),
        ({"level": 0.0}, "level=0"),
        ({"held": -2.0}, "held=-2"),
        ({"rounds": 0}, "rounds=0"),
    ],
)
def test_mistakes_are_told(wrong, told):
    with pytest.raises(ConfigError, match=told):
        Tastes(**wrong)
