"""All three mirrors for real: what was written is read back, nothing else is left, nothing goes out."""

import json
import logging
import os
import socket
import struct
import threading

import pytest
import torch

from warmstart.errors import ConfigError
from warmstart.learn.lock import LOCK
from warmstart.learn.loop import learn
from warmstart.learn.mirrors import MIRRORS, follow, mirrors
from warmstart.learn.run import CARD, Run
from warmstart.learn.settings import Training

SETTINGS = {"model": "tiny", "training": {"steps": 3, "seed": 7}}


@pytest.fixture
def sealed(monkeypatch, tmp_path):
    """No network, no keys, an empty home and working folder."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "home")
    tried, connect = [], socket.socket.connect

    def local_only(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
            tried.append(address)
            raise OSError("no network in tests")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)
    before = set(threading.enumerate())
    yield tmp_path
    assert tried == []
    assert not set(threading.enumerate()) - before
    assert not [p for p in (tmp_path / "home").rglob("*") if p.is_file()]


def log_all(run):
    for step in (1, 2, 3):
        run.log(step, {"loss": 1.0 / step})
    run.log(3, {"valid/ndcg@10": 0.25})


def test_tensorboard(sealed):
    run = follow(Run.begin(sealed / "runs" / "a", "retrieval", SETTINGS, "d1"), ["tensorboard"])
    log_all(run)
    taken_up = follow(Run.begin(sealed / "runs" / "a", "retrieval", SETTINGS, "d1"), ["tensorboard"])
    taken_up.log(3, {"loss": 9.0})
    run.end("done", {})
    taken_up.end("done", {"ndcg@10": 0.5})
    taken_up.end("done", {"ndcg@10": 0.6})  # is closed already
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    seen = EventAccumulator(str(sealed / "runs" / "a" / "tensorboard"))
    seen.Reload()
    assert [(e.step, e.value) for e in seen.Scalars("loss")] == [(1, 1.0), (2, 0.5), (3, 9.0)]
    assert [e.value for e in seen.Scalars("result/ndcg@10")] == [0.5]
    assert "training.seed/text_summary" in seen.Tags()["tensors"]


def wandb_records(file):
    """Records of a short log: a header of 7 bytes, then checksum (4 bytes), length (2), kind (1) and content each."""
    rest = file.read_bytes()[7:]
    assert len(rest) < 32_000
    while rest:
        length, kind = struct.unpack("<HB", rest[4:7])
        assert kind == 1  # whole
        yield rest[7 : 7 + length]
        rest = rest[7 + length :]


def test_wandb_offline(sealed):
    run = follow(Run.begin(sealed / "runs" / "a", "retrieval", SETTINGS, "d1"), ["wandb"])
    log_all(run)
    run.end("done", {"ndcg@10": 0.5})
    from wandb.proto import wandb_internal_pb2

    (file,) = (sealed / "runs" / "a" / "wandb").glob("offline-run-*/run-*.wandb")
    history, summary, config = [], {}, {}
    for data in wandb_records(file):
        record = wandb_internal_pb2.Record.FromString(data)
        history.append({i.key or i.nested_key[0]: json.loads(i.value_json) for i in record.history.item})
        summary |= {u.key or u.nested_key[0]: json.loads(u.value_json) for u in record.summary.update}
        config |= {u.key or u.nested_key[0]: json.loads(u.value_json) for u in record.run.config.update}
    assert [row["loss"] for row in history if "loss" in row] == [1.0, 0.5, pytest.approx(1 / 3)]
    assert [row["valid/ndcg@10"] for row in history if "valid/ndcg@10" in row] == [0.25]
    assert summary["result/ndcg@10"] == 0.5
    assert config["training.seed"] == 7


def test_mlflow_in_a_local_store(sealed):
    folders = [sealed / "runs" / "a", sealed / "runs" / "b", sealed / "runs" / "a"]
    for folder, status in zip(folders, ("interrupted", "failed", "done"), strict=True):
        run = follow(Run.begin(folder, "retrieval", SETTINGS, "d1"), ["mlflow"])
        log_all(run)
        run.end(status, {"ndcg@10": 0.5})
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{sealed / 'runs' / 'mlflow' / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("warmstart").experiment_id])
    assert {r.info.run_name: r.info.status for r in found} == {"a": "FINISHED", "b": "FAILED"}
    (a,) = (r for r in found if r.info.run_name == "a")
    assert a.data.metrics["valid/ndcg_at_10"] == 0.25
    assert a.data.params | {"training.seed": "7", "kind": "retrieval", "model": "tiny"} == a.data.params
    history = client.get_metric_history(a.info.run_id, "loss")
    assert {m.step: m.value for m in history} == {1: 1.0, 2: 0.5, 3: pytest.approx(1 / 3)}
    (card,) = (sealed / "runs" / "mlflow" / "artifacts").rglob(f"{a.info.run_id}/**/{CARD}")
    assert json.loads(card.read_text())["status"] == "done"
    assert os.path.commonpath([card, sealed]) == str(sealed)


def test_unknown_and_none(tmp_path):
    assert mirrors([], tmp_path, {}) == []
    run = Run.begin(tmp_path / "a", "retrieval", SETTINGS, "d1")
    with pytest.raises(ConfigError, match="no mirror 'excel'; choose of tensorboard, wandb, mlflow"):
        follow(run, ["tensorboard", "excel"])
    assert sorted(p.name for p in run.folder.iterdir()) == [CARD, LOCK]


def test_of_several_processes_only_the_writing_one_mirrors(tmp_path):
    run = Run.begin(tmp_path / "a", "retrieval", SETTINGS, "d1", writes=False)
    assert follow(run, list(MIRRORS)).mirrors == ()
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_that_fails_never_stops_training(tmp_path, caplog):
    class Hill:
        watched, higher_is_better = "x", True
        w = torch.nn.Parameter(torch.zeros(1))

        def parameters(self):
            return iter([("w", self.w)])

        def place(self, processes):
            pass

        def train(self, mode):
            pass

        def backward(self, draw):
            (-self.w).sum().backward()
            return float(-self.w.detach())

        def validate(self):
            return {"x": float(self.w.detach())}

    training = Training(steps=5, validate_every=2, checkpoint_every=0)
    run = follow(Run.begin(tmp_path / "a", "hill", {"training": vars(training)}, ""), ["tensorboard"])
    (run.folder / "tensorboard").write_text("a file where a folder should be")
    with caplog.at_level(logging.WARNING):
        out = learn(Hill(), training, run)
        run.end("done", out.best)
    assert out.steps == 5
    told = [r.message for r in caplog.records if r.message.startswith("tensorboard is no longer told")]
    assert len(told) == 1
    assert len([row for row in run.metrics() if "loss" in row]) == 5
