"""A process that is killed while it writes has lost nothing that it acknowledged."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from warmstart.store.store import Store

KILLS = 50


@pytest.fixture
def writers(tmp_path):
    script = Path(__file__).with_name("kill_writer.py")
    command = [sys.executable, str(script), str(tmp_path / "store.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as parent:
        yield parent
        parent.stdin.close()


def test_fifty_kills_lose_no_acknowledged_event(tmp_path, writers):
    draw, acknowledged, kept = random.Random(0), set(), 0
    for run in range(KILLS):
        acknowledged |= killed(writers, run, tmp_path / f"said{run}", draw.uniform(0.0, 0.06))
        with Store.open(tmp_path / "store.db") as store:  # opens clean
            assert store.last_seq() >= kept
            kept = store.last_seq()
            assert kept >= len(acknowledged)
    connection = sqlite3.connect(tmp_path / "store.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = {name for (name,) in connection.execute("SELECT event_id FROM events")}
    connection.close()
    assert acknowledged <= found
    assert len(acknowledged) > KILLS  # they did write before they were killed


def killed(writers, run, file, seconds):
    """Ids that a process acknowledged before it was killed, so many seconds after it began to write."""
    writers.stdin.write(f"{run} {file}\n")
    child = int(writers.stdout.readline())
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(int(writers.stdout.readline())) == signal.SIGKILL
    return set(file.read_text().split())
