"""Outcomes with intervals; what exploration costs."""

from datetime import UTC, datetime

import numpy as np
import pytest

from warmstart.serve.outcomes import days_before, exploration_cost, outcome_table
from warmstart.store.rows import Answer, Event, Shown
from warmstart.store.store import Store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.db") as opened:
        yield opened


def fill(store, people, rate, tried_rate=0.0, impressions=True, seed=0):
    """Answers of five places; the last of every other one tries a new item."""
    rng = np.random.default_rng(seed)
    answers, events = [], []
    for i in range(people):
        tries = tried_rate and i % 2
        last = Shown("new", 0.1, "popularity", 0.05, True) if tries else Shown("e", 0.1, "content", 0.5)
        items = [*(Shown(item, 1.0, "content") for item in "abcd"), last]
        answers.append(Answer(f"r{i}", f"u{i}", 86_400 * (1 + i % 2), "m", "home", "cold" if i % 3 else "warm", items))
        for shown in items:
            if impressions:
                events.append((i, shown.item_id, "impression", None))
            if rng.random() < (tried_rate if shown.explored else rate):
                events.append((i, shown.item_id, "click", None))
                events.append((i, shown.item_id, "dwell", float(rng.exponential(30.0))))
    store.add_answers(answers)
    store.add_events(
        [
            Event(f"e{n}", f"u{i}", item, kind, 9, value, None, f"r{i}")
            for n, (i, item, kind, value) in enumerate(events)
        ]
    )


def test_rates_and_means_are_within_their_intervals(store):
    fill(store, 900, 0.3)
    table = outcome_table(store, ("slice",))
    assert [group.key for group in table.groups] == [{"slice": "cold"}, {"slice": "warm"}]
    for group, answers in zip(table.groups, (600, 300), strict=True):
        click, dwell = group.rates["click"], group.means["dwell"]
        assert (group.answers, group.places, group.people) == (answers, 5 * answers, answers)
        assert 0.24 < click.low < 0.3 < click.high < 0.38
        assert dwell.low < 30 < dwell.high
        assert group.rates["buy"].low == 0 < group.rates["buy"].high < 0.05
        assert np.isnan(group.means["rate"].mean)
        assert group.remarks == ()


def test_days_are_dates_and_parts_of_answers_have_no_answers(store):
    fill(store, 4, 0.5)
    by_day = outcome_table(store, ("day", "position")).groups
    assert [group.key["day"] for group in by_day][:1] == ["1970-01-02"]
    assert by_day[0].answers is None
    assert [group.answers for group in outcome_table(store).groups] == [4]


def test_what_counts_as_shown_is_said(store):
    fill(store, 10, 0.5, impressions=False)
    assert "no impressions are sent" in outcome_table(store).counted
    assert outcome_table(store).groups[0].places == 50
    seen = outcome_table(store, only_seen=True)
    assert seen.groups[0].rates["click"].mean == 1  # nothing else was sent
    store.add_events([Event("i", "u1", "a", "impression", 9, recommendation_id="r1")])
    assert "impressions are sent" in outcome_table(store).counted


def test_one_who_sees_much_is_told(store):
    fill(store, 20, 0.5)
    robot = [Shown("a", 1.0, "content")]
    store.add_answers([Answer(f"bot{i}", "bot", 5, "m", "home", "warm", robot) for i in range(40)])
    assert "one of 21 people saw" in outcome_table(store, only_seen=False).groups[0].remarks[0]


def test_the_cost_of_exploration(store):
    fill(store, 3000, 0.3, tried_rate=0.1)
    cost = exploration_cost(store)
    assert cost.places == 1500
    assert cost.tried.mean == pytest.approx(0.1, abs=0.03)
    assert cost.otherwise.mean == pytest.approx(0.3, abs=0.03)
    assert cost.difference.low < -0.2 < cost.difference.high < 0
    assert cost.lost == pytest.approx(300, abs=60)


def test_exploration_that_never_was_costs_nothing(store):
    fill(store, 30, 0.3)
    cost = exploration_cost(store)
    assert (cost.places, cost.lost) == (0, 0.0)
    assert np.isnan(cost.tried.mean)


def test_nothing_yet(store):
    assert outcome_table(store).groups == ()
    assert exploration_cost(store).places == 0


def test_days_ago():
    assert days_before(0.5, datetime(1970, 1, 2, tzinfo=UTC)) == 43_200
