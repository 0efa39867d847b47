"""Sums over sets of items: the same by either way, dense or sparse."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.experts.set_sums import sums


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), queries=st.integers(1, 3), n=st.integers(1, 8), d=st.integers(1, 8))
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_sums_are_the_product(form, seed, queries, n, d):
    rng = np.random.default_rng(seed)
    many = rng.integers(0, 5, queries)
    item, weight = rng.integers(0, n, many.sum()), rng.random(many.sum()).astype(np.float32)  # some items twice
    sets = sp.csr_matrix((weight, item, np.concatenate([[0], np.cumsum(many)])), shape=(queries, n))
    table = (rng.random((n, d)) * (rng.random((n, d)) < 0.5)).astype(np.float32)
    found = sums(sets, form(table))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, sets.toarray() @ table, atol=1e-5)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_a_long_history_goes_by_the_product(form):
    sets, table = sp.csr_matrix(np.ones((1, 600), np.float32)), np.ones((600, 400), np.float32)
    np.testing.assert_array_equal(sums(sets, form(table)), np.full((1, 400), 600.0))
