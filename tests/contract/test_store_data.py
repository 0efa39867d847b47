"""Data to learn from, out of every store and into it."""

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.interactions import Interactions
from warmstart.data.toy import checkerboard, clusters
from warmstart.errors import DataError
from warmstart.store.rows import Event, Item, User
from warmstart.store.store import Store


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        yield opened


def named(data):
    """Events as rows of ids, whatever the codes."""
    x = data.interactions
    users, items = data.users.names(x.user), data.catalog.items.names(x.item)
    rating = [None if np.isnan(r) else float(r) for r in x.rating]
    return sorted(zip(users, items, x.time.tolist(), x.weight.tolist(), rating, strict=True), key=repr)


def test_seeded_data_comes_back(store):
    data = clusters(60, 40, seed=3)
    assert store.seed(data) == {"items": 40, "users": 60, "events": len(data.interactions)}
    back = store.dataset()
    assert named(back) == named(data)
    assert back.interactions.kinds == ("rate",)
    columns = data.catalog.table.columns
    assert back.catalog.table.select(columns).sort("item_id").equals(data.catalog.table.sort("item_id"))
    for name in ("u0", "u17", "u59"):
        was, now = (d.attributes(d.users.codes([name])).to_dicts() for d in (data, back))
        assert was == now


def test_data_without_times_ratings_or_users_comes_back(store):
    data = checkerboard()
    x = data.interactions
    blank = data.with_interactions(Interactions.of(x.user, x.item, 20, 20))
    assert store.seed(blank)["users"] == 0
    back = store.dataset()
    assert named(back) == named(blank)
    assert (back.interactions.kinds, back.user_table, back.interactions.has_time) == (("interaction",), None, False)


def test_seeding_twice_adds_nothing_and_brings_nobody_back(store):
    data = clusters(20, 20)
    store.seed(data)
    store.erase_user("u3")
    store.delete_item("i5")
    store.put_items([Item("i6", {"title": "changed"})])
    assert store.seed(data) == {"items": 0, "users": 0, "events": 0}
    assert store.history("u3") == []
    store.set_state(f"seeded {data.fingerprint()}", {})
    with store.database.write() as connection:  # as if it had been interrupted before the end
        from warmstart.store.tables import STATES

        connection.execute(STATES.delete())
    store.seed(data)
    assert store.item("i5") is None
    assert store.item("i6").fields == {"title": "changed"}


def test_weights_are_the_events_own_or_those_of_their_kind(store):
    store.add_events(
        [
            Event("e1", "ann", "a", "view", 1),
            Event("e2", "ann", "b", "buy", 2),
            Event("e3", "ann", "c", "view", 3, weight=0.5),
            Event("e4", "ann", "d", "impression", 4),
            Event("e5", "ann", "e", "like", 5),
            Event("e6", "ann", "f", "buy", 6, weight=0.0),
            Event("e7", "ann", "g", "buy", 6, weight=float("nan")),
        ]
    )
    data = store.dataset({"view": 2.0, "buy": 5.0, "impression": 0.0})
    assert data.catalog.items.names(data.interactions.item) == ["a", "b", "c", "e", "g"]
    assert data.interactions.weight.tolist() == [2.0, 5.0, 0.5, 1.0, 5.0]
    assert data.interactions.kinds == ("view", "buy", "like")


def test_only_the_value_of_a_rating_is_a_rating(store):
    store.add_events([Event("e1", "ann", "a", "rate", 1, value=4.0), Event("e2", "ann", "b", "buy", 2, value=99.0)])
    assert store.dataset().interactions.rating.tolist() == [4.0, pytest.approx(float("nan"), nan_ok=True)]


def test_data_may_end_at_an_event(store):
    store.add_events([Event(f"e{n}", "ann", f"i{n}", "click", 9 - n) for n in range(5)])
    until = store.events(limit=3)[-1].seq
    assert store.dataset(until=until).catalog.items.ids == ("i0", "i1", "i2")
    assert store.dataset(until=until).interactions.item.tolist() == [2, 1, 0]


def test_items_and_users_without_events_are_there_and_deleted_ones_are_not(store):
    store.put_items([Item("a", {"title": "A", "genres": ["x", "y"]}), Item("b", {"year": 1979}), Item("gone")])
    store.put_users([User("bob", {"age": 3})])
    store.add_events([Event("e1", "ann", "z", "click", 1), Event("e2", "ann", "gone", "click", 2)])
    store.delete_item("gone")
    data = store.dataset()
    assert data.catalog.table.to_dicts() == [
        {"item_id": "a", "title": "A", "genres": "x|y", "year": None},
        {"item_id": "b", "title": None, "genres": None, "year": 1979},
        {"item_id": "z", "title": None, "genres": None, "year": None},
    ]
    assert data.users.ids == ("ann", "bob")
    assert data.user_table.to_dicts() == [{"age": None}, {"age": 3}]
    assert len(data.interactions) == 1


def test_a_store_of_items_only_gives_data_and_an_empty_one_none(store):
    with pytest.raises(DataError, match="neither an item nor an event"):
        store.dataset()
    store.put_items([Item("a", {"title": "A"})])
    assert (store.dataset().n_items, store.dataset().n_users) == (1, 0)
    assert store.dataset().catalog.table.schema == {"item_id": pl.String, "title": pl.String}


def test_too_many_kinds_are_refused(store):
    store.add_events([Event(f"e{n}", "ann", "a", f"kind{n}", n) for n in range(130)])
    with pytest.raises(DataError, match="130 kinds"):
        store.dataset()
    assert len(store.dataset({f"kind{n}": 0.0 for n in range(100)}).interactions) == 30


def test_one_moment_is_read_while_others_write(store):
    store.add_events([Event("e1", "ann", "a", "click", 1)])
    with store.database.snapshot() as connection:
        from warmstart.store.tables import EVENTS

        before = len(connection.execute(EVENTS.select()).all())
        store.add_events([Event("e2", "ann", "a", "click", 2)])
        assert len(connection.execute(EVENTS.select()).all()) == before == 1
    assert store.dataset().sizes()["events"] == 2


def test_much_data_is_seeded_page_by_page_with_lists_and_dates(store, monkeypatch):
    monkeypatch.setattr("warmstart.store.seed.PAGE", 7)
    data = checkerboard()
    table = pl.DataFrame(
        {
            "item_id": data.catalog.items.ids,
            "genres": [["a", None, "b"]] * 19 + [None],
            "out": [dt.date(1979, 5, 25)] * 20,
            "score": [8.5] * 19 + [float("nan")],
        }
    )
    new = store.seed(replace(data, catalog=Catalog(table)))
    assert new == {"items": 20, "users": 0, "events": len(data.interactions)}
    assert store.item("i0").fields == {"genres": ["a", "b"], "out": "1979-05-25", "score": 8.5}
    assert store.item("i19").fields == {"out": "1979-05-25"}
    assert store.versions()["items"] == 3
