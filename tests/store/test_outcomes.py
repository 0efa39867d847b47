"""Outcomes added up by both databases agree with a count by hand."""

from collections import defaultdict

import numpy as np
import pytest

from warmstart.errors import DataError
from warmstart.evaluate.rates import Tally
from warmstart.store.rows import Answer, Event, Shown
from warmstart.store.shown import DAY, Within
from warmstart.store.store import Store


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        yield opened


def answer(name, user, items, **given):
    shown = [item if isinstance(item, Shown) else Shown(item, 1.0, "content") for item in items]
    fixed = {"time": 100, "model": "m1", "scenario": "home", "slice": "warm"}
    return Answer(recommendation_id=name, user_id=user, items=shown, **(fixed | given))


class Log:
    """Events with ids of their own."""

    def __init__(self, store):
        self.store, self.count = store, 0

    def __call__(self, kind, item, to, value=None, user="ann"):
        self.count += 1
        self.store.add_events([Event(f"e{self.count}", user, item, kind, 200, value, recommendation_id=to)])


def test_by_hand(store):
    store.add_answers([answer("r1", "ann", "abc"), answer("r2", "ann", "ad"), answer("r3", "bob", "a")])
    log = Log(store)
    log("click", "a", "r1")
    log("click", "a", "r1")  # a second click on the same place
    log("click", "z", "r1")  # an item the answer does not hold
    log("click", "a", None)  # of no answer
    log("click", "a", "gone")  # of an answer that is not kept
    log("buy", "a", "r1")
    log("click", "a", "r2")
    log("dwell", "b", "r1", 10.0)
    log("dwell", "b", "r1", 20.0)  # their mean counts
    log("dwell", "d", "r2", 30.0)
    (found,) = store.outcomes()
    assert (found.places, found.people, found.heaviest) == (6, 2, 5)
    assert found.rates["click"] == (2, 2, 6, 4, 10, 26)
    assert found.rates["buy"] == (2, 1, 6, 1, 5, 26)
    assert found.means["dwell"] == (1, 45, 2, 45**2, 90, 4)
    assert found.means["rate"] == (0, 0, 0, 0, 0, 0)


def test_an_event_sent_twice_counts_once(store):
    store.add_answers([answer("r1", "ann", "ab")])
    click = Event("same", "ann", "a", "click", 5, recommendation_id="r1")
    assert [store.add_events([click]), store.add_events([click, click])] == [1, 0]
    assert store.outcomes()[0].rates["click"].y == 1


def test_places_that_were_not_seen_can_be_left_out(store):
    store.add_answers([answer("r1", "ann", "abcd"), answer("r2", "bob", "ab")])
    log = Log(store)
    assert not store.tells_impressions()
    log("impression", "a", "r1")
    log("impression", "b", "r1")
    log("click", "c", "r1")  # who clicks has seen
    assert store.tells_impressions()
    assert not store.tells_impressions(Within(model="m2"))
    (found,) = store.outcomes(only_seen=True)
    assert (found.places, found.people, found.rates["click"].y) == (3, 1, 1)
    assert store.outcomes()[0].places == 6


def test_nobody_known_is_a_person_an_answer(store):
    store.add_answers([answer("r1", None, "ab"), answer("r2", None, "ab"), answer("r3", "r1", "ab")])
    assert store.outcomes()[0].people == 3


def test_groups(store):
    tried = Shown("n", 0.1, "popularity", 0.02, explored=True)
    store.add_answers(
        [
            answer("r1", "ann", ["a", Shown("b", 0.5, "content", 0.9)], slice="cold", time=DAY + 5),
            answer("r2", "bob", ["a", tried], model="m2", scenario="cart", time=2 * DAY),
            answer("r3", "eve", ["a"], experiment="x", variant="v", fallback="why", time=2 * DAY + 1),
        ]
    )
    groups = {by: [row.key[0] for row in store.outcomes((by,))] for by in ("model", "scenario", "slice", "variant")}
    assert groups["model"] == ["m1", "m2"]
    assert groups["scenario"] == ["cart", "home"]
    assert groups["slice"] == ["cold", "warm"]
    assert groups["variant"] == ["", "v"]
    assert [row.key for row in store.outcomes(("day", "fallback"))] == [(1, ""), (2, ""), (2, "why")]
    assert [(row.key, row.places) for row in store.outcomes(("explored", "chance"))] == [
        ((0, 0), 3),
        ((0, 1), 1),
        ((1, 1), 1),
    ]
    assert [(row.key, row.places) for row in store.outcomes(("position",))] == [((0,), 3), ((1,), 2)]
    assert store.answer_counts(("model", "day")) == {("m1", 1): 1, ("m1", 2): 1, ("m2", 2): 1}


def test_chances_of_mixed_lists_are_no_chances(store):
    store.add_answers([answer("r1", "ann", [Shown("a", 1.0, "content", 0.9, variant="v"), Shown("b", 1.0, "x", 0.9)])])
    assert [row.key for row in store.outcomes(("chance",))] == [(0,), (1,)]


def test_only_what_is_meant_counts(store):
    store.add_answers([answer("r1", "ann", "a"), answer("r2", "ann", "ab", time=500, model="m2", experiment="x")])
    Log(store)("click", "a", "r2")
    for within in (Within(model="m2"), Within(since=101), Within(experiment="x"), Within(since=500, until=501)):
        assert (store.outcomes((), within)[0].places, store.outcomes((), within)[0].rates["click"].y) == (2, 1)
        assert store.answer_counts((), within) == {(): 1}
    assert store.outcomes((), Within(until=500))[0].places == 1
    assert store.outcomes((), Within(slice="cold")) == []
    assert [a.recommendation_id for a in store.newest_answers(Within(), 1)] == ["r2"]
    assert store.reacted(Within(), "click") == {("r2", "a")}
    assert store.reacted(Within(until=500), "click") == set()


def test_unknown_groups_are_told(store):
    with pytest.raises(DataError, match="outcomes by 'colour' are not kept; give some of model"):
        store.outcomes(("colour",))


def test_people_of_variants(store):
    store.add_answers(
        [
            answer("r1", "ann", "a", experiment="x", variant="v"),
            answer("r2", "ann", "a", experiment="x", variant="v"),
            answer("r3", "ann", "a", experiment="x", variant="w"),  # her share was changed
            answer("r4", "bob", "a", experiment="x", variant="w"),
            answer("r5", "eve", "a", experiment="y", variant="v"),
        ]
    )
    assert store.people_by_variant("x") == ({"v": 1, "w": 2}, 1)
    assert store.people_by_variant("none") == ({}, 0)


def test_preferences_in_mixed_lists(store):
    mixed = [Shown(i, 1.0, "content", variant=v) for i, v in zip("abcd", "vwwv", strict=True)]
    store.add_answers([answer(f"r{i}", user, mixed, experiment="x") for i, user in enumerate("AABCD")])
    log = Log(store)
    log("click", "a", "r0")  # A: v wins one list ...
    log("click", "b", "r1")
    log("click", "c", "r1")  # ... w the other, by however much
    log("click", "a", "r2")
    log("click", "d", "r2")
    log("click", "b", "r2")  # B: v
    log("click", "c", "r3")  # C: w
    log("click", "c", "r3")
    assert store.preferences("x", "v", "w") == (1, 1, 2)  # A and D: neither
    assert store.preferences("x", "v", "w", "buy") == (0, 0, 4)


def by_hand(answers, events, key, only_seen):
    """The same, written as one would count."""
    held = {a.recommendation_id: a for a in answers}
    kinds = defaultdict(set)
    for event in events:
        place = held.get(event.recommendation_id)
        if place is not None and event.item_id in {s.item_id for s in place.items}:
            kinds[event.recommendation_id, event.item_id].add(event.kind)
    people = defaultdict(lambda: [0, 0])
    for a in answers:
        for shown in a.items:
            seen = kinds.get((a.recommendation_id, shown.item_id), set())
            if seen or not only_seen:
                row = people[key(a), a.user_id or a.recommendation_id]
                row[0] += "click" in seen
                row[1] += 1
    groups = defaultdict(list)
    for (group, _), row in people.items():
        groups[group].append(row)
    return {g: Tally.of(*np.array(rows, float).T) for g, rows in groups.items()}


@pytest.mark.parametrize("only_seen", [False, True])
def test_many_at_random(store, only_seen):
    rng = np.random.default_rng(0)
    answers, events = [], []
    for i in range(150):
        items = [f"i{j}" for j in rng.choice(12, rng.integers(1, 6), replace=False)]
        user = None if rng.random() < 0.2 else f"u{rng.integers(20)}"
        answers.append(answer(f"r{i}", user, items, model=f"m{rng.integers(3)}"))
    for i in range(900):
        kind = rng.choice(["impression", "click", "buy"])
        to = f"r{rng.integers(155)}"
        events.append(Event(f"e{i}", "u", f"i{rng.integers(12)}", str(kind), 5, recommendation_id=to))
    store.add_answers(answers)
    store.add_events(events)
    found = {row.key[0]: Tally(*row.rates["click"]) for row in store.outcomes(("model",), only_seen=only_seen)}
    assert found == by_hand(answers, events, lambda a: a.model, only_seen)
