"""Which interest carries an item."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from warmstart.explain.because import carrying, cite


def test_the_strongest_group_is_named_and_two_of_it_cited():
    drop = np.array([0.1, 0.6, 0.55, 0.4, 0.9])
    assert cite(drop, [np.array([0, 4]), np.array([1, 2, 3])])[0] == 1
    assert cite(drop, [np.array([0, 4]), np.array([1, 2, 3])])[1].tolist() == [1, 2]


def test_nothing_is_claimed_where_no_event_carries():
    assert cite(np.array([0.0, -0.2, 0.0]), [np.array([0, 1, 2])]) is None
    assert cite(np.array([0.3, 0.3]), [np.array([0]), np.array([1])]) is None  # either does as much as the other
    assert cite(np.array([0.9, 0.1]), [np.array([1])]) is None  # that which carries belongs to no interest
    assert cite(np.array([0.9]), []) is None


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=20))
def test_what_carries_does_more_than_another_event_on_average(drops):
    drop = np.array(drops)
    carries = carrying(drop)
    for at in np.flatnonzero(carries):
        others = np.delete(drop, at)
        assert drop[at] > 0
        assert not len(others) or drop[at] > others.mean() - 1e-9
    assert not (drop > 0).all() or carries.any() or np.ptp(drop) < 1e-9
