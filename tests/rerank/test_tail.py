"""More of the tail: what is promised of every prefix, and that nothing asked changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.rerank.tail import Tail

MASKS = st.lists(st.booleans(), max_size=40).map(lambda m: np.array(m, bool))


@given(MASKS, st.floats(0, 1), st.integers(0, 12), st.integers(1, 50))
def test_every_prefix_holds_its_share_of_the_tail(tail, floor, keep, k):
    order = Tail(floor=floor, keep=keep).floored(tail, k)
    assert len(order) == len(set(order.tolist())) == min(k, len(tail))
    shown = tail[order[keep:]].cumsum()
    left = tail.sum() - tail[order[:keep]].sum()
    due = np.minimum(np.floor(floor * np.arange(1, len(shown) + 1)), left)
    assert (shown >= due).all()
    assert order[: min(keep, k, len(tail))].tolist() == list(range(min(keep, k, len(tail))))
    for part in (tail, ~tail):  # within head and tail the best come first
        assert (np.diff(order[part[order]]) > 0).all()


@given(MASKS, st.integers(1, 50))
def test_without_a_floor_the_order_stays(tail, k):
    assert Tail().floored(tail, k).tolist() == list(range(min(k, len(tail))))


@given(MASKS, st.floats(0, 1), st.integers(1, 20))
def test_a_short_list_is_the_beginning_of_a_long_one(tail, floor, k):
    one, other = Tail(floor=floor).floored(tail, k), Tail(floor=floor).floored(tail, k + 7)
    assert other[: len(one)].tolist() == one.tolist()


def test_the_full_share_shows_the_tail_alone_while_there_is_any():
    assert Tail(floor=1.0).floored(np.array([False, True, False, True]), 4).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"correction": -0.1}, "correction=-0.1"),
        ({"floor": 1.2}, "floor=1.2"),
        ({"loss": -0.5}, "loss=-0.5"),
        ({"head_loss": 2.0}, "head_loss=2"),
        ({"keep": -1}, "keep=-1"),
        ({"correction": 0.2, "loss": 0.01}, "stands beside"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        Tail(**given)
