"""Products that skip zeros are the plain products; tables that grow keep what others see of them."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.experts import products
from warmstart.experts.products import (
    Attached,
    appended,
    centre_of,
    held_against,
    lengths_of,
    mapped,
    product,
    split_of,
)


def mostly_zero(n=3000, d=500, seed=0):
    rng = np.random.default_rng(seed)
    z = np.where(rng.random((n, d)) < 0.01, rng.standard_normal((n, d)), 0.0).astype(np.float32)
    z[:, :20] = rng.standard_normal((n, 20))
    return z


def test_a_split_product_is_the_product():
    z, q = mostly_zero(), np.random.default_rng(1).standard_normal((3, 500)).astype(np.float32)
    assert split_of(z).full.tolist() == list(range(20))
    np.testing.assert_allclose(product(q, z), q @ z.T, rtol=1e-4, atol=1e-4)


def test_a_full_or_small_table_is_not_split():
    assert split_of(np.ones((2000, 600), np.float32)) is None
    assert split_of(np.zeros((10, 10), np.float32)) is None


def test_a_grown_table_has_the_product_of_the_whole():
    z, new = mostly_zero(), mostly_zero(7, seed=2)
    q = np.random.default_rng(3).standard_normal((2, 500)).astype(np.float32)
    product(q, z)
    grown = appended(z, new)
    np.testing.assert_array_equal(grown, np.vstack([z, new]))
    assert split_of(grown) is not split_of(z)
    np.testing.assert_allclose(product(q, grown), q @ grown.T, rtol=1e-4, atol=1e-4)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.integers(0, 3))
def test_any_growth_is_a_stack_and_changes_no_older_table(sizes, twice):
    tables = [np.arange(6, dtype=np.float32).reshape(3, 2)]
    for step, size in enumerate(sizes):
        new = np.full((size, 2), step, np.float32)
        before = [t.copy() for t in tables]
        tables.append(appended(tables[-1], new))
        np.testing.assert_array_equal(tables[-1], np.vstack([before[-1], new]))
        for table, old in zip(tables, before, strict=False):
            np.testing.assert_array_equal(table, old)
    other = appended(tables[twice % len(tables)], np.full((1, 2), 99, np.float32))
    assert other[-1].tolist() == [99, 99]
    for table in tables[1:]:
        assert 99 not in table


def test_the_same_rows_are_appended_once():
    z, new = np.zeros((4, 2), np.float32), np.ones((2, 2), np.float32)
    assert appended(z, new) is appended(z, new)
    assert appended(z, new.copy()) is not appended(z, new)


def test_a_grown_table_cannot_be_written_into():
    with pytest.raises(ValueError, match="read-only"):
        appended(np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32))[0] = 5


def test_what_is_known_of_an_array_goes_with_it():
    known, array = Attached(), np.zeros(3)
    known.put(array, "zeros")
    assert known.get(array) == "zeros"
    assert known.get(np.zeros(3)) is None
    del array
    gc.collect()
    assert not known._known


def test_nothing_is_kept_of_tables_that_are_gone():
    z = mostly_zero()
    appended(z, mostly_zero(2, seed=4))
    product(np.ones((1, 500), np.float32), z)
    counts = [len(m._known) for m in (products._SPLITS, products._BUFFERS, products._GROWN)]
    del z
    gc.collect()
    assert [len(m._known) for m in (products._SPLITS, products._BUFFERS, products._GROWN)] < counts


def test_the_centre_is_zero_where_few_items_have_anything():
    z = mostly_zero()
    centre = centre_of(z)
    np.testing.assert_allclose(centre[:20], z[:, :20].mean(0), rtol=1e-4, atol=1e-6)
    assert not centre[20:].any()


@pytest.mark.parametrize("queries", [1, 2, 3, 7, 8, 9])
def test_a_few_queries_are_held_against_a_table_as_one_is(queries, monkeypatch):
    monkeypatch.setattr(products, "NEAR", 7 * 30)  # the last block is shorter
    rng = np.random.default_rng(queries)
    q, z = (rng.normal(size=(n, 30)).astype(np.float32) for n in (queries, 50))
    np.testing.assert_allclose(held_against(q, z), q @ z.T, atol=1e-5)


def test_a_large_map_is_read_where_something_was_said():
    rng = np.random.default_rng(0)
    w, q = rng.normal(size=(1200, 1200)).astype(np.float32), np.zeros((2, 1200), np.float32)
    np.testing.assert_array_equal(mapped(q, w), np.zeros((2, 1200)))
    q[0, 7], q[1, 900] = 2.0, -1.0
    np.testing.assert_allclose(mapped(q, w), [2 * w[7], -w[900]], rtol=1e-6)
    q[:] = 1.0
    np.testing.assert_allclose(mapped(q, w), q @ w, rtol=1e-5)


def test_lengths_of_rows():
    z = mostly_zero()
    np.testing.assert_allclose(lengths_of(z), np.linalg.norm(z, axis=1), rtol=1e-5)
    assert lengths_of(z) is lengths_of(z)
