"""Intervals cover what they say; tests find what is there; Holm by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.evaluate.intervals import holm, intervals, paired, resample


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    samples = rng.exponential(1.0, (80, 200))  # 200 samples of 80 queries, true mean 1
    covered = [i.low <= 1 <= i.high for i in intervals(samples, n_boot=400)]
    assert 0.88 <= np.mean(covered) <= 0.99


def test_missing_queries_do_not_count():
    with_gaps = intervals(np.array([[1.0, np.nan], [3.0, np.nan]]), n_boot=50)
    assert (with_gaps[0].mean, with_gaps[0].n) == (2.0, 2)
    assert with_gaps[1].n == 0
    assert np.isnan(with_gaps[1].mean)
    assert str(with_gaps[1]) == "n/a"


def test_no_query_at_all():
    assert intervals(np.empty((0, 2)))[0].n == 0
    assert paired(np.array([np.nan]), np.array([1.0])).p == 1


def test_same_seed_same_draws_whatever_the_other_columns():
    values = np.random.default_rng(1).random((30, 3))
    np.testing.assert_allclose(resample(values, 20, 7)[:, :1], resample(values[:, :1], 20, 7))


def test_paired_test_sees_a_small_steady_gain():
    rng = np.random.default_rng(2)
    base = rng.random(300)
    test = paired(base + 0.02 + 0.01 * rng.standard_normal(300), base)
    assert test.p < 0.01
    assert test.low > 0


def test_paired_test_of_a_system_with_itself():
    v = np.random.default_rng(3).random(50)
    assert paired(v, v).p == 1


def test_false_alarms_are_about_as_rare_as_they_should_be():
    rng = np.random.default_rng(4)
    p = [paired(rng.standard_normal(60), np.zeros(60), n_boot=200, seed=s).p for s in range(200)]
    assert np.mean(np.array(p) < 0.05) < 0.12


def test_holm_by_hand():
    # sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 -> 0.02, 0.03, 0.06, 0.06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_never_lowers(p):
    adjusted = holm(p)
    assert all(a >= b and a <= 1 for a, b in zip(adjusted, p, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
