"""Rates count people, not places; exact where there are few."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.evaluate.rates import EVENTS, Tally, evidence, exact_rate, rate_difference, rate_interval


def people(rng, n, rate, spread, shown):
    """Clicks and places of n people: each has a rate of their own (Beta with mean ``rate``)."""
    own = rng.beta(rate * spread, (1 - rate) * spread, n)
    x = rng.integers(1, shown + 1, n)
    return rng.binomial(x, own).astype(float), x.astype(float)


def test_exact_rates_hold_the_truth_at_every_look():
    clicks = np.random.default_rng(0).random((200, 300)) < 0.05
    successes = clicks.cumsum(axis=1)
    missed = sum(
        any(not (i := exact_rate(row[t], t + 1)).low <= 0.05 <= i.high for t in range(0, 300, 10)) for row in successes
    )
    assert missed <= 16


@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from([0.8, 0.95]))
def test_exact_limits_are_where_the_evidence_says(s, f, level):
    limits = exact_rate(s, s + f, level)
    for limit in (limits.low, limits.high):
        if 1e-9 < limit < 1 - 1e-9:
            assert evidence(s, f, limit) == pytest.approx(-np.log(1 - level), abs=1e-6)
    if s + f:
        assert limits.low <= limits.mean <= limits.high


def test_a_rate_by_hand():
    tally = Tally.of(np.array([0.0, 2.0, 1.0]), np.array([2.0, 2.0, 4.0]))
    assert (tally.rate, tally.independent) == (3 / 8, 64 / 24)
    residuals = np.array([-0.75, 1.25, -0.5])
    assert tally.sample.variance == pytest.approx(residuals @ residuals / 2 / (8 / 3) ** 2)


def test_tallies_add_up():
    y, x = people(np.random.default_rng(1), 60, 0.2, 5, 6)
    joined, parts = Tally.of(y, x), Tally.of(y[:20], x[:20]) + Tally.of(y[20:], x[20:])
    assert joined == parts


def test_differences_of_people_who_come_back_are_not_seen_where_there_are_none():
    """People arrive, stay, and click more and more: the rates of both halves are looked at every day."""
    rng = np.random.default_rng(2)
    alarms = naive = 0
    for _ in range(150):
        own = rng.beta(0.2, 1.8, 600)
        y, x = np.zeros(600), np.zeros(600)
        alarm = naively = False
        for day in range(20):
            here = np.arange(600) < 30 * (day + 1)
            shown = rng.integers(0, 8, 600) * here
            y, x = y + rng.binomial(shown, own), x + shown
            a, b = (
                Tally.of(y[half][x[half] > 0], x[half][x[half] > 0]) for half in (slice(0, None, 2), slice(1, None, 2))
            )
            alarm |= rate_difference(a, b).p < 0.05
            pooled = (a.y + b.y) / (a.x + b.x)
            error = np.sqrt(pooled * (1 - pooled) * (1 / a.x + 1 / b.x))
            naively |= abs(a.rate - b.rate) > 1.96 * error
        alarms += alarm
        naive += naively
    assert alarms <= 13  # 5 % of 150, and two deviations more
    assert naive >= 75  # places taken for independent, looked at daily


def test_a_better_variant_is_found():
    rng = np.random.default_rng(3)
    found = [
        rate_difference(Tally.of(*people(rng, 2000, 0.13, 10, 10)), Tally.of(*people(rng, 2000, 0.10, 10, 10))).low > 0
        for _ in range(60)
    ]
    assert np.mean(found) > 0.9


def test_few_clicks_are_compared_exactly():
    few = Tally.of(np.repeat([1.0, 0.0], [EVENTS - 1, 400]), np.ones(EVENTS - 1 + 400))
    none, most = Tally.of(np.zeros(400), np.ones(400)), Tally.of(np.ones(400), np.ones(400))
    unsure, sure = rate_difference(few, few), rate_difference(most, none)
    assert unsure.low < 0 < unsure.high
    assert (unsure.p, sure.p) == (1.0, pytest.approx(0.05))
    assert 0.9 < sure.low < sure.high <= 1


def test_one_person_with_many_places_is_one_trial():
    lonely = rate_interval(Tally.of(np.array([900.0]), np.array([1000.0])))
    assert (lonely.n, lonely.high) == (1, 1.0)
    assert lonely.low < 0.2


def test_nothing_shown():
    limits = rate_interval(Tally.of(np.zeros(0), np.zeros(0)))
    assert np.isnan(limits.mean)
    assert (limits.low, limits.high, limits.n) == (0.0, 1.0, 0)


def test_limits_stay_within_what_is_possible():
    rare = rate_interval(Tally.of(np.repeat([1.0, 0.0], [EVENTS, 10**5]), np.ones(10**5 + EVENTS)))
    assert 0 <= rare.low < rare.mean < rare.high < 0.001
