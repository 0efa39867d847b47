"""A table gone over in eight bits: near the products, the same for one query as for many, and right while it grows."""

from unittest.mock import patch

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.experts import products, scan
from warmstart.experts.products import appended, product, projected, split_of
from warmstart.experts.scan import LEVELS, STEPS, TAIL, Scan, scan_of, scanned


def drawn(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


@pytest.fixture
def all_are_large():
    with patch.object(scan, "LARGE", 1), patch.object(products, "LARGE", 1):
        yield


def bound(q, z):
    """By how much a product may be off: half a step of the one times the other, summed up."""
    step = np.abs(q).max(axis=1, keepdims=True) / STEPS
    scale = np.abs(z).max(axis=1) / LEVELS
    return 0.51 * (np.abs(q).sum(axis=1, keepdims=True) * scale + step * (np.abs(z).sum(axis=1) + q.shape[1] * scale))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 40), st.integers(1, 70), st.integers(0, 99), st.floats(1e-6, 1e6))
def test_no_product_is_off_by_more_than_the_steps_allow(queries, n, d, seed, size):
    q, z = np.float32(size) * drawn(queries, d, seed), drawn(n, d, seed + 1)
    z[::2] *= 1e-3
    z[n // 2] = 0.0
    q[0, : d // 2] = 0.0
    found = Scan.of(z).product(q, z)
    assert found.dtype == np.float32
    assert (np.abs(found - q.astype(np.float64) @ z.T) <= bound(q, z) + 1e-6 * size).all()


def test_the_largest_integers_of_all_are_no_overflow():
    z = np.array([[1.0] * 600, [-1.0] * 600], np.float32)
    np.testing.assert_allclose(Scan.of(z).product(np.ones((1, 600), np.float32), z), [[600.0, -600.0]], rtol=1e-6)


def test_nearly_all_of_the_best_are_found():
    z, q = drawn(20_000, 96), drawn(40, 96, seed=1)
    best, found = (np.argsort(-rows, axis=1) for rows in (q @ z.T, Scan.of(z).product(q, z)))
    assert np.mean([np.isin(a[:60], b[:60]).mean() for a, b in zip(best, found, strict=True)]) > 0.96
    assert np.mean([np.isin(a[:60], b[:75]).mean() for a, b in zip(best, found, strict=True)]) > 0.999


def test_what_one_is_told_does_not_depend_on_others():
    z, q = drawn(500, 33), drawn(9, 33, seed=1) * np.logspace(-3, 3, 9, dtype=np.float32)[:, None]
    known = Scan.of(z)
    np.testing.assert_array_equal(known.product(q, z), np.concatenate([known.product(row[None], z) for row in q]))


def test_a_table_that_grew_is_right_in_all_its_parts(all_are_large):
    z, new, q = drawn(64, 8), drawn(5, 8, seed=1), drawn(2, 8, seed=2)
    first = scan_of(z)
    grown = appended(z, new)
    assert scan_of(grown) is first is scan_of(z)
    np.testing.assert_allclose(first.product(q, grown)[:, 64:], q @ new.T, rtol=1e-5)
    np.testing.assert_array_equal(first.product(q, grown)[:, :64], first.product(q, z))
    more = appended(grown, drawn(6, 8, seed=3))
    assert scan_of(more).size == len(more) > len(z) * (1 + 1 / TAIL)
    np.testing.assert_array_equal(scan_of(more).product(q, more)[:, :64], first.product(q, z))


def test_a_small_table_is_read_as_it_is():
    z, q = drawn(300, 20), drawn(3, 20, seed=1)
    assert scan_of(z) is None
    np.testing.assert_allclose(scanned(q[:, None], z), projected(q[:, None], z), rtol=1e-5)


def test_of_a_table_mostly_zero_the_full_columns_are_gone_over_and_the_others_added(all_are_large):
    rng = np.random.default_rng(0)
    z = np.where(rng.random((400, 60)) < 0.03, 3.0, 0.0).astype(np.float32)
    z[:, :5] = rng.standard_normal((400, 5))
    q = drawn(2, 60, seed=1)
    assert len(split_of(z).full) == 5
    assert isinstance(split_of(z).sparse, sp.csr_matrix)
    exact = product(q, z)
    found = scanned(q[None], z)[0]
    assert 0 < np.abs(found - exact).max() < 0.1
    np.testing.assert_allclose(scanned(np.stack([q, 2 * q]), z)[1], 2 * found, rtol=1e-5)


def test_a_table_for_which_a_graph_of_neighbours_stands_is_not_kept_twice(all_are_large):
    with patch.object(scan, "VERY_LARGE", 29):
        assert scan_of(drawn(30, 4)) is None
        assert scan_of(drawn(29, 4)) is not None


def test_who_says_nothing_hears_nothing(all_are_large):
    z, q = drawn(30, 4), np.array([[np.nan] * 4, [0.0] * 4, [1.0, np.nan, 0.0, 0.0]], np.float32)
    found = scanned(q[None], z)[0]
    np.testing.assert_array_equal(found[:2], 0.0)
    np.testing.assert_allclose(found[2], z[:, 0], atol=0.05)
