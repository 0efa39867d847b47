"""Lists for everybody: the same as asked one by one, whole when they are there, and taken up where they stopped."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import polars as pl
import psutil
import pytest
from pyarrow import parquet

import warmstart as ws
from warmstart.batch import JOB, Batch, Lists
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError, DataError, WarmstartError
from warmstart.recipe import Recipe

COLUMNS = ["user_id", "item_id", "score", "rank", "source"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder, data = tmp_path_factory.mktemp("batch"), clusters(60, 40, 4, seed=1)
    recipe = Recipe(encoder="tfidf")
    experts = {n: recipe.experts[n] for n in ("popularity", "people", "transitions")}
    ws.Engine(replace(recipe, experts=experts)).fit(data).save(folder / "engine")
    data.save(folder / "data")
    return folder / "engine", folder / "data"


@pytest.fixture(scope="module")
def engine(saved):
    return ws.load(*saved)


def written(out):
    return pl.concat([pl.read_parquet(path) for path in sorted(out.glob("part-*.parquet"))])


@pytest.mark.parametrize("processes", [1, 2])
def test_lists_are_those_asked_one_by_one(saved, engine, tmp_path, processes):
    told = []
    batch = Batch(saved[0], tmp_path, Lists(k=3), users=25, processes=processes)
    assert batch.run(engine, lambda *step: told.append(step)) == {"users": 60, "parts": 3, "kept": 0}
    assert [done for _, done, _ in told] == [0, 1, 2]
    found, users = written(tmp_path), list(engine.data.users.ids)
    assert found.columns == COLUMNS
    asked = engine.recommend(users=users, k=3)
    assert found["user_id"].to_list() == [users[q] for q in asked["query"]]
    assert found.drop("user_id", "score").equals(asked.drop("query", "score"))
    assert (found["score"] - asked["score"]).abs().max() < 1e-5


def test_what_is_asked_is_asked_of_everybody(saved, engine, tmp_path):
    lists = Lists(k=2, candidates=["i1", "i2", "i3"], exclude_seen=False)
    Batch(saved[0], tmp_path, lists, processes=1).run(engine)
    found = written(tmp_path)
    assert len(found) == 120
    assert set(found["item_id"]) <= {"i1", "i2", "i3"}


def test_parts_that_are_there_are_kept(saved, engine, tmp_path):
    batch = Batch(saved[0], tmp_path, users=25, processes=1)
    batch.run(engine)
    before, lost = written(tmp_path), tmp_path / "part-00001.parquet"
    lost.unlink()
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.glob("part-*.parquet")}
    assert batch.run(engine) == {"users": 60, "parts": 3, "kept": 2}
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert written(tmp_path).equals(before)


def test_a_folder_holds_the_lists_of_one_question(saved, engine, tmp_path):
    Batch(saved[0], tmp_path, processes=1).run(engine)
    with pytest.raises(DataError, match="lists of another question; ask as before, name another folder"):
        Batch(saved[0], tmp_path, Lists(k=5), processes=1).run(engine)
    with pytest.raises(DataError, match="lists of parts of another size, made of 10000 users a part"):
        Batch(saved[0], tmp_path, users=7, processes=1).run(engine)


def test_a_damaged_note_is_told(saved, engine, tmp_path):
    (tmp_path / JOB).write_text("{")
    with pytest.raises(DataError, match="is no JSON"):
        Batch(saved[0], tmp_path, processes=1).run(engine)


def test_what_cannot_be_done_is_refused(saved, engine, tmp_path):
    with pytest.raises(DataError, match="need the data"):
        Batch(saved[0], tmp_path).run(ws.load(saved[0]))
    with pytest.raises(DataError, match="k=0"):
        Lists(k=0)
    with pytest.raises(ConfigError, match="users=0"):
        Batch(saved[0], tmp_path, users=0)
    with pytest.raises(ConfigError, match="processes=-1"):
        Batch(saved[0], tmp_path, processes=-1)
    with pytest.raises(ConfigError, match="predicts no ratings"):
        Batch(saved[0], tmp_path, Lists(objective="rating"), processes=1).run(engine)


def test_a_killed_batch_goes_on_where_it_stopped(saved, engine, tmp_path):
    command = [sys.executable, "-m", "warmstart", "recommend", str(saved[0]), "--data", str(saved[1]), "--all-users"]
    command += ["--out", str(tmp_path / "lists"), "--part", "1", "--processes", "1"]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while len(list((tmp_path / "lists").glob("part-*.parquet"))) < 3:
        assert running.poll() is None
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    there = len(list((tmp_path / "lists").glob("part-*.parquet")))
    assert 3 <= there < 60
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"60 parts, {there} of them kept from before" in " ".join(again.stderr.split())
    whole = tmp_path / "whole"
    Batch(saved[0], whole, users=1, processes=1).run(engine)
    assert written(tmp_path / "lists").drop("score").equals(written(whole).drop("score"))
    assert (tmp_path / "lists" / JOB).read_text() == (whole / JOB).read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_who_works_for_a_batch_ends_with_it(saved, tmp_path, how):
    command = [sys.executable, "-m", "warmstart", "recommend", str(saved[0]), "--data", str(saved[1]), "--all-users"]
    command += ["--out", str(tmp_path / "lists"), "--part", "1", "--processes", "2"]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "lists").glob("part-*.parquet")):
        assert running.poll() is None
        time.sleep(0.01)
    workers = psutil.Process(running.pid).children(recursive=True)
    assert len(workers) >= 2
    running.send_signal(how)
    running.wait()
    assert not psutil.wait_procs(workers, timeout=20)[1]


def test_a_question_that_cannot_be_answered_leaves_the_folder_free(saved, engine, tmp_path):
    for wrong in (Lists(objective="ratng"), Lists(filters={"colour": "x"})):
        with pytest.raises(WarmstartError):
            Batch(saved[0], tmp_path / "lists", wrong, processes=1).run(engine)
    assert Batch(saved[0], tmp_path / "lists", processes=1).run(engine)["kept"] == 0


def test_people_who_changed_are_other_data(saved, engine, tmp_path):
    Batch(saved[0], tmp_path, processes=1).run(engine)
    other = ws.load(*saved)
    other.data = replace(other.data, user_table=pl.DataFrame({"age": [1] * 60}))
    with pytest.raises(DataError, match="lists of other data"):
        Batch(saved[0], tmp_path, processes=1).run(other)


def test_items_added_after_the_engine_was_saved_are_not_in_its_folder(saved, tmp_path):
    engine = ws.load(*saved)
    engine.add_items([{"item_id": "new"}])
    with pytest.raises(DataError, match="items were added"):
        Batch(saved[0], tmp_path, processes=1).run(engine)


def test_a_folder_can_be_read_as_one_table_and_rests_of_killed_runs_go(saved, engine, tmp_path):
    (tmp_path / "part-00000.7.partial").write_bytes(b"half")
    Batch(saved[0], tmp_path, users=25, processes=1).run(engine)
    assert sorted(path.name for path in tmp_path.iterdir()) == [JOB, *(f"part-{n:05d}.parquet" for n in range(3))]
    assert parquet.read_table(tmp_path).num_rows == 600


def test_workers_that_are_killed_are_told_of(saved, engine, tmp_path):
    def kill(*_):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):  # it may have ended meanwhile
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()

    with pytest.raises(DataError, match="a process was killed"):
        Batch(saved[0], tmp_path, users=1, processes=2).run(engine, kill)


def test_options_that_do_not_go_with_everybody(saved, tmp_path):
    command = [sys.executable, "-m", "warmstart", "recommend", str(saved[0]), "--all-users"]
    found = subprocess.run([*command, "--text", "war"], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "leave out --text" in found.stderr
    alone = [*command[:-1], "--processes", "0", "--part", "5"]
    found = subprocess.run(alone, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "leave out --part, --processes" in " ".join(found.stderr.split())
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "needs --data" in found.stderr
