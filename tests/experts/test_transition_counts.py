"""Counts of what comes after what: known by hand, equal to the loop, the same in blocks."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.interactions import Interactions
from warmstart.experts.transition_counts import counted, followed


def events(rows, n_items):
    user = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    return Interactions.of(user, np.concatenate(rows).astype(int), len(rows), n_items)


def all_counts(x, lags, decay):
    return sp.vstack(list(counted(x, lags, decay)))


def test_counts_by_hand():
    found = all_counts(events([[0, 1, 2], [1, 2, 0]], 3), lags=2, decay=0.5).toarray()
    assert found.tolist() == [[0.0, 1.0, 0.5], [0.5, 0.0, 2.0], [1.0, 0.0, 0.0]]


def test_no_count_from_one_user_to_the_next_nor_to_itself():
    assert not all_counts(events([[0], [1], [2]], 3), lags=5, decay=1.0).nnz
    assert all_counts(events([[0, 0, 1]], 2), lags=1, decay=1.0).toarray().tolist() == [[0, 1], [0, 0]]


histories = st.lists(st.lists(st.integers(0, 5), max_size=8), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=histories, lags=st.integers(1, 4), decay=st.sampled_from([0.5, 0.85, 1.0]))
def test_counts_equal_the_loop(rows, lags, decay):
    expected = np.zeros((6, 6))
    for row in rows:
        for a, i in enumerate(row):
            for lag, j in enumerate(row[a + 1 : a + 1 + lags]):
                expected[i, j] += decay**lag * (i != j)
    np.testing.assert_allclose(all_counts(events(rows, 6), lags, decay).toarray(), expected, atol=1e-5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=histories, lags=st.integers(1, 4), pairs=st.integers(1, 30))
def test_blocks_make_up_the_whole_and_columns_sum_as_they_should(rows, lags, pairs):
    x = events(rows, 6)
    whole = all_counts(x, lags, 0.5).toarray()
    np.testing.assert_array_equal(sp.vstack(list(counted(x, lags, 0.5, pairs))).toarray(), whole)
    np.testing.assert_allclose(followed(x, lags, 0.5), whole.sum(0), atol=1e-5)
