"""The inverse of a Gram matrix with a ridge, from either side, and with a graph."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.errors import WarmstartError
from warmstart.experts.inverse import fill_upper, inverse_gram

some = settings(max_examples=40, deadline=None, derandomize=True)


@some
@given(seed=st.integers(0, 10_000), n_users=st.integers(1, 12), n_items=st.integers(1, 12))
def test_both_sides_give_the_inverse(seed, n_users, n_items):
    rng = np.random.default_rng(seed)
    x = (rng.random((n_users, n_items)) < 0.4).astype(np.float32)
    ridge = rng.uniform(0.5, 5.0, n_items)
    expected = np.linalg.inv(x.T.astype(np.float64) @ x + np.diag(ridge))
    found = inverse_gram(sp.csr_matrix(x), ridge)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    padded = sp.csr_matrix(np.vstack([x, np.zeros((n_items, n_items), np.float32)]))  # users that took nothing
    np.testing.assert_allclose(inverse_gram(padded, ridge), found, atol=1e-5)


def test_a_singular_gram_is_told_with_a_remedy():
    with pytest.raises(WarmstartError, match="larger ridge"):
        inverse_gram(sp.csr_matrix(np.ones((3, 2), np.float32)), np.zeros(2))


def test_upper_triangle_over_several_blocks():
    full = np.random.default_rng(0).normal(size=(7, 7))
    full = full + full.T
    lower = np.tril(full)
    fill_upper(lower, block=3)
    np.testing.assert_array_equal(lower, full)


@some
@given(seed=st.integers(0, 10_000), n_users=st.integers(1, 12), n_items=st.integers(2, 12))
def test_a_graph_is_added(seed, n_users, n_items):
    rng = np.random.default_rng(seed)
    x, ridge = (rng.random((n_users, n_items)) < 0.4).astype(np.float64), rng.uniform(0.5, 5.0, n_items)
    side = rng.random((n_items, n_items))
    graph = np.diag((side + side.T).sum(1)) - side - side.T
    found = inverse_gram(sp.csr_matrix(x), ridge, sp.csr_matrix(graph))
    np.testing.assert_allclose(found, np.linalg.inv(x.T @ x + np.diag(ridge) + graph), atol=1e-5)
