"""Threads share few arenas of memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

THREADS = """
import sys, threading
from warmstart.serve.arenas import few_arenas
print(few_arenas())
started = threading.Barrier(16)
def work():
    rows = [bytes(100_000) for _ in range(20)]
    started.wait()
    del rows
threads = [threading.Thread(target=work) for _ in range(16)]
for t in threads: t.start()
for t in threads: t.join()
spans = [line.split()[0].split("-") for line in open("/proc/self/maps")]
print(sum(int(low, 16) % (64 << 20) == 0 for low, _ in spans))
"""


def told(**environment):
    """Whether it was done, and how many places of memory begin where arenas do."""
    kept = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    out = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, check=True, env={**kept, **environment}
    )
    done, arenas = out.stdout.split()
    return done == "True", int(arenas)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="memory is looked at in /proc")
def test_many_threads_share_few_arenas():
    done, few = told()
    left_alone, many = told(MALLOC_ARENA_MAX="8")
    assert done
    assert not left_alone
    assert few < many


def test_what_the_environment_says_stands(monkeypatch):
    from warmstart.serve.arenas import few_arenas

    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert not few_arenas()
