"""Interests of a history."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.interests.members import Membership, of_paths
from warmstart.interests.profile import (
    FADING,
    RISING,
    STEADY,
    ProfileSettings,
    apart,
    common_shares,
    interests_of,
)

# items 0-3: concept 0 (fine: 0, 1 in 2; 2, 3 in 3); items 4-7: concept 1 (fine: 4 and 5)
PATHS = np.array([[0, 2], [0, 2], [0, 3], [0, 3], [1, 4], [1, 4], [1, 5], [1, 5]], np.int32)
TREE = Membership(of_paths(PATHS, 6), np.array([-1, -1, 0, 0, 1, 1], np.int32), np.array([0, 0, 1, 1, 1, 1], np.int8))
EVEN = common_shares(TREE, np.full(8, 5))


def profile(row, common=EVEN, **settings):
    return interests_of(np.array(row, np.int64), TREE, common, ProfileSettings(**settings))


def test_shares_of_everybody_sum_to_one_on_every_level():
    shares = common_shares(TREE, np.array([10, 0, 0, 0, 4, 4, 1, 1]))
    assert shares[:2].sum() == pytest.approx(1)
    assert shares[2:].sum() == pytest.approx(1)
    assert shares[3] == pytest.approx(1 / 21.5)  # two items nobody met


def test_the_most_specific_concept_that_holds_the_history_is_told():
    (one,) = profile([0, 1, 0, 1], half_life=0)
    assert (one.concept, one.weight, one.share, one.common) == (2, 1.0, 1.0, 0.25)
    assert one.evidence == (1, 0, 1, 0)
    (wide,) = profile([0, 1, 2, 3], half_life=0, prior=0.1)
    assert wide.concept == 0


def test_what_everybody_does_is_no_interest():
    popular = common_shares(TREE, np.array([90, 90, 1, 1, 1, 1, 1, 1]))
    told = profile([0, 1, 0, 6], popular, half_life=0)
    assert told[0].concept == 5
    assert 2 not in [i.concept for i in told]


def test_no_events_no_interests():
    assert profile([]) == []


def test_newer_events_weigh_more():
    old, new = profile([0, 0, 0, 6, 6, 6], half_life=0.1), profile([6, 6, 6, 0, 0, 0], half_life=0.1)
    assert [old[0].concept, new[0].concept] == [5, 2]
    assert old[0].share == pytest.approx(new[0].share)
    assert old[0].share > 0.9


@pytest.mark.parametrize(
    ("row", "trends"), [([6, 6, 6, 0, 0, 0], {2: RISING, 5: FADING}), ([0, 6, 0, 0, 6, 0], {2: STEADY, 5: STEADY})]
)
def test_trends(row, trends):
    assert {i.concept: i.trend for i in profile(row, half_life=0)} == trends


@given(st.lists(st.integers(0, 7), min_size=1, max_size=30), st.integers(1, 4))
def test_interests_are_apart_and_their_weights_sum_to_one(row, most):
    told = profile(row, most=most)
    assert len(told) <= most
    assert sum(i.weight for i in told) == pytest.approx(1) if told else True
    for one in told:
        assert one.evidence
        assert all(PATHS[i, TREE.level[one.concept]] == one.concept for i in one.evidence)
        assert not any(other.concept == TREE.parent[one.concept] for other in told)


def test_none_within_another():
    every = TREE.weights.toarray() > 0
    assert apart(np.array([0.5, 0.1, 0.6, 0.3, 0.0, 0.2]), every, 9).tolist() == [2, 3, 5]


def test_none_that_shares_more_than_half_of_its_events_with_another():
    inside = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1]], bool)
    assert apart(np.array([0.4, 0.3, 0.2, 0.1]), inside, 9).tolist() == [0, 2, 3]
    assert apart(np.array([0.4, 0.3, 0.2, 0.1]), inside, 2).tolist() == [0, 2]


def test_an_item_of_several_concepts_adds_to_each_by_its_weight():
    weights = sp.csr_matrix(np.array([[0.75, 0.25, 0], [0, 0, 1.0], [0, 0, 1.0]], np.float32))
    flat = Membership(weights, np.full(3, -1, np.int32), np.zeros(3, np.int8))
    common = common_shares(flat, np.array([2, 3, 3]))
    np.testing.assert_allclose(common, [0.1875, 0.0625, 0.75])
    (first,) = interests_of(np.array([0, 0, 1]), flat, common, ProfileSettings(half_life=0))
    assert (first.concept, first.share, first.evidence) == (0, 0.5, (0, 0))


@pytest.mark.parametrize("wrong", [{"prior": 0}, {"most": 0}, {"turn": 1}, {"half_life": -1}])
def test_mistakes_are_told(wrong):
    with pytest.raises(ConfigError, match="are usual"):
        ProfileSettings(**wrong)
