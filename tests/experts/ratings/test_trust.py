"""Whom to trust, and how sure to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.experts.ratings.trust import BINS, ENOUGH, FittedTrust, Trust, design, reach


def world(seed, n, width=1.0):
    """The second model is right of people with few ratings, the first of the others."""
    rng = np.random.default_rng(seed)
    heard, known = rng.choice([0, 1, 2, 4, 8, 16, 64], n), rng.integers(0, 100, n)
    answer = rng.normal(3, 1, n)
    few = heard < 3
    told = answer + rng.normal(size=(2, n)) * np.where(few, [[1.5], [0.3]], [[0.3], [1.5]]) * width
    return told, np.ones(n), heard, known, answer


def rmse(found, answer):
    return np.sqrt(((found - answer) ** 2).mean())


@pytest.mark.parametrize("seed", range(3))
def test_joined_by_how_much_is_known_they_are_better_than_either(seed):
    trust = Trust().fit(*world(seed, 4000))
    told, *rest, answer = world(seed + 100, 4000)
    found, _ = trust(told, *rest)
    assert rmse(found, answer) < 0.8 * min(rmse(one, answer) for one in told)


def test_weights_are_the_ridge_of_their_definition():
    """By gradients: at the solution the penalised error does not change."""
    told, spread, heard, known, answer = world(0, 300)
    trust = Trust(ridge=50.0)
    weights = trust.fit(told, spread, heard, known, answer).weights
    met = known > 0
    x, left = design(told, heard, known)[met], (answer - told[0])[met]

    def loss(w):
        return ((left - x @ w) ** 2).sum() + 50.0 * ((x**2).mean(0) * w**2).sum()

    slopes = [loss(weights + h) - loss(weights - h) for h in 1e-4 * np.eye(len(weights))]
    np.testing.assert_allclose(np.array(slopes) / 2e-4, 0, atol=1e-4)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), n_models=st.integers(1, 4))
def test_ratings_are_what_the_formula_says(seed, n_models):
    rng = np.random.default_rng(seed)
    told, spread = rng.normal(size=(n_models, 6)), rng.uniform(0.1, 2, 6)
    heard, known = rng.integers(0, 40, 6), rng.integers(0, 40, 6)
    weights, reaches = rng.normal(size=3 * (n_models - 1)), rng.uniform(1, 2, len(BINS))
    mean, half = FittedTrust(weights, np.array(BINS), reaches, 3.0, 0.9)(told, spread, heard, known)
    a, b, c = weights.reshape(3, -1)
    for p in range(6):
        by_count = a + b * np.log(1 + heard[p]) / 3 + c * np.log(1 + known[p]) / 4
        assert mean[p] == pytest.approx(told[0, p] + ((told[1:, p] - told[0, p]) * by_count).sum())
        place = sum(heard[p] >= edge for edge in BINS) - 1
        assert half[p] == pytest.approx(spread[p] * (reaches[place] if known[p] else 3.0))


def test_models_that_agree_are_believed():
    told, spread, heard, known, answer = world(1, 500)
    trust = Trust().fit(told, spread, heard, known, answer)
    np.testing.assert_allclose(trust(np.stack([answer, answer]), spread, heard, known)[0], answer)


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_intervals_hold_the_share_they_promise_in_every_bin(level):
    """Errors of people of few ratings are three times as wide, which the machine does not say."""

    def draw(seed, n=8000):
        rng = np.random.default_rng(seed)
        heard, spread = rng.choice([0, 2, 8, 32], n), rng.uniform(0.5, 2.0, n)
        error = spread * rng.standard_t(5, n) * np.where(heard < 4, 3.0, 1.0)
        return np.zeros((1, n)), spread, heard, np.full(n, 5), error

    trust = Trust(level=level).fit(*draw(0))
    *asked, answer = draw(1)
    mean, half = trust(*asked)
    inside = np.abs(answer - mean) <= half
    for heard in (0, 2, 8, 32):
        here = inside[asked[2] == heard]
        assert here.mean() == pytest.approx(level, abs=4 * np.sqrt(2 * level * (1 - level) / len(here)))
    assert trust.reach[0] > 2 * trust.reach[-1]


def test_bins_of_few_answers_take_what_holds_for_all():
    rng = np.random.default_rng(0)
    heard = np.repeat([0, 2, 8], [ENOUGH, ENOUGH - 1, 3 * ENOUGH])
    off = rng.exponential(1 + heard)
    trust = Trust().fit(np.zeros((1, len(off))), np.ones(len(off)), heard, np.ones(len(off)), off)
    every = reach(off, 0.9)
    by_bin = dict(zip(trust.bins.tolist(), trust.reach.tolist(), strict=True))
    assert by_bin[2] == by_bin[1] == by_bin[32] == every
    assert by_bin[0] == reach(off[heard == 0], 0.9) < every
    assert by_bin[8] == reach(off[heard == 8], 0.9) > every


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), level=st.sampled_from([0.5, 0.8, 0.9]))
def test_the_reach_is_the_least_that_holds_enough(seed, n, level):
    off = np.random.default_rng(seed).exponential(size=n)
    found = reach(off, level)
    assert found in off
    if level * (n + 1) <= n:
        assert (off <= found).sum() >= level * (n + 1) - 1e-9
        assert (off < found).sum() < level * (n + 1)
    else:
        assert found == off.max()


@pytest.mark.parametrize(("level", "usual"), [(0.9, 1.645), (0.5, 0.674)])
def test_without_answers_what_was_believed_stays(level, usual):
    trust = Trust(level=level).untried(np.array([0.25, 0.5]))
    assert trust.weights.tolist() == [0.25, 0.5, 0.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(trust.reach, usual, atol=1e-3)
    assert len(trust.reach) == len(trust.bins)


@pytest.mark.parametrize(
    ("wrong", "told"), [({"level": 1.0}, "level=1 "), ({"level": 0.0}, "level=0 "), ({"ridge": -1.0}, "ridge=-1 ")]
)
def test_mistakes_are_told(wrong, told):
    with pytest.raises(ConfigError, match=told):
        Trust(**wrong)


def test_of_few_answers_little_is_learned():
    """The ridge counts in answers, 300 here: ten of them move nothing far, 20 000 tell all."""
    few, many = (world(seed, n) for seed, n in ((0, 10), (1, 20_000)))
    told, *asked = many[:4]
    start, end = rmse(told[0], told[1]), []
    for told_so in (few, many):
        trust = Trust(ridge=300.0).fit(*told_so[:4], told_so[0][1])  # the second model is right
        end.append(rmse(trust(told, *asked)[0], told[1]))
    assert end[0] > 0.9 * start
    assert end[1] < 0.1 * start


def test_a_model_that_says_the_same_as_the_machine_gets_no_weight():
    told, *rest = world(0, 500)
    trust = Trust().fit(np.stack([told[0], told[0]]), *rest)
    assert trust.weights.tolist() == [0.0] * 3


@pytest.mark.parametrize(("n", "near"), [(20, True), (20_000, False)])
def test_few_answers_leave_what_was_believed(n, near):
    told, *asked, answer = world(0, n)
    prior = np.array([0.5])
    found = Trust(ridge=3000.0).fit(told, *asked, answer, prior)
    assert (np.abs(found.weights[0] - 0.5) < 0.02) == near


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_items_without_ratings_have_a_reach_of_their_own(level):
    """Errors of theirs are twice as wide, which the machine does not say."""

    def draw(seed, n=8000):
        rng = np.random.default_rng(seed)
        heard, known = rng.choice([0, 2, 8, 32], n), rng.choice([0, 3, 30], n, p=[0.1, 0.3, 0.6])
        error = rng.normal(size=n) * np.where(known > 0, 1.0, 2.0)
        return np.zeros((1, n)), np.ones(n), heard, known, error

    trust = Trust(level=level).fit(*draw(0))
    *asked, answer = draw(1)
    mean, half = trust(*asked)
    inside = np.abs(answer - mean) <= half
    for unmet in (True, False):
        here = inside[(asked[3] == 0) == unmet]
        assert here.mean() == pytest.approx(level, abs=4 * np.sqrt(2 * level * (1 - level) / len(here)))
    assert trust.unmet == pytest.approx(2 * trust.reach.mean(), rel=0.15)
    assert trust.level == level


def test_few_answers_of_items_without_ratings_take_what_holds_for_all():
    rng = np.random.default_rng(0)
    known = np.repeat([0, 9], [ENOUGH - 1, 3 * ENOUGH])
    off = rng.exponential(1 + (known == 0))
    trust = Trust().fit(np.zeros((1, len(off))), np.ones(len(off)), known, known, off)
    assert trust.unmet == reach(off[known > 0], 0.9)
