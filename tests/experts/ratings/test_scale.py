"""The scale of ratings: found, told in words, and kept apart from what lies outside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.errors import ConfigError, DataError
from warmstart.experts.ratings.scale import RatingScale, core, step_of


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2, 3, 4, 5], "1 to 5 in steps of 1"),
        ([1, 5, 4, 2], "1 to 5 in steps of 1"),
        ([0, 1], "0 to 1 in steps of 1"),
        (np.arange(1, 11), "1 to 10 in steps of 1"),
        (np.arange(1, 11) / 2, "0.5 to 5 in steps of 0.5"),
        (np.array([0.0, 0.1, 0.3, 0.7, 1.0], np.float32), "0 to 1 in steps of 0.1"),
        (np.linspace(0, 1, 101, dtype=np.float32), "0 to 1 in steps of 0.01"),
        (np.array([1, 4 / 3, 5 / 3, 2, 5], np.float32), "1 to 5 in steps of 0.333333"),
        (np.round(np.linspace(-10, 10, 2001), 2), "-10 to 10 in steps of 0.01"),
        ([10, 20, 50, 100], "10 to 100 in steps of 10"),
        ([-1, 1], "-1 to 1 in steps of 2"),
        (np.append(np.random.default_rng(0).random(500), [0, 1]), "0 to 1, continuous"),
        ([0, 0.1300001, 0.7141592, 1], "0 to 1, continuous"),
    ],
)
def test_scales_are_found_and_told(values, words):
    assert str(RatingScale.of(np.asarray(values))) == words


def test_levels_are_listed_up_to_a_hundred_and_one():
    assert RatingScale(0.5, 2, 0.5).levels.tolist() == [0.5, 1.0, 1.5, 2.0]
    assert len(RatingScale(0, 1, 0.01).levels) == 101
    assert len(RatingScale(0, 101, 1).levels) == 0
    assert len(RatingScale(0, 1).levels) == 0


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    low=st.integers(-20, 20),
    n=st.integers(2, 101),
    step=st.sampled_from([0.01, 0.1, 0.25, 0.5, 1.0, 5.0]),
    seed=st.integers(0, 999),
)
def test_any_grid_of_float32_is_found_from_values_on_it(low, n, step, seed):
    grid = low * step + step * np.arange(n)
    values = np.random.default_rng(seed).permutation(np.tile(grid, 2)).astype(np.float32)
    scale = RatingScale.of(values)
    assert scale.step == pytest.approx(step, rel=1e-5)
    np.testing.assert_allclose(scale.levels, grid, rtol=1e-5, atol=1e-5)
    assert not len(scale.check(values))
    assert RatingScale.of(values[::-1]) == scale


@pytest.mark.parametrize("wrong", [[99] * 3, [-99, 99], [-999, 99, 99], [55.0]])
def test_a_few_values_far_away_lie_outside(wrong):
    values = np.array([1, 2, 3, 4, 5] * 20 + list(wrong), float)
    scale = RatingScale.of(values)
    assert (scale.low, scale.high, scale.step) == (1.0, 5.0, 1.0)
    outside = scale.check(values)
    assert len(outside) == len(wrong)
    assert f"{len(wrong)} of {len(values)} ratings lie outside 1 to 5" in str(outside)
    assert scale.clip(np.array(wrong)).tolist() == [1.0 if w < 1 else 5.0 for w in wrong]


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3, 4, 5] * 20 + [10],  # may be a scale of ten
        [1, 2, 3, 4, 5] * 20 + [0.5],
        [4, 5] * 40 + [1, 2],
        [1, 2, 3, 4, 5] * 20 + [99] * 10,  # too many to be mistakes
        [0] * 90 + [1, 2],
        [0] * 98 + [1],  # nothing would be left to tell apart
    ],
)
def test_what_is_near_or_frequent_or_needed_stays_inside(values):
    scale = RatingScale.of(np.array(values, float))
    assert (scale.low, scale.high) == (min(values), max(values))


def test_a_core_is_looked_for_behind_several_gaps():
    assert core(np.array([-99.0, 1, 2, 3, 99, 1e6]), np.array([1, 40, 40, 40, 2, 1])) == (1, 4)
    assert core(np.array([1.0, 2, 3, 4, 99]), np.array([1, 40, 40, 40, 1])) == (0, 4)  # a rare 1 is a level
    assert core(np.array([1.0, 2.0]), np.array([99, 1])) == (0, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "no rating among 0 events"),
        ([np.nan] * 3, "no rating among 3 events (all are empty, or were left out for being rare or all the same"),
        ([1.0, 1.0, np.nan], "every rating is 1, among 2: nothing tells them apart; give a column of ratings"),
        ([1.0, np.inf], "inf is among the ratings; drop such rows"),
    ],
)
def test_what_is_no_scale_is_refused_with_a_remedy(values, message):
    with pytest.raises(DataError) as refused:
        RatingScale.of(np.array(values))
    assert message in str(refused.value)


def test_implicit_data_are_sent_to_ranking():
    with pytest.raises(DataError, match="warmstart fit and recommend"):
        RatingScale.of(np.full(4, np.nan))
    with pytest.raises(DataError, match="warmstart fit and recommend"):
        RatingScale.of(np.ones(4))


def test_a_declared_scale_counts_what_lies_outside_and_refuses_only_if_all_does():
    scale = RatingScale(1, 5, 1)
    outside = scale.check(np.array([0, 1, 5, 7, 9, np.nan]))
    assert (outside.below, outside.above, outside.n, outside.least, outside.greatest) == (1, 2, 5, 0.0, 9.0)
    assert str(scale.check(np.array([1.0, 5.0]))) == "all 2 ratings lie within 1 to 5"
    with pytest.raises(DataError, match=r"all 2 ratings, from 60 to 80, lie outside the scale 1 to 5 in steps of 1"):
        scale.check(np.array([60.0, 80.0]))
    with pytest.raises(DataError, match="no rating among 1 events"):
        scale.check(np.array([np.nan]))


def test_rounding_is_not_outside():
    assert not len(RatingScale(0.1, 0.9, 0.1).check(np.array([0.1, 0.9], np.float32)))


@pytest.mark.parametrize(
    ("low", "high", "step", "message"),
    [
        (5, 1, 1, "from 5 to 1 has no width"),
        (1, np.inf, None, "has no width"),
        (1, 5, 0, "step=0 does not fit"),
        (1, 5, 9, "step=9 does not fit"),
        (1, 5, 3, "step=3 does not lead from 1 to 5"),
    ],
)
def test_scales_that_cannot_be_are_refused(low, high, step, message):
    with pytest.raises(ConfigError, match=message):
        RatingScale(low, high, step)


def test_steps_finer_than_float32_or_ten_thousandths_are_none():
    assert step_of(np.array([0.0, 1e-5, 1.0])) is None
    assert step_of(np.array([1000.0, 1000.0001, 1001.0])) is None
    assert step_of(np.array([0.0, 3.0, 5.0])) == 1.0
