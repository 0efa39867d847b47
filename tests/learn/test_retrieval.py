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

QUICK = Training(steps=40, batch=48, learning_rate=5e-3, validate_every=10, checkpoint_every=10, precision="float32")


def make(data, folder, seed=0, tuning=None, **settings):
    backbone = Backbone(folder, tuning or Tuning())
    settings = Retrieval(**({"held_out": 0.3} | settings))
    return RetrievalObjective(backbone, item_texts(data.catalog), data.interactions, settings, seed)


def run_of(folder, training=QUICK):
    return Run.begin(folder, "retrieval", {"training": vars(training)}, "data")


@pytest.mark.no_cover
@pytest.mark.parametrize("mode", ["full", "last", "lora"])
def test_learns_whom_items_are_for(puzzle, encoder_folder, tmp_path, mode):
    objective = make(puzzle, encoder_folder, tuning=Tuning(mode, layers=1))
    training = replace(QUICK, steps=60) if mode == "lora" else QUICK
    out = learn(objective, training, run_of(tmp_path / mode))
    assert out.best["ndcg@10"] > out.first["ndcg@10"] + 0.05


@pytest.mark.no_cover
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


def test_people_are_drawn_where_items_drawn_blindly_have_little_in_common(puzzle, encoder_folder):
    rng = np.random.default_rng(0)

    def shared(objective, size=12):
        at = objective._items(size, rng)
        assert len(set(at.tolist())) == size
        return objective.train_matrix[:, at].getnnz(axis=1).max()

    people, items = (make(puzzle, encoder_folder, draw=draw) for draw in ("people", "items"))
    assert np.mean([shared(people) for _ in range(20)]) > np.mean([shared(items) for _ in range(20)]) + 2
    everything = make(puzzle, encoder_folder)
    n = len(everything.items)
    assert sorted(everything._items(n, rng).tolist()) == list(range(n))


def test_what_is_drawn_is_chosen_by_how_many_events_people_would_have(puzzle, encoder_folder):
    objective = make(puzzle, encoder_folder)
    usual = objective.train_matrix.nnz / len(objective.users) / len(objective.items)  # events a person and item
    few, enough = int(3.5 / usual), int(4.5 / usual)
    for size, draw in ((few, "people"), (enough, "items")):
        told = make(puzzle, encoder_folder, draw=draw)
        same = [o._items(size, np.random.default_rng(3)).tolist() for o in (objective, told)]
        assert same[0] == same[1]
