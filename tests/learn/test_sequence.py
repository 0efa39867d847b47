"""Learning what comes next."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, TrainingError
from warmstart.learn.loop import learn
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.run import Run
from warmstart.learn.sequence import NextItem, NextItemObjective
from warmstart.learn.sequence_events import Rows
from warmstart.learn.sequence_model import Architecture
from warmstart.learn.settings import Training

SHAPE = Architecture(dim=16, heads=2, length=8, dropout=0.0)
ALONE = Processes("float32")


def rounds(people=60, items=12, length=9):
    """Everybody goes round the same circle of items, from a place of their own."""
    first = np.random.default_rng(0).integers(0, items, people)
    user, step = np.repeat(np.arange(people), length), np.tile(np.arange(length), people)
    return Interactions.of(user, (first[user] + step) % items, people, items, time=step)


def objective(settings=None, x=None, **shape):
    x = rounds() if x is None else x
    none = np.zeros((x.n_items, 0), np.float32)
    return NextItemObjective(x, none, Architecture(**{**vars(SHAPE), **shape}), settings or NextItem())


@pytest.mark.parametrize(
    "settings", [NextItem(), NextItem(negatives=6), NextItem(loss="gbce"), NextItem(loss="gbce", negatives=6)]
)
def test_the_next_item_is_learned(settings, tmp_path):
    asked = objective(settings)
    loop = Training(steps=300, batch=20, learning_rate=0.02, precision="float32", validate_every=40, checkpoint_every=0)
    out = learn(asked, loop, Run.begin(tmp_path, "sequence", {}, ""), ALONE)
    assert out.first["ndcg@10"] < 0.7
    assert out.best["ndcg@10"] > 0.9


def test_what_was_taken_is_not_drawn_against_itself():
    torch.manual_seed(0)
    seen, states, biases = torch.randn(4, 16), torch.randn(6, 16), torch.randn(6)
    taken, others = torch.tensor([0, 3, 3, 5]), torch.tensor([3, 1, 0, 3])
    found = objective()._loss(seen, taken, others, states, biases)
    scores, expected = seen @ states.T + biases, []
    for row, item in enumerate(taken.tolist()):
        drawn = [float(scores[row, other]) for other in others.tolist() if other != item]
        expected.append(np.log(np.exp([float(scores[row, item]), *drawn]).sum()) - float(scores[row, item]))
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-4)


def test_scores_are_less_the_log_of_how_often_an_item_is_drawn(monkeypatch):
    asked, heard = objective(NextItem(negatives=6)), {}
    asked.place(ALONE)
    asked.model.bias.data.normal_()
    usual = asked._loss

    def loss(seen, taken, others, states, biases):
        heard["biases"] = biases.detach().numpy()
        return usual(seen, taken, others, states, biases)

    monkeypatch.setattr(asked, "_loss", loss)
    monkeypatch.setattr(asked, "_drawn", lambda rng: asked.met)  # so that all items are among the codes
    asked.backward(Draw(0, 0, 0, 8, ALONE, 1))
    _, biases = asked.tables()
    np.testing.assert_allclose(heard["biases"], biases - np.log(asked.often * len(asked.met)), atol=1e-5)


def test_the_newest_event_of_the_judged_is_never_learned_from():
    asked = objective(NextItem(judged=4))
    assert len(asked.judged) == 4
    newest = asked.whole.indptr[1:][asked.judged] - 1
    read = np.concatenate([np.arange(s, e) for s, e in zip(asked.starts, asked.ends, strict=True)])
    assert not np.isin(newest, read).any()
    others = np.setdiff1d(np.arange(len(asked.whole)), asked.judged)
    assert np.isin(asked.whole.indptr[1:][others] - 1, read).all()


def test_a_judged_figure_is_the_rank_among_what_was_not_met():
    asked = objective(NextItem(judged=5))
    asked.place(ALONE)
    vectors, biases = asked.tables()
    values = []
    for person in asked.judged:
        row = asked.whole.row(int(person))
        h = asked.whole.take(np.array([person]))
        rows = Rows.of(h, asked.facts.codes(h), h.indptr[1:] - 1 - 8, h.indptr[1:] - 1)
        scores = (asked.states(rows, vectors) @ vectors.T + biases)[0]
        rank = sum(scores[i] > scores[row[-1]] for i in range(12) if i not in row[:-1])
        values.append(1 / math.log2(rank + 2) if rank < 10 else 0.0)
    assert asked.validate()["ndcg@10"] == pytest.approx(np.mean(values), abs=1e-6)


def test_two_processes_draw_the_same_negatives_and_different_histories():
    asked = objective(NextItem(negatives=5))
    draw = Draw(0, 3, 0, 8, ALONE)
    assert asked._drawn(draw.rng()).tolist() == asked._drawn(draw.rng()).tolist()
    assert asked._drawn(Draw(0, 4, 0, 8, ALONE).rng()).tolist() != asked._drawn(draw.rng()).tolist()


def test_facts_are_hidden_from_their_share_of_histories():
    x = rounds()
    asked = objective(NextItem(unknown=0.999), x)
    asked.place(ALONE)
    asked.model.facts[2].weight.requires_grad_(True)
    asked.backward(Draw(0, 0, 0, 30, ALONE))
    grad = asked.model.facts[2].weight.grad
    assert grad[0].abs().sum() > 0
    assert grad[1:].abs().sum() == 0


def test_with_nobody_to_judge_by_the_last_weights_are_kept(tmp_path):
    asked = objective(x=rounds(length=2))
    assert not len(asked.judged)
    loop = Training(steps=60, batch=20, learning_rate=0.02, precision="float32", validate_every=5, checkpoint_every=0)
    out = learn(asked, replace(loop, patience=3), Run.begin(tmp_path, "sequence", {}, ""), ALONE)
    assert (out.best_step, out.stopped) == (60, False)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    asked = objective()
    asked.model.bias.data[:] = float("nan")
    with pytest.raises(TrainingError, match="the loss is nan at step 1"):
        learn(asked, Training(steps=2, precision="float32"), Run.begin(tmp_path, "sequence", {}, ""), ALONE)


def test_mistakes_are_told():
    with pytest.raises(ConfigError, match="loss='bpr' is not known"):
        NextItem(loss="bpr")
    with pytest.raises(ConfigError, match="negatives=0"):
        NextItem(negatives=0)
    with pytest.raises(ConfigError, match="calibration=2"):
        NextItem(calibration=2)
