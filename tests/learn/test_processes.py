"""One process, two under torchrun, two under accelerate launch: the same path, one writer, equal weights."""

import importlib.util
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from warmstart.learn.processes import Draw, Processes
from warmstart.learn.run import Run

SCRIPT = Path(__file__).with_name("together.py")
TASKS = ("full", "lora", "odd", "cut", "line")
LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"],
    "accelerate": [
        *("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
        *("--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"),
    ],
}


def script():
    spec = importlib.util.spec_from_file_location("together", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ended(tmp_path_factory, encoder_folder, puzzle):
    """Folders of what one process did with twice the batch, and two by either launcher."""
    home = tmp_path_factory.mktemp("together")
    puzzle.save(home / "data")
    alone = {k: v for k, v in os.environ.items() if not k.startswith(("ACCELERATE_", "MASTER_", "WORLD_", "RANK"))}
    started = {}
    for name, launcher in LAUNCHERS.items():
        (home / name).mkdir()
        tasks = TASKS if name == "torchrun" else ["line"]
        given = [str(SCRIPT), str(encoder_folder), str(home / "data"), str(home / name), "24", *tasks]
        started[name] = subprocess.Popen(
            [sys.executable, "-m", *launcher, *given],
            env=alone | {"OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
    (home / "one").mkdir()
    script().work(encoder_folder, home / "data", home / "one", 48, TASKS)
    for name, process in started.items():
        _, told = process.communicate(timeout=300)
        assert process.returncode == 0, f"{name}: {told[-3000:]}"
    return home


def columns(folder, name):
    return [row[name] for row in Run.read(folder).metrics() if name in row]


@pytest.mark.parametrize(
    ("launcher", "task"), [("torchrun", "full"), ("torchrun", "lora"), ("torchrun", "line"), ("accelerate", "line")]
)
def test_two_processes_follow_the_path_of_one_with_twice_the_batch(ended, launcher, task):
    one, two = ended / "one" / task, ended / launcher / task
    assert len(columns(one, "loss")) >= 3
    for name in ("loss", "gradient_norm"):
        np.testing.assert_allclose(columns(two, name), columns(one, name), rtol=1e-4 if name == "loss" else 1e-3)
    figure = "valid/error" if task == "line" else "valid/ndcg@10"
    np.testing.assert_allclose(columns(two, figure), columns(one, figure), rtol=0.02)
    assert columns(two, "loss")[-1] < columns(two, "loss")[0]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_all_end_with_the_same_weights(ended, launcher):
    said = [json.loads((ended / launcher / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert [s["rank"] for s in said] == [0, 1]
    assert [s["count"] for s in said] == [2, 2]
    assert said[0]["weights"] == said[1]["weights"]


def test_only_the_first_writes(ended):
    for task in TASKS:
        steps = [row["step"] for row in Run.read(ended / "torchrun" / task).metrics() if "loss" in row]
        assert steps == list(range(1, len(steps) + 1))
        assert not list((ended / "torchrun" / task).glob("*.new"))
    assert Run.read(ended / "torchrun" / "full").card["hardware"]["processes"] == 2


def test_an_interrupted_run_of_two_goes_on_as_if_nothing_had_been(ended):
    whole, cut = ended / "torchrun" / "full", ended / "torchrun" / "cut"
    assert columns(cut, "loss") == columns(whole, "loss")
    weights = json.loads((ended / "torchrun" / "0.json").read_text())["weights"]
    assert weights["cut"] == weights["full"]


def test_more_than_there_is_is_shared_evenly(ended):
    assert np.isfinite(columns(ended / "torchrun" / "odd", "loss")).all()


class Among(Processes):
    """One of several that does not talk to the others."""

    def __init__(self, rank, count):
        self.rank, self.count = rank, count


def drawn(n, batch, count=1, accumulate=1, steps=3, seed=0):
    """What all processes and micro-batches of each step draw."""
    return [
        [
            int(i)
            for micro in range(accumulate)
            for rank in range(count)
            for i in Draw(seed, step, micro, batch, Among(rank, count), accumulate).indices(n)
        ]
        for step in range(steps)
    ]


@pytest.mark.parametrize(("batch", "count", "accumulate"), [(3, 4, 1), (3, 2, 2), (2, 3, 2), (1, 12, 1), (6, 1, 2)])
def test_a_step_draws_the_same_however_it_is_divided(batch, count, accumulate):
    assert drawn(31, batch, count, accumulate) == drawn(31, 12)


@pytest.mark.parametrize("n", [1, 5, 12, 31])
def test_none_comes_twice_before_all_came(n):
    flat = [i for step in drawn(n, 7, steps=2 * n) for i in step]
    for start in range(0, len(flat) - n + 1, n):
        assert sorted(flat[start : start + n]) == list(range(n))


def test_seeds_draw_differently():
    assert drawn(31, 12) != drawn(31, 12, seed=1)
    same = [Draw(0, 1, 0, 4, Among(rank, 2)).rng().random() for rank in (0, 1)]
    assert same[0] == same[1] != Draw(0, 2, 0, 4, Among(0, 2)).rng().random()


def test_nothing_to_draw_from():
    with pytest.raises(ValueError, match="nothing to draw from"):
        Draw(0, 0, 0, 4, Among(0, 1)).indices(0)


def test_a_gpu_is_used_where_there_is_one():
    processes = Processes()
    assert processes.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert (processes.rank, processes.count, processes.main) == (0, 1, True)


def test_a_launcher_that_started_one_instead_of_several_is_told(monkeypatch, caplog):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    with caplog.at_level(logging.WARNING):
        Processes()
    assert "torchrun" in caplog.text
