"""Data to learn from, out of every store and into it."""

import datetime as dt
import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.ingest import read
from warmstart.data.interactions import Interactions
from warmstart.data.toy import checkerboard, clusters
from warmstart.errors import DataError
from warmstart.store.rows import Event, Item, User
from warmstart.store.seed import _pages
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


def rows(*said, **more):
    """Data of (user, item, time) rows, as a file of them is read."""
    frame = pl.DataFrame(said, schema=["user_id", "item_id", "time"], orient="row")
    return read(frame.with_columns(**{name: pl.Series(values) for name, values in more.items()}))


ROWS = [("ann", "alien", 1_000_000_000), ("ann", "heat", 1_000_000_060), ("bob", "alien", 1_000_000_000)]


def test_a_file_with_one_more_row_adds_one_event(store):
    assert store.seed(rows(*ROWS))["events"] == 3
    assert store.seed(rows(*ROWS, ("bob", "heat", 1_000_000_500)))["events"] == 1
    assert [e.item_id for e in store.history("bob")] == ["alien", "heat"]
    assert store.seed(rows(("eve", "alien", 999_999_999), *ROWS))["events"] == 1


def test_the_same_rows_read_in_another_way_add_nothing(store):
    kinds = ["view", "buy", "view"]
    store.seed(rows(*ROWS, kind=kinds))
    back = rows(*reversed(ROWS), kind=kinds[::-1], shop=[1, 2, 3])
    other = read(pl.DataFrame(ROWS, schema=["u", "i", "t"], orient="row").with_columns(kind=pl.Series(kinds)),
                 weights="view=2,buy=5", columns={"user_id": "u", "item_id": "i", "time": "t"},
                 items={"item_id": ["heat"], "title": ["Heat"]})  # fmt: skip
    assert len({data.fingerprint() for data in (rows(*ROWS, kind=kinds), back, other)}) == 3
    assert [store.seed(data)["events"] for data in (back, other)] == [0, 0]
    assert {e.weight for e in store.events()} == {None}


def test_rows_that_say_the_same_are_as_many_as_there_are(store):
    def repeated(n, **more):
        zeros = np.zeros(n, np.int64)
        data = checkerboard(2, 2)
        return data.with_interactions(Interactions.of(zeros, zeros, 2, 2, **more))

    assert store.seed(repeated(3))["events"] == 3
    assert store.seed(repeated(5))["events"] == 2
    assert store.seed(repeated(4, weight=np.full(4, 2.0)))["events"] == 0
    assert store.seed(repeated(2, rating=np.array([3.0, 4.0])))["events"] == 2
    assert store.seed(repeated(2, rating=np.array([4.0, 3.0])))["events"] == 0
    assert store.seed(repeated(2, time=np.array([7, 7])))["events"] == 2


def test_other_data_brings_nobody_back_but_with_what_came_after(store):
    now = int(time.time())
    store.seed(rows(*ROWS))
    store.erase_user("ann")
    later = ("ann", "up", now + 60)
    more = replace(rows(*ROWS, later), user_table=pl.DataFrame({"age": [30, 40]}))
    assert store.seed(more) == {"items": 1, "users": 1, "events": 1}
    assert [e.item_id for e in store.history("ann")] == ["up"]
    assert (store.user("ann"), store.user("bob").attributes) == (None, {"age": 40})
    store.erase_user("ann")
    assert store.seed(rows(*ROWS, ("ann", "heat", 5)))["events"] == 0


def test_events_without_a_time_of_the_erased_stay_away(store):
    data = checkerboard()
    x = data.interactions
    store.erase_user("u0")
    new = store.seed(data.with_interactions(Interactions.of(x.user, x.item, 20, 20)))
    assert new["events"] == int((x.user > 0).sum())
    assert store.history("u0") == []


def test_who_is_erased_while_a_store_is_filled_is_not_filled_in_again(store, monkeypatch):
    monkeypatch.setattr("warmstart.store.seed.PAGE", 2)

    def pages(given):
        for number, page in enumerate(_pages(given)):
            if number == 1 and "event_id" in page[0]:
                store.erase_user("ann")  # after the first page was written
            yield page

    monkeypatch.setattr("warmstart.store.seed._pages", pages)
    said = [(user, f"i{n}", 1_000_000_000 + n) for n in range(4) for user in ("ann", "bob")]
    store.seed(rows(*said))
    assert (store.history("ann"), len(store.history("bob"))) == ([], 4)


def test_what_a_first_version_filled_in_is_not_filled_in_again(store):
    data = rows(*ROWS)
    store.set_state(f"seeded {data.fingerprint()}", {"at": 5, "items": 2, "users": 0, "events": 3})
    assert store.seed(data)["events"] == 0


def test_items_of_a_catalogue_are_added_where_there_are_none(store):
    store.put_items([Item("a", {"title": "mine"}), Item("gone")])
    store.delete_item("gone")
    catalog = Catalog(pl.DataFrame({"item_id": ["a", "b", "gone"], "title": ["A", "B", "C"]}))
    assert store.seed_items(catalog) == 1
    assert [(i.item_id, i.fields["title"]) for i in store.items()] == [("a", "mine"), ("b", "B")]


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
