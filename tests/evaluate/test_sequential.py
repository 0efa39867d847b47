"""Confidence sequences hold the truth at all looks; who peeks at usual intervals does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.evaluate.sequential import (
    START,
    Sample,
    always_valid_p,
    confidence_sequence,
    difference,
    mixture_variance,
)


def looks(values, every=100):
    """Samples of the first 100, 200, ... columns of each row."""
    ends = np.arange(every, values.shape[1] + 1, every)
    return [[Sample.of(row[:end]) for end in ends] for row in values]


def test_the_truth_is_held_at_all_looks_together():
    streams = np.random.default_rng(0).exponential(1.0, (200, 4000))
    missed = usual = 0
    for stream in looks(streams):
        limits = [confidence_sequence(sample) for sample in stream]
        missed += any(not i.low <= 1 <= i.high for i in limits)
        usual += any(abs(s.mean - 1) > 1.96 * np.sqrt(s.variance / s.n) for s in stream)
    assert missed <= 16  # 5 % of 200, and two deviations more
    assert usual >= 50  # forty looks at usual intervals


def test_p_rarely_falls_where_nothing_is_to_be_found():
    streams = np.random.default_rng(1).standard_normal((200, 3000))
    least = np.array([min(always_valid_p(s) for s in stream) for stream in looks(streams)])
    assert (least <= 0.05).mean() <= 0.08
    assert (least <= 0.5).mean() <= 0.6


def test_a_difference_that_is_there_is_found():
    rng = np.random.default_rng(2)
    found = [
        always_valid_p(difference(Sample.of(rng.normal(0.2, 1, 1000)), Sample.of(rng.normal(0, 1, 1000)))) < 0.05
        for _ in range(100)
    ]
    assert np.mean(found) > 0.85  # 4.5 standard errors, against a limit of 3.1


def test_differences_are_held_at_all_looks_together():
    rng = np.random.default_rng(3)
    a, b = rng.random((150, 2000)) < 0.1, rng.random((150, 4000)) < 0.1
    missed = 0
    for one, two in zip(looks(a.astype(float)), looks(b.astype(float), 200), strict=True):
        limits = [confidence_sequence(difference(x, y)) for x, y in zip(one, two, strict=True)]
        missed += any(not i.low <= 0 <= i.high for i in limits)
    assert missed <= 13


@given(st.integers(START, 10**6), st.floats(-1, 1), st.floats(0.01, 4), st.sampled_from([0.9, 0.95, 0.99]))
def test_p_and_interval_agree(n, mean, variance, level):
    sample = Sample(n, mean, variance)
    limits, p = confidence_sequence(sample, level), always_valid_p(sample, level=level)
    if abs(p - (1 - level)) > 1e-9:
        assert (p < 1 - level) == (not limits.low <= 0 <= limits.high)


def test_the_interval_is_narrowest_at_its_horizon():
    def errors(horizon):
        return confidence_sequence(Sample(1000, 0.0, 1000.0), horizon=horizon).high

    assert errors(1000) < min(errors(500), errors(2000))
    assert errors(1000) == pytest.approx(3.035, abs=0.001)  # sqrt(1 + 8.212)


def test_few_or_alike_say_nothing():
    for sample in (Sample(START - 1, 0.5, 1.0), Sample(500, 0.0, 0.0), Sample.of(np.array([])), Sample.of(np.ones(1))):
        limits = confidence_sequence(sample)
        assert (limits.low, limits.high) == (-np.inf, np.inf)
        assert always_valid_p(sample, null=0.1) == 1
    assert not difference(Sample(500, 0.0, 0.0), Sample(500, 1.0, 1.0)).enough


def test_missing_values_do_not_count():
    assert Sample.of(np.array([np.nan, 2.0, 4.0])) == Sample(2, 3.0, 2.0)


@pytest.mark.parametrize(("level", "horizon", "told"), [(1.0, 10, "level=1 is not"), (0.95, 0, "horizon=0 is below 1")])
def test_mistakes_are_told(level, horizon, told):
    with pytest.raises(ConfigError, match=told):
        mixture_variance(level, horizon)
