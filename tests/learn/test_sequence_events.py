"""Histories as rows, and what is known of their events."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.learn.sequence_events import GAPS, SHORTEST, EventFacts, Rows, windows


def two_people():
    """One looks, buys and looks again over days; one has a single rated event without a time."""
    return Interactions.of(
        np.array([0, 0, 0, 1]),
        np.array([4, 2, 3, 1]),
        2,
        5,
        time=np.array([100, 100, 100 + 3 * 86_400, -1]),
        rating=np.array([1.0, np.nan, 5.0, 3.0]),
        kind=np.array([0, 1, 0, 0]),
        kinds=("view", "buy"),
    )


def test_facts_become_codes():
    x = two_people()
    facts = EventFacts.fit(x)
    codes = facts.codes(Histories.of_users(x, np.array([0, 1])))
    assert codes[:, 0].tolist() == [1, 2, 1, 1]
    assert (codes[:, 1] == 0).tolist() == [False, True, False, False]
    assert codes[0, 1] < codes[3, 1] < codes[2, 1] < facts.sizes[1]
    assert codes[:, 2].tolist() == [0, 1, GAPS.index(86_400) + 2, 0]  # the first gap of each is not known
    assert facts.sizes[2] == len(GAPS) + 2


def test_what_is_not_known_is_zero():
    facts = EventFacts.fit(two_people())
    assert not facts.codes(Histories.of([[0, 1], []], 5)).any()
    other = Histories.of_users(two_people(), np.array([0]))
    foreign = facts.codes(Histories(**{**vars(other), "kinds": ("play", "buy")}))
    assert foreign[:, 0].tolist() == [0, 2, 0]


def test_without_ratings_there_is_one_group():
    x = Interactions.of(np.zeros(2), np.arange(2), 1, 2)
    assert EventFacts.fit(x).codes(Histories.of_users(x, np.array([0])))[:, 1].tolist() == [0, 0]


def test_rows_end_with_the_newest_event():
    x = two_people()
    h, facts = Histories.of_users(x, np.array([0, 1])), EventFacts.fit(x)
    rows = Rows.of(h, facts.codes(h), h.indptr[:-1], h.indptr[1:])
    assert rows.item.tolist() == [[4, 2, 3], [-1, -1, 1]]
    assert rows.facts[0].tolist() == facts.codes(h)[:3].tolist()
    assert not rows.facts[1, :2].any()
    empty = Rows.of(Histories.of([[]], 5), np.zeros((0, 3), np.int8), np.array([0]), np.array([0]))
    assert empty.item.tolist() == [[-1]]


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 9))
def test_every_event_but_the_first_is_asked_for_once(lengths, most):
    row, start, end = windows(np.array(lengths, np.int64), most)
    assert ((end - start >= 2) & (end - start <= most + 1)).all()
    asked = [(r, p) for r, s, e in zip(row, start, end, strict=True) for p in range(s + 1, e)]
    assert sorted(asked) == [(r, p) for r, n in enumerate(lengths) for p in range(1, n)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_every_row_is_in_one_group_as_wide_as_its_longest(lengths):
    h = Histories.of([np.arange(n) for n in lengths], 40)
    rows = Rows.of(h, np.ones((len(h.item), 3), np.int8), h.indptr[:-1], h.indptr[1:])
    found = list(rows.groups(together=0))
    assert sorted(np.concatenate([at for at, _ in found]).tolist()) == list(range(len(lengths)))
    for at, part in found:
        longest = max(lengths[r] for r in at)
        assert part.item.shape == (len(at), longest)
        assert min(lengths[r] for r in at) * 2 >= longest or longest <= SHORTEST
        for r, row in zip(at, part.item, strict=True):
            assert row[row >= 0].tolist() == list(range(lengths[r]))
