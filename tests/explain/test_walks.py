"""Pairs of walks, and their bound."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from warmstart.explain.walks import matched


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)), st.integers(0, 12))
def test_pairs_are_the_first_of_all_and_the_rest_is_counted(table, wanted, most):
    table = np.sort(np.array(table, int))
    i, j, cut = matched(table, np.array(wanted, int), most)
    pairs = [(w, t) for w, value in enumerate(wanted) for t, other in enumerate(table) if value == other]
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == pairs[:most]
    assert cut == len(pairs) - len(pairs[:most])
