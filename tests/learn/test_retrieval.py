from dataclasses import replace

import numpy as np
import pytest

from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import CHECKPOINT, learn
from warmstart.learn.processes import Processes
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts

QUICK = Training(steps=40, batch=48, learning_rate=5e-3, validate_every=10, checkpoint_every=10)


def make(data, folder, seed=0, tuning=None, **settings):
    backbone = Backbone(folder, tuning or Tuning())
    settings = Retrieval(**({"held_out": 0.3} | settings))
    return RetrievalObjective(backbone, item_texts(data.catalog), data.interactions, settings, seed)


def run_of(folder, training=QUICK):
    return Run.begin(folder, "retrieval", {"training": vars(training)}, "data")


@pytest.mark.parametrize("mode", ["full", "last", "lora"])
def test_learns_whom_items_are_for(puzzle, encoder_folder, tmp_path, mode):
    objective = make(puzzle, encoder_folder, tuning=Tuning(mode, layers=1))
    training = replace(QUICK, steps=60) if mode == "lora" else QUICK
    out = learn(objective, training, run_of(tmp_path / mode))
    assert out.best["ndcg@10"] > out.first["ndcg@10"] + 0.05


def test_a_decoder_learns_too(puzzle, decoder_folder, tmp_path):
    objective = make(puzzle, decoder_folder)
    out = learn(objective, QUICK, run_of(tmp_path))
    assert out.best["ndcg@10"] > out.first["ndcg@10"] + 0.05


def test_a_killed_run_goes_on_as_if_nothing_had_been(puzzle, encoder_folder, tmp_path):
    whole = learn(make(puzzle, encoder_folder), QUICK, run_of(tmp_path / "whole"))

    class Killed(Exception):
        pass

    def kill(stage, step, steps, figures):
        if step == 17:
            raise Killed

    with pytest.raises(Killed):
        learn(make(puzzle, encoder_folder), QUICK, run_of(tmp_path / "cut"), watch=kill)
    assert (tmp_path / "cut" / CHECKPOINT).is_file()
    again = learn(make(puzzle, encoder_folder), QUICK, run_of(tmp_path / "cut"))
    assert again == whole
    losses = [[row["loss"] for row in run_of(tmp_path / f).metrics() if "loss" in row] for f in ("whole", "cut")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_gradients_of_chunks_are_those_of_the_whole(puzzle, encoder_folder, monkeypatch):
    from warmstart.learn import cached, retrieval
    from warmstart.learn.processes import Draw

    got = []
    for chunk in (3, 1000):
        objective = make(puzzle, encoder_folder, tuning=Tuning(dropout=0.0))
        objective.train(True)
        monkeypatch.setattr(retrieval, "cached_backward", lambda *a, c=chunk: cached.cached_backward(*a, chunk=c))
        objective.backward(Draw(0, 0, 0, 20, Processes()))
        got.append({name: p.grad.numpy() for name, p in objective.parameters() if p.grad is not None})
    for name in got[0]:
        np.testing.assert_allclose(got[0][name], got[1][name], atol=1e-5, err_msg=name)
