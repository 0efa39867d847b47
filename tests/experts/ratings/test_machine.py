"""Factorisation machines: planted worlds, scales, seeds, and how they fail."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, MissingExtra
from warmstart.experts.ratings.bias import Bias
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.rated import Predictor, Rated

ONE = Chain(heard=False)
LEVELS = np.arange(1.0, 6.0)


def small(*chains, **settings):
    return FactorisationMachine(chains or (ONE,), **({"rank": 2, "steps": 30, "dropped": 10, "kept": 5} | settings))


def fit(machine, data, levels=LEVELS):
    return machine.fit(data, Rated.of(data.interactions), levels)


def rmse(model, data, query, item, value):
    return np.sqrt(((model.predict(data.histories(np.arange(data.n_users)), query, item) - value) ** 2).mean())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("heard", [True, False])
def test_planted_factors_are_found(planted, seed, ordered, heard):
    data, *hidden = planted(seed, step=1.0 if ordered else None)
    fitted = fit(small(Chain(ordered=ordered, heard=heard)), data, LEVELS if ordered else np.empty(0))
    bias = Bias().fit(Rated.of(data.interactions))
    assert rmse(fitted, data, *hidden) < 0.7 * rmse(bias, data, *hidden)


def test_the_same_seed_gives_the_same_and_another_does_not(planted):
    data, query, item, _ = planted(1, step=1.0)
    histories = data.histories(np.arange(data.n_users))
    one, same, other = (fit(small(seed=seed), data).predict(histories, query, item) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


def test_each_run_takes_the_next_seed(planted):
    data, *_ = planted(1, step=1.0)
    both, second = fit(small(ONE, ONE, seed=7), data).draws, fit(small(seed=8), data).draws
    np.testing.assert_array_equal(both[1].item, second[0].item)
    assert np.abs(both[0].item - both[1].item).max() > 1e-3


def test_as_many_draws_are_kept_as_told_the_last_among_them(planted):
    data, *_ = planted(1, step=1.0)
    few, all_of_them = (fit(small(kept=kept), data).draws[0] for kept in (5, 20))
    assert few.item.shape == (5, data.n_items, 3)
    np.testing.assert_array_equal(few.item, all_of_them.item[np.linspace(0, 19, 5).round().astype(int)])


@pytest.mark.parametrize("levels", [np.empty(0), np.linspace(1, 5, 30), np.array([3.0])])
def test_scales_without_steps_or_with_many_are_numbers(planted, levels):
    data, query, item, value = planted(0)
    fitted = fit(small(Chain(ordered=True, heard=False)), data, levels)
    assert fitted.levels.shape == (0,)
    assert fitted.draws[0].cuts.shape == (5, 0)
    assert rmse(fitted, data, query, item, value) < 0.8 * value.std()


def test_twenty_levels_are_steps_and_of_the_gaussian_they_are_not(planted):
    data, *_ = planted(0, step=0.25)
    fitted = fit(small(ONE, Chain(ordered=False, heard=False)), data, np.arange(1, 5.25, 0.25))
    assert [run.cuts.shape for run in fitted.draws] == [(5, 16), (5, 0)]
    assert (np.diff(fitted.draws[0].cuts, axis=1) >= 0).all()


def test_steps_are_told_however_float32_writes_them(planted):
    """0.3 is 0.30000001 there; it is the step 0.3, not 0.4."""
    data, query, item, _ = planted(0, step=1.0)
    x = data.interactions
    tenths = data.with_interactions(replace(x, rating=(x.rating / 10).astype(np.float32)))
    histories = data.histories(np.arange(data.n_users))
    small_steps = replace(histories, rating=(histories.rating / 10).astype(np.float32))
    whole = fit(small(), data).predict(histories, query, item)
    found = fit(small(), tenths, np.linspace(0.1, 0.5, 5)).predict(small_steps, query, item)
    np.testing.assert_allclose(found, whole / 10, atol=1e-4)


@pytest.mark.parametrize("missing", [1.0, 3.0, 5.0])
def test_a_step_that_nobody_takes_is_left_out(planted, missing):
    """As in a rehearsal, where the few of it may all be hidden; a history may hold it all the same."""
    data, query, item, _ = planted(0, step=1.0)
    without = data.with_interactions(data.interactions.select(data.interactions.rating != missing))
    fitted = fit(small(), without)
    assert fitted.levels.tolist() == [level for level in LEVELS if level != missing]
    found = fitted.predict(data.histories(np.arange(data.n_users)), query, item)
    assert ((found >= 1) & (found <= 5)).all()


def test_likes_and_dislikes_are_a_scale(planted):
    data, query, item, value = planted(0)
    x = data.interactions
    likes = data.with_interactions(replace(x, rating=(x.rating > 3).astype(np.float32)))
    fitted = fit(small(), likes, np.array([0.0, 1.0]))
    found = fitted.predict(likes.histories(np.arange(60)), query, item)
    assert found.min() >= 0
    assert found.max() <= 1
    bias = Bias().fit(Rated.of(likes.interactions))
    assert rmse(fitted, likes, query, item, value > 3) < 0.95 * rmse(bias, likes, query, item, value > 3)


def ratings_of(n_users, n_items, n):
    user, item = np.divmod(np.arange(n_users * n_items), n_items)
    rows = np.random.default_rng(0).permutation(n_users * n_items)[:n]
    return Rated.of(Interactions.of(user[rows], item[rows], n_users, n_items, rating=np.ones(n)))


def test_the_rank_is_what_the_ratings_bear():
    assert FactorisationMachine(per=3.0).rank_of(ratings_of(20, 20, 400)) == 3  # 400 / (3 * 40)
    assert FactorisationMachine(per=3.0, rank=2).rank_of(ratings_of(20, 20, 400)) == 2
    assert FactorisationMachine(per=1.0).rank_of(ratings_of(20, 20, 400)) == 10
    assert FactorisationMachine().rank_of(ratings_of(20, 20, 5)) == 1
    assert FactorisationMachine().rank_of(ratings_of(20, 20, 0)) == 1
    wide = replace(ratings_of(20, 20, 400), n_users=10_000)  # those who rated nothing do not count
    assert FactorisationMachine().rank_of(wide) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"chains": ()}, {"rank": 0}, {"kept": 0}, {"dropped": -1}, {"steps": 10, "dropped": 6, "kept": 5}, {"per": 0.0}],
)
def test_settings_that_leave_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match="steps >= dropped"):
        FactorisationMachine(**wrong)


def test_it_says_nothing_on_the_terminal(planted, capfd):
    data, query, item, _ = planted(0, step=1.0)
    fit(small(ONE, Chain(ordered=False)), data).predict(data.histories(np.arange(60)), query, item)
    assert capfd.readouterr() == ("", "")


def test_progress_is_told_by_draw(planted):
    data, told = planted(0, step=1.0)[0], []
    small(ONE, ONE).fit(data, Rated.of(data.interactions), LEVELS, lambda *at: told.append(at))
    steps = small(ONE).steps
    assert [at[1:] for at in told] == [(n, 2 * steps) for n in range(2 * steps)]


def test_without_the_library_it_says_what_to_install(planted, monkeypatch):
    monkeypatch.setitem(sys.modules, "myfm", None)
    with pytest.raises(MissingExtra, match=r"'myfm' is not installed.*pip install 'warmstart\[ratings\]'"):
        fit(small(), planted(0, step=1.0)[0])


def test_facts_of_items_and_people_help_where_nobody_has_rated(planted, rated_data):
    """Cooks like items of one kind, smiths of the other; new people and new items are told by that alone."""
    rng = np.random.default_rng(0)
    cook, sweet = rng.random(80) < 0.5, rng.random(40) < 0.5
    user, item = np.nonzero(rng.random((60, 30)) < 0.4)
    rating = np.clip(np.round(3 + 1.5 * np.where(cook[user] == sweet[item], 1, -1) + rng.normal(size=len(user))), 1, 5)
    people, items = {"job": np.where(cook, "cook", "smith")}, {"taste": np.where(sweet, "sweet", "sour")}
    data = rated_data(user, item, rating, 80, 40, people=people, items=items)
    query, new = (side.ravel() for side in np.meshgrid(np.arange(60, 80), np.arange(30, 40)))
    found = fit(small(), data).predict(data.histories(np.arange(80)), query, new)
    alike = cook[query] == sweet[new]
    assert found[alike].mean() > found[~alike].mean() + 1.5
    blind = fit(small(Chain(facts=False, heard=False)), data).predict(data.histories(np.arange(80)), query, new)
    assert np.abs(blind[alike].mean() - blind[~alike].mean()) < 0.5


def test_features_of_items_tell_those_that_nobody_has_rated(planted, rated_data):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(40, 6)).astype(np.float32) * np.array([3, 1, 1, 1, 1, 1], np.float32)
    user, item = np.nonzero(rng.random((60, 30)) < 0.5)
    rating = 3 + 0.5 * z[item, 0] + 0.3 * rng.normal(size=len(user))
    data = rated_data(user, item, rating, 60, 40, features=z)
    new = np.arange(30, 40)
    found = fit(small(Chain(text=1, heard=False)), data, np.empty(0)).predict(
        Histories.of([[]], 40), np.zeros(10, int), new
    )
    assert np.corrcoef(found, z[new, 0])[0, 1] > 0.95


def test_it_is_a_predictor(planted):
    assert isinstance(fit(small(), planted(0, step=1.0)[0]), Predictor)
