"""Answers of an erased person that still wait in another process are not written afterwards."""

import time
from dataclasses import replace

import pytest

from warmstart.store.erased import DAY
from warmstart.store.rows import Answer, Event, Shown
from warmstart.store.store import Store
from warmstart.store.tables import STATES
from warmstart.store.writer import Writer


@pytest.fixture
def stores(store_url):
    with Store.open(store_url) as one, Store.open(store_url) as two:
        yield one, two


def answer(name, user, at=None):
    return Answer(name, user, at or int(time.time()), "m", "home", "warm", [Shown("alien", 1.0, "als")])


def documents(store):
    with store.database.read() as connection:
        rows = connection.execute(STATES.select()).all()
    return {row.name: row.document for row in rows if row.name.startswith("erased:")}


def hashes(store):
    return list(documents(store))


def test_what_another_writer_still_holds_is_dropped(stores, monkeypatch):
    mine, other = stores
    monkeypatch.setattr("warmstart.store.writer.GATHER", 30.0)
    with Writer(mine) as here, Writer(other) as there:
        here.answers([answer("a1", "ann")])
        there.answers([answer("a2", "ann"), answer("b2", "bob"), answer("n2", None)])
        here.flush()
        assert mine.answer("a1") is not None
        mine.erase_user("ann")
        assert mine.answer("a1") is None
        there.flush()
        assert [mine.answer(name) is not None for name in ("a2", "b2", "n2")] == [False, True, True]


def test_answers_without_a_name_that_wait_elsewhere_are_dropped_where_they_led_to_something(stores, monkeypatch):
    mine, other = stores
    monkeypatch.setattr("warmstart.store.writer.GATHER", 30.0)
    now = int(time.time())
    mine.add_answers([answer("n3", None)])
    with Writer(other) as there:
        there.answers([answer("n1", None), answer("n2", None), answer("b1", "bob")])
        mine.add_events(
            [
                Event("e1", "ann", "alien", "click", now, recommendation_id="n1"),
                Event("e2", "ann", "alien", "buy", now, recommendation_id="n1"),
                Event("e3", "ann", "alien", "click", now, recommendation_id="n3"),
                Event("e4", "bob", "alien", "click", now, recommendation_id="n2"),
            ]
        )
        assert mine.erase_user("ann").counts["answers"] == 1
        there.flush()
    assert [mine.answer(name) is not None for name in ("n1", "n2", "n3", "b1")] == [False, True, False, True]
    assert "n1" not in str(documents(mine))


def test_what_an_earlier_version_remembered_counts(stores):
    store, _ = stores
    store.erase_user("ann")
    for name, document in documents(store).items():
        store.set_state(name, {key: document[key] for key in ("salt", "digest")})
    assert store.add_answers([answer("a", "ann", int(time.time()) - 9), answer("n", None)]) == 1


def test_answers_do_not_wait_longer_than_it_is_remembered_who_was_erased(tmp_path, monkeypatch):
    monkeypatch.setattr("warmstart.store.writer.RETRY", 0.02)
    with Store.open(tmp_path / "store.db", timeout=0.05) as store, Store.open(tmp_path / "store.db") as blocking:
        with Writer(store) as writer:
            monkeypatch.setattr("warmstart.store.writer.DAY", 0.3)
            with blocking.database.write():
                writer.answers([answer("a", "ann")])
                end = time.monotonic() + 10
                while len(writer) and time.monotonic() < end:
                    time.sleep(0.02)
            assert (len(writer), writer.lost) == (0, 1)
        assert store.answer("a") is None


def test_what_waited_through_an_outage_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr("warmstart.store.writer.RETRY", 0.02)
    file = tmp_path / "store.db"
    with Store.open(file, timeout=0.1) as mine, Store.open(file, timeout=0.1) as other, Writer(other) as there:
        with mine.database.write():
            there.answers([answer("a", "ann"), answer("b", "bob")])
            there.flush()
            assert len(there) == 4
        mine.erase_user("ann")
        end = time.monotonic() + 10
        while len(there) and time.monotonic() < end:
            there.flush()
        assert (mine.answer("a"), mine.answer("b") is not None) == (None, True)


def test_who_comes_back_is_answered_and_kept(stores):
    store, _ = stores
    store.erase_user("ann")
    later = int(time.time()) + 1
    assert store.add_answers([answer("old", "ann", later - 60), answer("new", "ann", later)]) == 1
    assert store.answer("new") is not None


def test_after_a_day_the_hashes_are_gone(stores, monkeypatch):
    store, _ = stores
    store.erase_user("ann")
    assert len(hashes(store)) == 1
    assert "ann" not in str(hashes(store))
    now = time.time()
    store.add_answers([answer("r", "bob")])
    assert len(hashes(store)) == 1
    monkeypatch.setattr(time, "time", lambda: now + DAY + 5)
    store.add_answers([replace(answer("s", "bob"), time=int(now))])
    assert hashes(store) == []
