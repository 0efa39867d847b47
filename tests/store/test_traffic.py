"""Counts of answers and events over time, on both databases."""

import pytest

from warmstart.errors import DataError
from warmstart.store.rows import Answer, Event, Shown
from warmstart.store.store import Store
from warmstart.store.traffic import Traffic


@pytest.fixture
def traffic(store_url):
    with Store.open(store_url) as store:
        rows = [
            (100, "cold", None),
            (109, "cold", "why"),
            (110, "warm", None),
            (125, "warm", "why"),
            (200, "warm", None),
        ]
        store.add_answers(
            Answer(f"r{at}", None, at, "m", "", part, [Shown("i", 1.0, "s")], why, milliseconds=float(at))
            for at, part, why in rows
        )
        kinds = [(100, "click"), (119, "view"), (119, "click"), (130, "click")]
        store.add_events([Event(f"e{n}", "u", "i", kind, at) for n, (at, kind) in enumerate(kinds)])
        yield Traffic(store.database)


def test_answers_by_step_and_slice(traffic):
    assert traffic.answers_over_time(100, 130, 10) == {(0, "cold"): 2, (1, "warm"): 1, (2, "warm"): 1}


def test_events_by_step_and_kind_end_before_the_end(traffic):
    assert traffic.events_over_time(100, 130, 15) == {(0, "click"): 1, (1, "view"): 1, (1, "click"): 1}


def test_groups_have_the_most_first(traffic):
    assert list(traffic.answer_groups(0, 300, "fallback").items()) == [("", 3), ("why", 2)]
    assert traffic.answer_groups(0, 300, "slice") == {"warm": 3, "cold": 2}
    with pytest.raises(DataError, match="user_id"):
        traffic.answer_groups(0, 300, "user_id")


def test_the_newest_come_first(traffic):
    assert traffic.durations(0, 300, 2) == [(200, 200.0), (125, 125.0)]
    assert [traffic.time_of_newest(n) for n in (1, 4, 9)] == [200, 109, 0]
