"""The database is gone, locked, full or damaged: one line says so, nothing acknowledged is lost, and it comes back."""

import random
import sqlite3
import threading
import time
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import event as sa_event

from warmstart.errors import MissingExtra, StoreUnavailable
from warmstart.store.rows import Answer, Event, Item, Shown, User
from warmstart.store.store import Store
from warmstart.store.writer import Writer


def event(n, user="ann"):
    return Event(f"e{n}", user, "alien", "click", 1)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def store(file):
    with Store.open(file, timeout=0.2) as opened:
        yield opened


@pytest.fixture
def on_postgres(postgres):
    with Store.open(postgres.store(), timeout=2) as opened:
        yield opened


def limit(store, pages):
    """Let the database grow to so many pages, as if the disk ended there."""
    store.database.engine.dispose()
    hook = lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}")  # noqa: E731
    sa_event.listen(store.database.engine, "connect", hook)


def fill(store):
    """Events acknowledged before the first that was not."""
    for n in range(0, 100_000, 50):
        try:
            store.add_events([event(n + part) for part in range(50)])
        except StoreUnavailable:
            return n
    return -1


def test_a_full_disk_loses_nothing_that_was_acknowledged(store):
    limit(store, 120)
    acknowledged = fill(store)
    assert acknowledged > 50
    with pytest.raises(StoreUnavailable, match="disk is full; free space on the disk; nothing of this write was kept"):
        store.add_events([event(f"y{n}") for n in range(50)])
    with pytest.raises(StoreUnavailable), Writer(store) as writer:
        writer.events([event(f"x{n}") for n in range(50)])
    assert len(store.history("ann", 100_000)) == store.last_seq() == acknowledged
    limit(store, 1000)
    assert store.add_events([event(f"x{n}") for n in range(50)]) == 50


def test_a_file_that_another_process_writes_can_be_read(store, file):
    store.add_events([event(1)])
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="database is locked; another process holds the database"):
        store.add_events([event(2)])
    assert len(store.history("ann")) == 1
    other.execute("ROLLBACK")
    other.close()
    assert store.add_events([event(2)]) == 1


def test_a_thread_that_writes_for_long_is_waited_for_only_so_long(store):
    with store.database.write():
        failed = []

        def write():
            try:
                store.add_events([event(1)])
            except StoreUnavailable as error:
                failed.append(str(error))

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert "longer than 0.2 s" in failed[0]
    assert store.add_events([event(1)]) == 1


def test_a_file_that_was_taken_away_is_not_written_into_the_void(store, file):
    store.add_events([event(1)])
    file.rename(file.with_suffix(".away"))
    for call in (store.ping, store.versions, lambda: store.add_events([event(2)]), lambda: store.history("ann")):
        with pytest.raises(StoreUnavailable, match=r"store\.db is gone; put the file back"):
            call()
    assert not file.exists()
    file.with_suffix(".away").rename(file)
    assert store.add_events([event(2)]) == 1
    assert len(store.history("ann")) == 2


def test_a_file_that_was_exchanged_is_the_one_that_counts(store, file):
    store.add_events([event(1)])
    with Store.open(file.with_suffix(".new")) as other:
        other.add_events([event(7), event(8)])
    file.with_suffix(".new").rename(file)
    for kept in ("-wal", "-shm"):
        file.with_name(file.name + kept).unlink(missing_ok=True)
    assert [e.event_id for e in store.history("ann")] == ["e7", "e8"]


def test_a_file_that_is_no_database_is_refused(file):
    file.write_bytes(b"not a database at all, but long enough to have a header of hundred bytes" * 9)
    with pytest.raises(StoreUnavailable, match="name another file, or restore it from a copy"):
        Store.open(file)


def test_a_damaged_file_is_said_to_be_damaged(file):
    with Store.open(file) as store:
        store.add_events([event(n) for n in range(2000)])
    draw, content = random.Random(0), bytearray(file.read_bytes())
    content[4096 * 8 :] = draw.randbytes(len(content) - 4096 * 8)
    file.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="malformed; restore it from a copy"), Store.open(file) as store:
        store.events(limit=5000)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"unable to open database file; create the folder, or let"):
        Store.open(tmp_path)


def test_a_place_where_no_file_can_be_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"cannot be made: .*; name another place"):
        Store.open(tmp_path / "file" / "store.db")


def test_the_file_is_for_its_owner_only(store, file):
    store.add_events([event(1)])
    assert {path.stat().st_mode & 0o777 for path in file.parent.glob("store.db*")} == {0o600}


def test_an_erased_person_leaves_no_byte_in_the_file(store, file):
    store.put_users([User("Person-Quatermass", {"mail": "Quatermass@example.com"})])
    store.add_events([Event(f"Quatermass-{n}", "Person-Quatermass", f"i{n}", "click", n) for n in range(3000)])
    answer = Answer("r", "Person-Quatermass", 1, "m", "home", "warm", [Shown("alien", 1.0, "als")])
    store.add_answers([replace(answer, recommendation_id=f"r{n}", request={"q": "Quatermass"}) for n in range(99)])
    store.put_items([Item("alien")])

    def found():
        return sum(path.read_bytes().count(b"Quatermass") for path in file.parent.glob("store.db*"))

    assert found() > 3000
    store.erase_user("Person-Quatermass")
    assert found() == 0


def test_a_stopped_server_is_waited_for_by_nobody_and_comes_back(postgres, on_postgres):
    store = on_postgres
    store.add_events([event(1)])
    with Writer(store) as writer:
        postgres.server.stop()
        start = time.monotonic()
        with pytest.raises(StoreUnavailable, match="start it, or correct the address"):
            store.ping()
        with pytest.raises(StoreUnavailable):
            writer.events([event(2)])
        writer.answers([Answer("r1", "ann", 1, "m", "home", "warm", [Shown("alien", 1.0, "als")])])
        assert time.monotonic() - start < 5
        postgres.server.start()
        assert writer.events([event(3)]) == 1
        writer.flush()
        assert store.answer("r1") is not None
    assert [e.event_id for e in store.events()] == ["e1", "e3"]


def test_connections_that_were_cut_are_made_anew(postgres, on_postgres):
    store = on_postgres
    store.add_events([event(1)])
    with psycopg.connect(postgres.server.get_uri(), autocommit=True) as admin:
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        assert admin.execute(cut, [store.database.engine.url.database]).fetchone()[0] >= 1
    assert store.add_events([event(2)]) == 1


def test_rows_that_another_transaction_holds_are_waited_for_only_so_long(postgres):
    url = postgres.store()
    with Store.open(url, timeout=0.2) as store, Store.open(url) as other:
        with other.database.write() as connection:
            connection.exec_driver_sql("UPDATE versions SET value = value")
            with pytest.raises(StoreUnavailable, match="another transaction holds the rows"):
                store.put_items([Item("alien")])
        assert store.put_items([Item("alien")]) == 1


def test_a_server_that_is_not_there_is_told_without_the_password(postgres):
    with pytest.raises(StoreUnavailable, match=r"shop:\*\*\*@127.0.0.1") as caught:
        Store.open("postgresql://shop:hunter2@127.0.0.1:1/store")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(StoreUnavailable, match="create the database"):
        Store.open(postgres.server.get_uri(database="nothing"))


def test_postgres_without_its_driver_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"warmstart\[postgres\]"):
        Store.open("postgresql://shop@127.0.0.1/store")


def test_a_hundred_thousand_events_are_kept_in_seconds(store_url):
    rows = [Event(f"e{n * 7919 % 100_003:08}", f"u{n % 5003}", f"i{n % 997}", "click", n) for n in range(100_000)]
    with Store.open(store_url) as store:
        start = time.perf_counter()
        assert store.add_events(rows) == 100_000
        assert time.perf_counter() - start < 15
        assert store.add_events(rows[:1000]) == 0
