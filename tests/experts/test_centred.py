"""Directions of items from their centre, without a table of them."""

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.experts.centred import Centred
from warmstart.experts.products import centre_of, product, split_of
from warmstart.text.whiten import unit_rows


def table(split):
    """Features of 2,000 items; of 600 columns all but 20 are mostly zero where they are to be split."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=(2_000, 600)).astype(np.float32) + 0.3
    if split:
        z[:, 20:] *= rng.random((2_000, 580)) < 0.01
    return z


@pytest.fixture(params=[True, False], ids=["mostly zero", "full"])
def features(request):
    z = table(request.param)
    assert (split_of(z) is not None) == request.param
    return z


def test_rows_cosines_and_scores_are_those_of_the_table(features):
    centre = centre_of(features)
    unit, directions = unit_rows(features - centre), Centred.of(features, centre)
    some, others = np.array([3, 1_999, 3]), np.array([0, 3])
    np.testing.assert_allclose(directions.rows(some), unit[some], atol=1e-6)
    np.testing.assert_allclose(directions.cosines(some, others), unit[some] @ unit[others].T, atol=1e-5)
    q = np.random.default_rng(1).normal(size=(4, features.shape[1])).astype(np.float32)
    np.testing.assert_allclose(directions.heard(q, product(q, features)), q @ unit.T, atol=1e-3)


def test_sums_over_sets(features):
    directions = Centred.of(features, centre_of(features))
    sets = Histories.of([[5, 7], [], [1_000]], len(features)).sets
    expected = [directions.rows(np.array(items, int)).sum(0) for items in ([5, 7], [], [1_000])]
    np.testing.assert_allclose(directions.summed(sets), expected, atol=1e-5)


def test_new_items_are_held_against_the_old_centre(features):
    directions = Centred.of(features[:-3].copy(), centre_of(features[:-3]))
    grown = directions.grown(features[-3:])
    np.testing.assert_allclose(
        grown.rows(np.arange(1_997, 2_000)), unit_rows(features[-3:] - directions.centre), atol=1e-6
    )
    np.testing.assert_allclose(
        grown.cosines(np.array([1_999]), np.array([0])),
        grown.rows(np.array([1_999])) @ grown.rows(np.array([0])).T,
        atol=1e-5,
    )


def test_who_lies_in_the_centre_has_no_direction():
    z = np.full((5, 3), 7.0, np.float32)
    directions = Centred.of(z, centre_of(z))
    assert not directions.rows(np.arange(5)).any()
    assert not directions.cosines(np.arange(5), np.arange(5)).any()
    assert not directions.heard(np.ones((1, 3), np.float32), np.ones((1, 3), np.float32) @ z.T).any()
    assert len(Centred.of(z[:0], z[0]).inverse) == 0
