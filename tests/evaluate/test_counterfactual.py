"""Estimates of a model that was not asked agree with asking it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import DataError
from warmstart.evaluate.counterfactual import Logged, doubly_robust, ips, snips

RATES = np.array([0.05, 0.1, 0.3, 0.6])  # chance of a click of each of four items
SHOWN = np.array([0.4, 0.3, 0.2, 0.1])  # how often the logging model shows them
WANTED = np.array([0.1, 0.1, 0.2, 0.6])  # and how often the model in question would
TRUTH = float(RATES @ WANTED)


def logged(rng, n, model=None, support=SHOWN):
    item = rng.choice(4, n, p=support)
    reward = (rng.random(n) < RATES[item]).astype(float)
    given = {} if model is None else {"expected": model[item], "expected_target": np.full(n, model @ WANTED)}
    return Logged(reward, support[item], WANTED[item], **given)


@pytest.mark.parametrize("model", [RATES, np.full(4, 0.5)], ids=["a model that is right", "one that is wrong"])
def test_all_three_agree_with_the_truth(model):
    rows = logged(np.random.default_rng(0), 20_000, model)
    for estimate in (ips(rows), snips(rows), doubly_robust(rows)):
        assert estimate.value.low <= TRUTH <= estimate.value.high
        assert abs(estimate.value.mean - TRUTH) < 0.03
        assert estimate.warnings == ()
    naive = rows.reward.mean()
    assert abs(naive - TRUTH) > 0.2


def test_a_wrong_propensity_is_mended_by_a_right_model_and_is_noticed():
    rows = logged(np.random.default_rng(1), 20_000, RATES)
    wrong = Logged(rows.reward, np.full(20_000, 0.25), rows.target, None, rows.expected, rows.expected_target)
    assert abs(doubly_robust(wrong).value.mean - TRUTH) < 0.02 < abs(ips(wrong).value.mean - TRUTH)
    over = Logged(rows.reward, rows.propensity / 2, rows.target)
    assert "are not those it was shown by" in " ".join(ips(over).warnings)


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(2)
    kinds = {"ips": 0, "snips": 0, "dr": 0}
    for _ in range(200):
        rows = logged(rng, 1500, RATES + 0.05)
        for name, estimate in zip(kinds, (ips(rows), snips(rows), doubly_robust(rows)), strict=True):
            kinds[name] += not estimate.value.low <= TRUTH <= estimate.value.high
    assert max(kinds.values()) <= 6  # one look at a sequence: far below 5 %


def test_a_reward_model_and_normalising_narrow_the_interval():
    rows = logged(np.random.default_rng(3), 5000, RATES)
    widths = [e.value.high - e.value.low for e in (doubly_robust(rows), snips(rows), ips(rows))]
    assert widths == sorted(widths)


def test_missing_support_is_told():
    rows = logged(np.random.default_rng(4), 5000, support=np.array([0.5, 0.3, 0.2, 0.0]))
    estimate = ips(rows)
    assert estimate.mean_weight == pytest.approx(0.4, abs=0.05)
    assert "about 6" in estimate.warnings[0]
    assert "had no chance to be shown" in estimate.warnings[0]


def test_a_model_that_shows_only_other_things_is_told_of_by_nothing():
    estimate = snips(Logged(np.ones(500), np.full(500, 0.5), np.zeros(500)))
    assert np.isnan(estimate.value.mean)
    assert "about 100%" in estimate.warnings[0]
    assert estimate.effective == 0


def test_nothing_left_to_chance_is_told():
    always = np.ones(300)
    assert "nothing was left to chance" in ips(Logged(always, always, always)).warnings[0]


def test_clipping_cuts_weights_and_says_so():
    rows = logged(np.random.default_rng(5), 4000)
    cut = ips(rows, clip=3.0)
    assert cut.value.mean < ips(rows).value.mean
    assert cut.clipped == pytest.approx(0.1, abs=0.02)
    assert cut.effective > ips(rows).effective
    assert any("were cut" in warning for warning in cut.warnings)


def test_places_of_one_answer_are_not_taken_for_independent():
    once = logged(np.random.default_rng(6), 1000)
    columns = (np.repeat(a, 9) for a in (once.reward, once.propensity, once.target))
    again = Logged(*columns, group=np.repeat(np.arange(1000), 9))
    alone = ips(once).value
    joined = ips(again).value
    assert (joined.mean, joined.low, joined.n) == pytest.approx((alone.mean, alone.low, 1000))


@given(st.floats(0.05, 1), st.integers(1, 50))
def test_the_model_that_was_shown_earned_what_it_earned(propensity, n):
    reward = (np.arange(n) % 3 == 0).astype(float)
    same = np.full(n, propensity)
    rows = Logged(reward, same, same, None, same / 2, same / 2)
    for estimate in (ips(rows), snips(rows), doubly_robust(rows)):
        assert estimate.value.mean == pytest.approx(reward.mean())
        assert estimate.effective == pytest.approx(n)


def test_nothing_logged():
    empty = np.zeros(0)
    assert ips(Logged(empty, empty, empty)).warnings == ("no place was logged",)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (([1.0], [0.0], [0.5]), "propensity is not in"),
        (([1.0], [np.nan], [0.5]), "propensity is not in"),
        (([1.0], [0.5], [1.5]), "target probability"),
        (([np.nan], [0.5], [0.5]), "reward is not finite"),
        (([1.0], [0.5, 0.5], [0.5]), "one value in each"),
    ],
)
def test_mistakes_are_told(rows, told):
    with pytest.raises(DataError, match=told):
        Logged(*(np.array(column) for column in rows))


def test_the_doubly_robust_estimate_needs_a_model():
    with pytest.raises(DataError, match="use ips or snips"):
        doubly_robust(logged(np.random.default_rng(7), 10))
