import json
import math
import os
import subprocess
import sys

import pytest

from warmstart.errors import ArtefactError, ConfigError
from warmstart.learn.lock import LOCK
from warmstart.learn.run import CARD, METRICS, Run, read_card

SETTINGS = {"model": "tiny", "training": {"steps": 3, "seed": 7, "learning_rate": 0.1}}

NEEDED = ("kind", "settings", "data", "status", "started", "seconds")


def begin(folder, settings=SETTINGS, data="d1", kind="retrieval", **more):
    return Run.begin(folder, kind, settings, data, **more)


def test_a_run_says_what_was_asked_where_and_what_came_out(tmp_path):
    run = begin(tmp_path / "a")
    assert read_card(run.folder)["status"] == "running"
    run.log(1, {"loss": 0.5})
    run.end("done", {"ndcg@10": 0.4})
    card = json.loads((tmp_path / "a" / CARD).read_text())
    assert (card["status"], card["seed"], card["data"], card["kind"]) == ("done", 7, "d1", "retrieval")
    assert card["result"] == {"ndcg@10": 0.4}
    assert card["settings"] == SETTINGS
    assert card["hardware"]["processors"] >= 1
    assert {"python", "torch", "transformers"} <= card["versions"].keys()
    assert card["started"] <= card["ended"]
    assert card["peak_memory_mb"] > 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"settings": SETTINGS | {"model": "big"}}, r"other settings \(model: 'tiny', now 'big'\)"),
        (
            {"settings": SETTINGS | {"training": {"steps": 4}}},
            r"settings \(training: learning_rate: 0.1, now None\)",
        ),
        ({"data": "d2"}, r"other data \('d1', now 'd2'\)"),
        ({"kind": "causal"}, r"other kind \('retrieval', now 'causal'\)"),
    ],
)
def test_something_else_in_the_same_folder_is_refused(tmp_path, asked, told):
    begin(tmp_path).log(1, {"loss": 0.5})
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(ConfigError, match=told + "; give another folder"):
        begin(tmp_path, **asked)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_file_is_no_folder_for_a_run(tmp_path):
    (tmp_path / "films.csv").write_text("item_id")
    with pytest.raises(ConfigError, match="csv is a file; a run is a folder: give another name"):
        begin(tmp_path / "films.csv")


def test_time_adds_up_over_sessions(tmp_path):
    first = begin(tmp_path)
    first._began -= 100
    first.note()
    again = begin(tmp_path)
    again.end("done", {})
    assert 100 <= read_card(tmp_path)["seconds"] < 200
    assert read_card(tmp_path)["started"] == first.card["started"]


def test_a_line_that_was_cut_is_left_out_and_rewinding_forgets(tmp_path):
    run = begin(tmp_path)
    for step in (1, 2, 3):
        run.log(step, {"loss": 1.0 / step})
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"step": 4, "lo')
    assert [row["step"] for row in run.metrics()] == [1, 2, 3]
    run.rewind(2)
    run.log(3, {"loss": math.nan})
    rows = list(run.metrics())
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert math.isnan(rows[-1]["loss"])


def test_a_process_that_does_not_write_writes_nothing(tmp_path):
    run = begin(tmp_path / "a", writes=False)
    run.log(1, {"loss": 1.0})
    run.rewind(0)
    run.note()
    run.end("done", {})
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "holds no readable run.json"),
        ("{", "holds no readable run.json"),
        ("7", "holds no readable run.json"),
        ("[]", "has no 'data'"),
        ('{"kind": "x"}', "has no 'data'"),
        (
            json.dumps({k: 1 for k in ("kind", "settings", "data", "status", "started", "seconds")} | {"format": 9}),
            "format 9",
        ),
    ],
)
def test_a_card_that_cannot_be_read(tmp_path, content, told):
    if content is not None:
        (tmp_path / CARD).write_text(content)
    with pytest.raises(ArtefactError, match=told):
        Run.read(tmp_path)


def test_one_process_at_a_time_writes(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        begin(tmp_path).log(1, {"loss": 0.5})
        (tmp_path / LOCK).write_text(str(other.pid))
        before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        with pytest.raises(ConfigError, match=f"is written to by process {other.pid}; wait for it, give another"):
            begin(tmp_path)
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    again = begin(tmp_path)  # the other is no more
    assert (tmp_path / LOCK).read_text() == str(os.getpid())
    again.end("done", {})
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("left", ["", "no number", "9" * 30, "own"])
def test_a_lock_that_nobody_else_holds_is_taken_over(tmp_path, left):
    (tmp_path / LOCK).write_text(str(os.getpid()) if left == "own" else left)
    begin(tmp_path).end("done", {})
    assert read_card(tmp_path)["status"] == "done"


def test_a_run_ended_twice_keeps_the_later_result(tmp_path):
    run = begin(tmp_path)
    run.end("failed", {})
    run.end("done", {"x": 1})
    assert (read_card(tmp_path)["status"], read_card(tmp_path)["result"]) == ("done", {"x": 1.0})
