"""Ratings of people from their histories, with intervals, from data to predictions."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.errors import DataError
from warmstart.experts.ratings import model
from warmstart.experts.ratings.bias import Bias
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.model import EVEN, FEW, RatingModel
from warmstart.experts.ratings.rated import Rated
from warmstart.experts.ratings.trust import Trust

SMALL = FactorisationMachine((Chain(), Chain(ordered=False, heard=False)), rank=2, steps=30, dropped=10, kept=5)
MODEL = RatingModel(machine=SMALL)


@pytest.fixture(scope="module")
def world(planted):
    """80 people, 40 items; every fifth rating is hidden; integers from 1 to 5."""
    people, items = {"job": ["cook", "smith"] * 40}, {"genre": ["a", "b", "a|b", "c"] * 10}
    return planted(0, n_users=80, step=1.0, people=people, items=items)


@pytest.fixture(scope="module")
def fitted(world):
    return MODEL.fit(world[0])


def stored(data):
    return data.histories(np.arange(data.n_users))


def pairs(n_people, n_items):
    return np.divmod(np.arange(n_people * n_items), n_items)


def told(items, ratings, n_items):
    """A person by a list of items and their ratings alone."""
    return replace(Histories.of([items], n_items), rating=np.asarray(ratings, np.float32))


def rmse(found, value):
    return np.sqrt(((found - value) ** 2).mean())


@pytest.mark.parametrize("seed", range(2))
def test_planted_ratings_are_predicted_better_than_by_biases(planted, seed):
    data, query, item, value = planted(seed, n_users=80, step=1.0)
    assert len(data.interactions) > FEW
    fitted = MODEL.fit(data)
    found, low, high = fitted.predict(stored(data), query, item)
    bias = Bias().fit(Rated.of(data.interactions)).predict(stored(data), query, item)
    assert rmse(found, value) < 0.7 * rmse(bias, value)
    assert 0.8 < ((low <= value) & (value <= high)).mean() <= 0.98
    assert (high - low).mean() < 0.9 * 4  # and not by saying everything


def test_people_who_are_new_are_predicted_from_what_they_tell(planted):
    """Nothing of the last 40 people is learned from; eight ratings of each are told."""
    data, *_ = planted(3, n_users=120, step=1.0, hidden=0.0)
    x = data.interactions
    learned = data.with_interactions(x.select(x.user < 80))
    shown = (x.position() % 3) == 0
    histories = Histories.of_users(x.select(shown), np.arange(120))
    asked = np.flatnonzero(~shown & (x.user >= 80))
    found, low, high = MODEL.fit(learned).predict(histories, x.user[asked], x.item[asked])
    bias = Bias().fit(Rated.of(learned.interactions)).predict(histories, x.user[asked], x.item[asked])
    value = x.rating[asked]
    assert rmse(found, value) < 0.75 * rmse(bias, value)
    assert 0.8 < ((low <= value) & (value <= high)).mean() <= 0.98


def test_everything_lies_within_the_scale(world, fitted):
    data = world[0]
    found, low, high = fitted.predict(stored(data), *pairs(data.n_users, data.n_items))
    assert (low >= 1).all()
    assert (high <= 5).all()
    assert (low <= found).all()
    assert (found <= high).all()
    assert found.dtype == low.dtype == high.dtype == np.float64


def test_a_person_is_what_the_history_says(world, fitted):
    """Who is stored, and somebody nobody knows who gave the same ratings in another order, are told the same."""
    data = world[0]
    query, item = np.zeros(data.n_items, int), np.arange(data.n_items)
    for user in (0, 7, 31):
        mine = data.histories(np.array([user]))
        order = np.random.default_rng(user).permutation(len(mine.item))
        other = told(mine.item[order], mine.rating[order], data.n_items)
        other = replace(other, attributes=data.user_table[[user]])
        for a, b in zip(fitted.predict(mine, query, item), fitted.predict(other, query, item), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)


def test_of_nobody_there_is_an_answer_that_is_less_sure(world, fitted):
    data = world[0]
    query, item = pairs(2, data.n_items)
    found, low, high = fitted.predict(Histories.of([[], []], data.n_items), query, item)
    np.testing.assert_array_equal(found[: data.n_items], found[data.n_items :])
    means = np.bincount(data.interactions.item, data.interactions.rating) / np.bincount(data.interactions.item)
    assert np.corrcoef(found[: data.n_items], means)[0, 1] > 0.6
    known = fitted.predict(data.histories(np.arange(2)), query, item)
    assert (high - low).mean() > (known[2] - known[1]).mean()


def test_views_without_a_rating_say_nothing(world, fitted):
    data = world[0]
    query, item = pairs(1, data.n_items)
    bare, viewed = told([3, 4], [5, 1], data.n_items), told([3, 9, 4, 8], [5, np.nan, 1, np.nan], data.n_items)
    np.testing.assert_array_equal(fitted.predict(viewed, query, item), fitted.predict(bare, query, item))


def test_who_liked_an_item_is_told_more_of_it_than_who_did_not(world, fitted):
    data = world[0]
    at = np.arange(data.n_items), np.arange(data.n_items)
    liked, not_liked = (
        replace(
            Histories.of([[i] for i in range(data.n_items)], data.n_items), rating=np.full(data.n_items, r, np.float32)
        )
        for r in (5, 1)
    )
    assert (fitted.predict(liked, *at)[0] > fitted.predict(not_liked, *at)[0]).all()


def test_items_without_ratings_and_items_of_one_rating_are_predicted(planted):
    data, *_ = planted(4, n_users=80, step=1.0)
    x = data.interactions
    once = np.flatnonzero(x.item == 1)[0]
    few = x.select((x.item > 1) | (np.arange(len(x)) == once))
    fitted = MODEL.fit(data.with_interactions(few))
    assert fitted.counts[:2].tolist() == [0, 1]
    query, item = pairs(80, 2)
    found, low, high = fitted.predict(Histories.of_users(few, np.arange(80)), query, item)
    assert np.isfinite([found, low, high]).all()
    assert np.abs(found - x.rating.mean()).mean() < 1.0


def test_people_who_always_say_the_same_are_predicted_to(planted):
    data, *_ = planted(5, n_users=80, step=1.0, hidden=0.0)
    x = data.interactions
    flat = np.where(x.user < 5, 5, np.where(x.user < 10, 1, x.rating)).astype(np.float32)
    data = data.with_interactions(replace(x, rating=flat))
    query, item = pairs(10, data.n_items)
    found = MODEL.fit(data).predict(data.histories(np.arange(10)), query, item)[0].reshape(10, -1)
    assert found[:5].mean() > 4.5
    assert found[5:].mean() < 1.5


def test_a_world_without_doubt_is_no_trouble(rated_data):
    """Everybody says 5 of one half and 1 of the other; deviations are as good as 0."""
    user, item = pairs(60, 20)
    data = rated_data(user, item, np.where((user + item) % 2, 5.0, 1.0), 60, 20)
    found, low, high = MODEL.fit(data).predict(stored(data), user, item)
    np.testing.assert_allclose(found, data.interactions.rating, atol=0.5)
    assert (low <= found).all()
    assert (found <= high).all()


def test_without_a_rehearsal_both_kinds_of_runs_and_tastes_count_alike(world, monkeypatch):
    data, query, item, _ = world
    monkeypatch.setattr(model.Rehearsal, "of", None)
    fitted = replace(MODEL, rehearsal=0).fit(data)
    found, low, high = fitted.predict(stored(data), query, item)
    told, deviation, _, _ = fitted.told(stored(data), query, item)
    mean, variance = told[[0, 1, 4]].mean(0), deviation**2
    np.testing.assert_allclose(found, np.clip(mean, 1, 5))
    np.testing.assert_allclose(low, np.clip(mean - 1.645 * np.sqrt(variance), 1, 5), atol=1e-3)
    np.testing.assert_allclose(high, np.clip(mean + 1.645 * np.sqrt(variance), 1, 5), atol=1e-3)


def test_of_few_ratings_there_is_no_rehearsal(planted, monkeypatch):
    data, query, item, _ = planted(0, n_users=20, step=1.0)
    assert len(data.interactions) < FEW
    monkeypatch.setattr(model.Rehearsal, "of", None)
    fitted = MODEL.fit(data)
    assert fitted.trust.weights.tolist() == [*EVEN, *np.zeros(8)]
    assert np.isfinite(fitted.predict(stored(data), query, item)).all()


def test_trust_is_learned_where_there_are_enough(fitted):
    assert fitted.trust.weights.shape == (12,)
    assert np.abs(fitted.trust.weights).max() > 0.01
    assert (fitted.trust.reach > 0).all()


def test_the_level_of_the_intervals_can_be_set(world):
    data, query, item, value = world
    narrow = replace(MODEL, trust=Trust(level=0.5)).fit(data)
    _, low, high = narrow.predict(stored(data), query, item)
    assert 0.35 < ((low <= value) & (value <= high)).mean() < 0.7


def test_the_same_data_give_the_same(world, fitted):
    data, query, item, _ = world
    again = MODEL.fit(data)
    np.testing.assert_array_equal(again.predict(stored(data), query, item), fitted.predict(stored(data), query, item))


def test_ratings_far_outside_the_scale_count_as_its_ends(world, fitted):
    data, query, item, _ = world
    x = data.interactions
    top = np.flatnonzero(x.rating == 5)[:20]
    odd = x.rating.copy()
    odd[top] = 99
    far = MODEL.fit(data.with_interactions(replace(x, rating=odd)))
    assert str(far.scale) == "1 to 5 in steps of 1"
    np.testing.assert_array_equal(far.predict(stored(data), query, item), fitted.predict(stored(data), query, item))


def test_a_history_may_hold_what_lies_outside_the_scale(world, fitted):
    query, item = pairs(1, 40)
    far, top = (fitted.predict(told([3, 4], [r, 1], 40), query, item) for r in (99, 5))
    np.testing.assert_allclose(far[0], top[0], atol=1e-9)


@pytest.mark.parametrize("step", [None, 0.1])
def test_numbers_without_steps_and_with_many_are_predicted(planted, step):
    data, query, item, value = planted(6, n_users=80, step=step)
    fitted = MODEL.fit(data)
    found, low, high = fitted.predict(stored(data), query, item)
    assert rmse(found, value) < 0.8 * value.std()
    assert 0.8 < ((low <= value) & (value <= high)).mean() <= 0.98


def test_new_items_are_told_by_their_features_alone(world, fitted):
    data, query, item, _ = world
    more = fitted.grow(np.zeros((2, 0)))
    histories = replace(stored(data), n_items=42)
    np.testing.assert_allclose(more.predict(histories, query, item), fitted.predict(stored(data), query, item))
    found, low, high = more.predict(histories, *(np.arange(80), np.full(80, 41)))
    assert ((low >= 1) & (low <= found) & (found <= high) & (high <= 5)).all()
    at = np.zeros(1, int), np.full(1, 41)
    np.testing.assert_array_equal(more.told(histories, *at)[0], np.full((5, 1), more.tastes.predict(histories, *at)))
    assert (more.counts.tolist(), len(fitted.counts)) == ([*fitted.counts, 0, 0], 40)


@pytest.mark.parametrize(("rating", "match"), [(None, "rating"), (3.0, "every rating is 3")])
def test_data_without_ratings_that_differ_are_refused_with_a_remedy(rated_data, rating, match):
    user, item = pairs(6, 5)
    data = rated_data(user, item, None if rating is None else np.full(30, rating), 6, 5)
    with pytest.raises(DataError, match=f"{match}.*warmstart fit and recommend"):
        MODEL.fit(data)


def test_pairs_that_are_not_there_are_refused(world, fitted):
    for query, item, match in (([80], [0], "query holds 80"), ([0], [40], "item holds 40"), ([0], [-1], "holds -1")):
        with pytest.raises(DataError, match=match):
            fitted.predict(stored(world[0]), np.array(query), np.array(item))
    assert fitted.predict(stored(world[0]), np.empty(0, int), np.empty(0, int))[0].shape == (0,)


@pytest.mark.parametrize(("people", "seed", "share"), [(1, 3, 0.1), (4, 0, 0.9)])
def test_a_draw_that_hides_all_is_no_rehearsal(rated_data, people, seed, share):
    """Of one person, who may be drawn as the new one."""
    rng, each = np.random.default_rng(0), 600 // people
    user, item = np.repeat(np.arange(people), each), np.tile(np.arange(each), people)
    data = rated_data(user, item, rng.integers(1, 6, 600).astype(float), people, each)
    fitted = replace(MODEL, seed=seed, rehearsal=share).fit(data)
    assert fitted.trust.weights.tolist() == [*EVEN, *np.zeros(8)]
