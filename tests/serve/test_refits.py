"""Refits beside a service: processes that are started, refused, killed, and on time."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from starlette.testclient import TestClient

from warmstart.learn.lock import lives
from warmstart.serve import refits as module
from warmstart.serve.app import create_app
from warmstart.serve.refits import Refits
from warmstart.serve.turn import progress_of
from warmstart.store.rows import Model
from warmstart.store.store import Store

SERVER = textwrap.dedent(
    """
    import sys, time
    from warmstart.serve.refits import Refits
    from warmstart.serve.settings import Settings
    from warmstart.store.store import Store
    settings = Settings.read({"engine": sys.argv[1]})
    refits = Refits(settings, Store.open(settings.database))
    refits.start("asked")
    print("started", flush=True)
    time.sleep(60)
    """
)


def until(true, seconds=30.0):
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def test_asked_over_http_told_while_it_runs_and_served_in_the_end(world):
    app = create_app(world)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/v1/models/refit").json()["status"] == "idle"
        before = client.get("/v1/models").json()["serving"]
        asked = client.post("/v1/models:refit")
        assert (asked.status_code, asked.json()["status"]) == (202, "running")
        second = client.post("/v1/models:refit")
        assert second.status_code == 409
        assert (second.json()["code"], second.json()["remedy"]) == ("refit_running", "wait until it has ended")
        until(lambda: client.get("/v1/models/refit").json()["status"] != "running")
        told = client.get("/v1/models/refit").json()
        assert told["status"] == "promoted", (told, (world.models_folder / "refit.log").read_text())
        until(lambda: client.post("/v1/recommend", json={}).json()["model_version"] == told["model_version"])
        rows = {m["model_version"]: m for m in client.get("/v1/models").json()["models"]}
        assert rows[before]["status"] == "retired"
        assert rows[told["model_version"]]["report"]["passed"]
        assert "refit ended" in (world.models_folder / "refit.log").read_text()
        assert client.post("/v1/models:rollback").json()["model_version"] == before
        assert client.post("/v1/recommend", json={}).json()["model_version"] == before


def test_a_server_that_is_killed_takes_its_refit_along_and_the_next_one_works(world):
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(world.engine)],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert server.stdout.readline() == b"started\n"
    with Store.open(world.database) as store:
        until(lambda: store.state("refit")["pid"] != server.pid)  # the refit has taken over
        child = store.state("refit")["pid"]
        assert progress_of(store)["status"] == "running"
        server.send_signal(signal.SIGKILL)
        server.communicate()
        until(lambda: not lives(str(child)) or is_zombie(child), 10)
        refits = Refits(world, store)
        until(lambda: refits.progress()["status"] == "interrupted", 70)
        assert refits.start("asked")["status"] == "running"
        refits.close()  # as when the service ends: the refit ends, too, and says so
        told = refits.progress()
        assert (told["status"], told["reason"]) == ("interrupted", "the service ended")
        assert store.lock("refit", "next", 1)


def is_zombie(pid):
    """Whether nobody has asked yet how an ended process ended."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "Z"


def test_a_process_that_cannot_begin_is_told(world, monkeypatch):
    monkeypatch.setattr(module, "CHILD", "warmstart.serve.no_such_module")
    with Store.open(world.database) as store:
        refits = Refits(world, store)
        refits.start("asked")
        until(lambda: refits.progress()["status"] == "failed", 10)
        assert refits.progress()["reason"] == (
            "its process ended with code 1; refit.log in the folder of models says why"
        )
        assert "no_such_module" in (world.models_folder / "refit.log").read_text()
        refits.close()


def test_a_folder_that_cannot_be_written_is_told(world):
    world.models_folder.write_text("no folder")
    with Store.open(world.database) as store:
        told = Refits(world, store).start("asked")
        assert (told["status"], told["reason"]) == ("failed", "its process could not be started: File exists")
        assert store.lock("refit", "next", 1)


def test_it_is_time_by_the_hours_since_the_last_one_whatever_the_clock_says(world, monkeypatch):
    with Store.open(world.database) as store:
        refits = Refits(world.model_copy(update={"refit_every_hours": 24.0}), store)
        promoted = store.serving().promoted_at
        now = promoted + 23 * 3600.0
        monkeypatch.setattr(module.time, "time", lambda: now)
        assert not refits.is_due()
        now = promoted + 25 * 3600.0
        assert refits.is_due()
        store.set_state("refit", {"started_at": now - 3600, "status": "refused"})
        assert not refits.is_due()
        store.set_state("refit", {"started_at": now - 3601, "status": "interrupted"})
        assert refits.is_due()
        store.set_state("refit", {"started_at": now + 50 * 3600, "status": "refused"})  # of a clock since gone back
        assert refits.is_due()


def test_of_two_workers_one_starts_it_on_time(world, monkeypatch):
    monkeypatch.setattr(module, "LOOK", 0.05)
    monkeypatch.setattr(module, "CHILD", "warmstart.serve.refit_process")
    settings = world.model_copy(update={"refit_every_hours": 1.0})
    with Store.open(world.database) as store:
        store.set_state("refit", {"started_at": 1, "status": "refused"})
        workers = [Refits(settings, store) for _ in "12"]
        for worker in workers:
            worker.begin()
        until(lambda: progress_of(store)["status"] == "running", 10)
        time.sleep(0.3)
        assert sum(worker._child is not None for worker in workers) == 1
        assert store.state("refit")["why"] == "on time"
        for worker in workers:
            worker.close()


def test_the_command_line_writes_json_alone_and_ends_with_1_where_nothing_is_promoted(world, logged, capsys):
    import typer

    from warmstart.cli.refit import refit

    with logged(world), pytest.raises(typer.Exit) as ended:
        refit(engine=world.engine, config=few_held(world), as_json=True)
    assert ended.value.exit_code == 1
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "failed"
    assert told["reason"].endswith("events, or raise refit_holdout")


def few_held(world):
    """A file of settings that hold out next to nothing."""
    path = world.engine.parent / "few.toml"
    path.write_text("refit_holdout = 0.001\n")
    return path


def test_of_a_model_that_never_served_there_is_no_time(tmp_path):
    from warmstart.serve.settings import Settings

    settings = Settings(engine=tmp_path / "engine", refit_every_hours=1.0)
    with Store.open(settings.database) as store:
        store.put_model(Model("a", "/a"))
        assert Refits(settings, store).is_due()  # it will say what is missing
