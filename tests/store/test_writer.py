import threading
import time
from dataclasses import replace

import pytest

from warmstart.errors import Busy, DataError, StoreUnavailable
from warmstart.store.rows import Answer, Event, Shown
from warmstart.store.store import Store
from warmstart.store.writer import Writer


@pytest.fixture
def store(store_url):
    with Store.open(store_url, timeout=5.0) as opened:
        yield opened


@pytest.fixture
def gate(store, monkeypatch):
    """Nothing is written before it is set."""
    opened, write = threading.Event(), store.database.write
    monkeypatch.setattr(store.database, "write", lambda: (opened.wait(10), write())[1])
    return opened


def event(name):
    return Event(str(name), "ann", "alien", "click", 1)


def answer(name):
    return Answer(str(name), "ann", 1, "m", "home", "warm", [Shown("alien", 1.0, "als")])


def drain(writer):
    """Until the database, which is back, has all."""
    end = time.monotonic() + 10
    while len(writer) and time.monotonic() < end:
        writer.flush()


def test_events_are_there_when_it_returns_and_say_how_many_are_new(store):
    with Writer(store) as writer:
        assert writer.events([event(1), event(2)]) == 2
        assert len(store.events()) == 2
        assert writer.events([event(2), event(3)]) == 1
        assert writer.events([]) == 0


def test_calls_that_wait_share_one_transaction(store, gate, monkeypatch):
    writes, write = [], store.database.write
    monkeypatch.setattr(store.database, "write", lambda: (writes.append(1), write())[1])
    with Writer(store) as writer:
        first = writer.submit([event("first")])
        while not writes:
            time.sleep(0.001)
        rest = [writer.submit([event(n), event("first")]) for n in range(19)]
        gate.set()
        assert first.result() == 1
        assert [call.result() for call in rest] == [1] * 19
    assert len(writes) == 2


def test_a_bad_row_spoils_only_its_own_call(store, gate):
    with Writer(store) as writer:
        good = [writer.submit([event(n)]) for n in range(3)]
        bad = writer.submit([event("x"), Event("y", "u\ud800", "i", "click", 1)])
        writer.answers([answer("r")])
        gate.set()
        assert [call.result() for call in good] == [1, 1, 1]
        with pytest.raises(DataError):
            bad.result()
        writer.flush()
    assert sorted(e.event_id for e in store.events()) == ["0", "1", "2"]
    assert store.answer("r") is not None


def test_a_full_queue_says_so_and_takes_nothing(store, gate):
    with Writer(store, capacity=5) as writer:
        waiting = [writer.submit([event(n)]) for n in range(3)]
        with pytest.raises(Busy, match="3 rows wait"):
            writer.submit([event(n) for n in range(7, 10)])
        with pytest.raises(Busy):
            writer.answers([answer(8), answer(9)])
        writer.answers([answer(7)])
        assert len(writer) == 5
        gate.set()
        assert [call.result() for call in waiting] == [1, 1, 1]
    assert {e.event_id for e in store.events()} == {"0", "1", "2"}
    assert [a.recommendation_id for a in store.answers(0, 9)] == ["7"]


def test_long_answers_fill_the_queue_sooner_than_short_ones(store, gate):
    long = replace(answer("long"), items=[Shown(f"i{n}", 1.0, "als") for n in range(1_000)])
    with Writer(store, capacity=2_500) as writer:
        for n in range(2):
            writer.answers([replace(long, recommendation_id=f"r{n}")])
        assert len(writer) == 2_002
        with pytest.raises(Busy, match="2,002 rows wait"):
            writer.answers([long])
        gate.set()
    assert len(store.answers(0, 9)) == 2


def test_more_rows_than_fit_are_taken_when_nothing_waits(store):
    with Writer(store, capacity=4, group=2) as writer:
        assert writer.events([event(n) for n in range(10)]) == 10


def test_closing_writes_what_waits(store):
    writer = Writer(store)
    for n in range(200):
        writer.answers([answer(n)])
    writer.close()
    assert len(store.answers(0, 9)) == 200
    assert (len(writer), writer.lost) == (0, 0)
    with pytest.raises(Busy, match="shutting down"):
        writer.events([event(1)])
    writer.close()


def test_who_waits_for_events_hears_when_the_database_cannot_write(tmp_path):
    with Store.open(tmp_path / "store.db", timeout=0.1) as store, Writer(store) as writer:
        (tmp_path / "store.db").rename(tmp_path / "away.db")
        with pytest.raises(StoreUnavailable, match="is gone"):
            writer.events([event(1)])
        (tmp_path / "away.db").rename(tmp_path / "store.db")
        assert writer.events([event(1)]) == 1


def test_answers_wait_for_the_database_and_events_do_not(tmp_path, monkeypatch):
    monkeypatch.setattr("warmstart.store.writer.RETRY", 0.05)
    with Store.open(tmp_path / "store.db", timeout=0.1) as store, Writer(store) as writer:
        (tmp_path / "store.db").rename(tmp_path / "away.db")
        writer.answers([answer("r1")])
        with pytest.raises(StoreUnavailable):
            writer.events([event(1)])
        writer.answers([answer("r2")])
        assert len(writer) == 4
        (tmp_path / "away.db").rename(tmp_path / "store.db")
        drain(writer)
        assert [a.recommendation_id for a in store.answers(0, 9)] == ["r1", "r2"]


def test_answers_that_can_never_be_written_are_counted_at_the_end(tmp_path):
    with Store.open(tmp_path / "store.db", timeout=0.1) as store:
        writer = Writer(store)
        (tmp_path / "store.db").rename(tmp_path / "away.db")
        writer.answers([answer("r1"), answer("r2")])
        writer.close()
        assert (writer.lost, len(writer)) == (2, 0)


def test_senders_of_events_hear_at_once_however_many_answers_wait(tmp_path):
    with Store.open(tmp_path / "store.db", timeout=0.1) as store, Writer(store, group=10) as writer:
        (tmp_path / "store.db").rename(tmp_path / "away.db")
        for n in range(50):
            writer.answers([answer(n)])
        with pytest.raises(StoreUnavailable):
            writer.submit([event(1)]).result(timeout=5)
        writer.flush()
        assert len(writer) == 100
        (tmp_path / "away.db").rename(tmp_path / "store.db")
        drain(writer)
        assert len(store.answers(0, 9)) == 50


def test_flushing_waits_for_nothing_that_comes_later(store, gate):
    with Writer(store) as writer:
        writer.answers([answer("before")])
        flushed = threading.Thread(target=writer.flush)
        flushed.start()
        gate.set()
        for n in range(200):
            writer.answers([answer(n)])
        flushed.join(5)
        assert not flushed.is_alive()
        assert store.answer("before") is not None
