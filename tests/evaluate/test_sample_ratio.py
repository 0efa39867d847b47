"""Unequal halves are noticed; equal ones hardly ever alarm, however often they are looked at."""

import numpy as np
import pytest
from scipy.special import gammaln

from warmstart.errors import DataError
from warmstart.evaluate.sample_ratio import ALARM, STRENGTH, sample_ratio


def test_fair_halves_do_not_alarm_at_any_look():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        counts = rng.multinomial(200, [0.5, 0.3, 0.2], size=30).cumsum(axis=0)
        alarms += any(sample_ratio(row, [5, 3, 2]).mismatch for row in counts)
    assert alarms / 200 <= 0.02


def test_pearson_looked_at_daily_alarms_too_often():
    counts = np.random.default_rng(1).multinomial(100, [0.5, 0.5], size=(100, 60)).cumsum(axis=1)
    often = [any(sample_ratio(row, [1, 1]).chi_square_p < ALARM for row in stream) for stream in counts]
    assert np.mean(often) > 2 * ALARM


def test_a_loss_of_a_tenth_is_noticed():
    rng = np.random.default_rng(2)
    noticed = [sample_ratio([rng.binomial(15_000, 0.5), rng.binomial(13_500, 0.5)], [1, 1]).mismatch for _ in range(50)]
    assert np.mean(noticed) > 0.9


def test_by_hand():
    fair = sample_ratio([60, 40], [1, 1])
    prior = STRENGTH / 2
    factor = (
        gammaln(STRENGTH) - gammaln(STRENGTH + 100) + gammaln(prior + 60) + gammaln(prior + 40) - 2 * gammaln(prior)
    )
    assert fair.p == pytest.approx(min(1, np.exp(-(factor + 100 * np.log(2)))))
    assert fair.chi_square_p == pytest.approx(0.0455, abs=1e-4)
    assert fair.expected == (50, 50)


def test_nobody_yet():
    assert sample_ratio([0, 0], [1, 1]).p == 1


@pytest.mark.parametrize(("counts", "shares"), [([1], [1]), ([1, 2], [1]), ([1, 2], [1, 0]), ([-1, 2], [1, 1])])
def test_mistakes_are_told(counts, shares):
    with pytest.raises(DataError, match="do not match"):
        sample_ratio(counts, shares)
