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
    sets = (rng.random((queries, n)) * (rng.random((queries, n)) < 0.5)).astype(np.float32)
    table = (rng.random((n, d)) * (rng.random((n, d)) < 0.5)).astype(np.float32)
    found = sums(sp.csr_matrix(sets), form(table))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, sets @ table, atol=1e-5)
