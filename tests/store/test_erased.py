"""Answers of an erased person that still wait in another process are not written afterwards."""

import time
from dataclasses import replace

import pytest

from warmstart.store.erased import DAY
from warmstart.store.rows import Answer, Shown
from warmstart.store.store import Store
from warmstart.store.tables import STATES
from warmstart.store.writer import Writer


@pytest.fixture
def stores(store_url):
    with Store.open(store_url) as one, Store.open(store_url) as two:
        yield one, two


def answer(name, user, at=None):
    return Answer(name, user, at or int(time.time()), "m", "home", "warm", [Shown("alien", 1.0, "als")])


def hashes(store):
    with store.database.read() as connection:
        return [row.name for row in connection.execute(STATES.select()) if row.name.startswith("erased:")]


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
