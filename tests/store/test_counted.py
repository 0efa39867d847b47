"""Events that count, as SQL and as a dataset count them."""

import pytest

from warmstart.store.rows import Event, Item
from warmstart.store.store import Store

WEIGHTS = {"view": 1.0, "impression": 0.0}


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as one:
        one.put_items([Item("a"), Item("b"), Item("gone")])
        told = [
            ("view", "a", None),
            ("impression", "a", None),  # weighs nothing
            ("impression", "b", 2.0),  # weighs something of its own
            ("view", "b", 0.0),  # weighs nothing of its own
            ("wave", "b", None),  # a kind nobody named weighs 1
            ("view", "gone", None),
            ("view", "unheard", None),
        ]
        one.add_events([Event(f"e{i}", f"u{i}", item, kind, i, weight=w) for i, (kind, item, w) in enumerate(told, 1)])
        one.delete_item("gone")
        yield one


def test_what_counts_is_what_a_dataset_holds(store):
    assert store.counted(WEIGHTS) == len(store.dataset(WEIGHTS).interactions) == 4
    assert store.counted(WEIGHTS, after=1) == 3
    assert store.counted(WEIGHTS, after=1, last=4) == 1
    assert store.counted({}) == 5


def test_where_the_newest_begin(store):
    assert [store.before_newest(WEIGHTS, n) for n in range(6)] == [7, 5, 3, 1, 0, 0]
    assert store.before_newest(WEIGHTS, 1, last=5) == 3
    cut = store.before_newest(WEIGHTS, 2)
    assert store.counted(WEIGHTS, after=cut) == 2
    assert len(store.dataset(WEIGHTS, until=cut).interactions) == 2


def test_promotions_keep_their_order_whatever_the_clock_says(store, monkeypatch):
    """Three within a second, then one after the clock went back by an hour."""
    from warmstart.store import models
    from warmstart.store.rows import Model

    for version in "abcd":
        store.put_model(Model(version, f"/{version}"))
    now = 1_700_000_000
    monkeypatch.setattr(models.time, "time", lambda: now)
    for version in "abc":
        store.promote(version)
    now -= 3600
    store.promote("d")
    order = sorted(store.models(), key=lambda m: m.promoted_at)
    assert [m.version for m in order] == ["a", "b", "c", "d"]
    assert store.serving().version == "d"
