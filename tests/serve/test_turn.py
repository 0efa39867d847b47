"""One refit at a time, whoever dies and whatever the clock says."""

import os
import subprocess
import sys
import threading
import time

import pytest

from warmstart.errors import StoreUnavailable
from warmstart.serve import turn as module
from warmstart.serve.turn import Lost, Running, Turn, end, place, progress_of, take
from warmstart.store.store import Store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.db") as one:
        yield one


def dead_process():
    """The number of a process that is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_second_one_is_refused_in_one_line_until_the_first_ends(store):
    holder = take(store, "asked")
    with pytest.raises(Running, match=r"^a refit is at work \(starting\); wait until it has ended$"):
        take(store, "asked")
    assert progress_of(store)["status"] == "running"
    assert end(store, holder, "promoted", {"reason": "fine"})
    assert not end(store, holder, "failed", {})  # it has ended already
    told = progress_of(store)
    assert (told["status"], told["reason"]) == ("promoted", "fine")
    assert take(store, "asked") != holder


def test_the_turn_of_a_dead_process_is_taken_over_at_once(store):
    take(store, "asked")
    store.set_state("refit", store.state("refit") | {"pid": dead_process()})
    assert progress_of(store)["status"] == "interrupted"
    take(store, "asked")
    assert progress_of(store)["status"] == "running"


def test_a_process_of_another_place_lives_until_it_was_silent_for_too_long(store):
    take(store, "asked")
    told = store.state("refit") | {"pid": dead_process(), "place": "elsewhere"}
    store.set_state("refit", told)
    assert progress_of(store)["status"] == "running"
    with pytest.raises(Running):
        take(store, "asked")
    store.set_state("refit", told | {"heard_at": time.time() - 2 * module.SECONDS})
    take(store, "asked")


def test_it_is_prolonged_while_it_lasts_and_tells_how_far_it_is(store, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.01)
    monkeypatch.setattr(module, "SECONDS", 0.5)
    with Turn(store, take(store, "asked")) as mine:
        mine.tell("fitting", 3, 9)
        time.sleep(0.7)
        mine.check()
        told = progress_of(store)
        assert (told["stage"], told["done"], told["total"], told["pid"]) == ("fitting", 3, 9, os.getpid())
        assert told["place"] == place()
        assert not store.lock("refit", "another", 1)


def test_who_lost_the_turn_stops_at_the_next_step(store, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.01)
    holder = take(store, "asked")
    with Turn(store, holder) as mine:
        assert store.unlock("refit", holder)
        other = take(store, "asked")
        assert mine._lost.wait(5)
        with pytest.raises(Lost, match="another refit took the turn"):
            mine.tell("fitting", 0, 1)
    assert not end(store, holder, "promoted", {})
    assert store.state("refit")["holder"] == other


@pytest.mark.parametrize("step", [-86_400.0, -10.0, 30.0])
def test_a_clock_that_jumps_gives_the_turn_to_one_alone(store, monkeypatch, step):
    """The one at work goes on, or stops; two never go on."""
    monkeypatch.setattr(module, "BEAT", 0.01)
    now, offset = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: now() + offset[0])
    with Turn(store, take(store, "asked")) as mine:
        offset[0] = step
        time.sleep(0.2)
        with pytest.raises(Running):
            take(store, "asked")
        mine.check()


def test_it_waits_for_a_database_that_is_started_again(store, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.05)
    mine = Turn(store, take(store, "asked"))
    file, away = tmp_path / "store.db", tmp_path / "away"
    file.rename(away)
    with pytest.raises(StoreUnavailable):
        store.ping()
    back = threading.Timer(0.3, away.rename, [file])
    back.start()
    mine.wait_for_store()
    assert file.exists()
    back.join()
