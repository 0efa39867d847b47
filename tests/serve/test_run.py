"""Running for real: processes, signals, workers that share and die, folders that are poisoned."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

PASSWORD = "correct horse battery"
SERVE = "from warmstart.cli.main import main; main()"
SLOW = """
import asyncio
from fastapi import FastAPI

def make():
    app = FastAPI()

    @app.get("/health/ready")
    async def ready():
        return "ok"

    @app.get("/slow")
    async def slow():
        await asyncio.sleep(1.0)
        return "done"

    return app
"""
RUN_SLOW = """
import sys
from warmstart.serve.run import serve
from warmstart.serve.settings import Settings
serve(Settings.read({"engine": sys.argv[1], "port": 0, "log_format": "json"}), "slow_app:make")
"""


@contextmanager
def running(code, *words, folder, **environment):
    """A process that serves: it, and its port."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder)} | environment
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=folder, env=env, stderr=subprocess.PIPE, text=True
    )
    lines = []
    thread = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    thread.start()
    try:
        said = waited(lambda: next((m for line in lines if (m := re.search(r"127\.0\.0\.1:(\d+)", line))), None))
        yield process, said[1]
    finally:
        process.kill()
        process.wait()
        thread.join(10)  # workers notice, and end too
        process.stderr.close()


def waited(found, seconds=90):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (value := found()) is not None:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


def ask(port, path, method="GET", body=None, **headers):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return response.status, response.read().decode(), dict(response.getheaders())
    finally:
        connection.close()


def ready(port):
    try:
        return True if ask(port, "/health/ready")[0] == 200 else None
    except OSError:
        return None


def ended(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(20)


@pytest.fixture
def engine(engine_folder, tmp_path):
    """A copy of the engine, so that its database is this test's own."""
    return shutil.copytree(engine_folder, tmp_path / "engine")


def children(process):
    """Ids of its workers."""
    found = psutil.Process(process.pid).children()
    alive = [child for child in found if child.status() != psutil.STATUS_ZOMBIE]
    return [child.pid for child in alive if "spawn_main" in str(child.cmdline())]


def test_workers_share_secrets_and_figures_are_replaced_when_they_die_and_end_with_their_parent(engine, tmp_path):
    given = ("serve", str(engine), "--port", "0", "--workers", "2", "--log-format", "json")
    with running(SERVE, *given, folder=tmp_path, WARMSTART_ADMIN_PASSWORD=PASSWORD) as (process, port):
        waited(lambda: ready(port))
        body = json.dumps({"events": [{"item_id": "i1"}], "k": 3})
        for _ in range(12):
            status, text, _ = ask(port, "/v1/recommend", "POST", body, Content_Type="application/json")
            assert (status, len(json.loads(text)["items"])) == (200, 3)
        figures = {
            (sample.name, *sample.labels.items()): sample.value
            for family in text_string_to_metric_families(ask(port, "/metrics")[1])
            for sample in family.samples
        }
        counted = [v for k, v in figures.items() if k[0] == "warmstart_requests_total" and "/v1/recommend" in str(k)]
        assert sum(counted) == 12  # of both, whichever was asked

        for _ in range(6):  # any worker takes what any other signed
            _, page, headers = ask(port, "/login")
            token = re.search(r'name="csrf" value="(\w+)"', page)[1]
            cookie = headers["set-cookie"].split(";")[0]
            form = f"csrf={token}&password={PASSWORD.replace(' ', '+')}"
            kind = {"Content_Type": "application/x-www-form-urlencoded"}
            assert ask(port, "/login", "POST", form, Cookie=cookie, **kind)[0] == 303

        before = children(process)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        after = waited(lambda: now if len(now := children(process)) == 2 and before[0] not in now else None)
        assert before[1] in after
        waited(lambda: ready(port))
        process.kill()  # without a word to them: they end all the same
        waited(lambda: True if not any(psutil.pid_exists(worker) for worker in after) else None)


def test_requests_in_work_finish_when_it_ends_and_half_ones_do_not_keep_it(engine, tmp_path):
    (tmp_path / "slow_app.py").write_text(SLOW)
    with running(RUN_SLOW, str(engine), folder=tmp_path) as (process, port):
        waited(lambda: ready(port))
        got = []
        threads = [threading.Thread(target=lambda: got.append(ask(port, "/slow")[:2])) for _ in range(5)]
        for thread in threads:
            thread.start()
        with socket.create_connection(("127.0.0.1", int(port))) as half:
            half.sendall(b"GET /slow HT")
            time.sleep(0.4)
            began = time.monotonic()
            assert ended(process) == 0
            assert time.monotonic() - began < 5
        for thread in threads:
            thread.join(5)
        assert got == [(200, '"done"')] * 5
        with pytest.raises(OSError, match="refused"):
            ask(port, "/slow")


@pytest.mark.parametrize(
    ("name", "workers", "told"),
    [("engine", "2", "was changed after it was saved"), ("nowhere", "1", "is not a saved engine")],
)
def test_a_poisoned_or_missing_engine_is_one_line_and_no_service(engine, tmp_path, name, workers, told):
    (engine / "parts.json").write_text("{}")
    command = [sys.executable, "-c", SERVE, "serve", str(tmp_path / name), "--port", "0", "--workers", workers]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert told in done.stderr


def test_a_taken_address_is_one_line(engine, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", SERVE, "serve", str(engine), "--port", port]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr.splitlines()[-1]
