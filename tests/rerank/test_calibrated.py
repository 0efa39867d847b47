"""Lists in proportion to a person's interests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.rerank.calibrated import calibrated

KINDS = np.eye(2)[[0] * 6 + [1] * 6]  # six of a kind, six of another
FALLING = np.arange(12, 0, -1.0)  # the first kind is better throughout


def counted(order):
    return np.bincount(KINDS[order].argmax(1), minlength=2).tolist()


@pytest.mark.parametrize(("wanted", "held"), [((0.5, 0.5), [3, 3]), ((2 / 3, 1 / 3), [4, 2]), ((1.0, 0.0), [6, 0])])
def test_the_list_has_the_wanted_mixture(wanted, held):
    assert counted(calibrated(FALLING, KINDS, np.array(wanted), 0.98, 6)) == held


def test_without_weight_the_order_is_that_of_the_scores():
    score = np.array([1.0, 5.0, 3.0, 3.0])
    assert calibrated(score, KINDS[4:8], np.array([0.1, 0.9]), 0.0, 4).tolist() == [1, 2, 3, 0]


def test_with_all_the_weight_scores_decide_among_the_like_only():
    order = calibrated(FALLING, KINDS, np.array([0.5, 0.5]), 1.0, 12)
    assert counted(order[:2]) == counted(order[2:4]) == [1, 1]


def test_the_first_choice_weighs_score_against_kind():
    score = np.array([1.0, 0.0])
    assert calibrated(score, np.eye(2), np.array([0.5, 0.5]), 0.9, 1).tolist() == [0]
    # z = +-1: 0.1 * 2 against 0.9 * (0.9 - 0.1) ln(0.991 / 0.009): the second kind is taken
    assert calibrated(score, np.eye(2), np.array([0.1, 0.9]), 0.9, 1).tolist() == [1]


def test_an_item_of_two_kinds_serves_both():
    shares = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert calibrated(np.zeros(3), shares, np.array([0.5, 0.5]), 0.5, 1).tolist() == [2]


@given(
    st.lists(st.floats(-5, 5), max_size=12),
    st.floats(0, 1),
    st.integers(1, 15),
    st.floats(0, 1),
)
def test_lists_hold_every_candidate_once_at_most(score, weight, k, share):
    order = calibrated(np.array(score), KINDS[: len(score)], np.array([share, 1 - share]), weight, k)
    assert len(order) == len(set(order.tolist())) == min(k, len(score))


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_mistakes_are_told(weight):
    with pytest.raises(ConfigError, match="is not between 0 and 1; 0 leaves lists as they are"):
        calibrated(FALLING, KINDS, np.ones(2) / 2, weight, 3)
