"""The loop, on a problem whose every step can be worked out by hand, and with real tiny models where that matters."""

import json
import math
import resource
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from warmstart.errors import ArtefactError, TrainingError
from warmstart.learn.backbone import Backbone
from warmstart.learn.checkpoint import read_tensors, write_tensors
from warmstart.learn.loop import BEST, CHECKPOINT, Outcome, learn
from warmstart.learn.processes import Processes
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import CARD, METRICS, Run
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts

PLAIN = Training(
    steps=6,
    batch=4,
    learning_rate=0.1,
    weight_decay=0.0,
    optimiser="sgd",
    warmup=0.0,
    decay="constant",
    clip=0.0,
    precision="float32",
    validate_every=2,
    checkpoint_every=2,
)
X = torch.linspace(-1, 1, 24)


class Slope:
    """Mean of ``(w x - 2 x)^2 + noise x w`` over a batch; the validation figures can be given."""

    watched, higher_is_better = "error", False

    def __init__(self, figures=(), poison=None, higher=False):
        self.w = torch.nn.Parameter(torch.zeros(1))
        self.figures, self.poison, self.higher_is_better = list(figures), poison, higher
        self.calls, self.modes, self.shapes = 0, [], []

    def parameters(self):
        return iter([("w", self.w)])

    def place(self, processes):
        self.w.data = self.w.data.to(processes.device)

    def train(self, mode):
        self.modes.append(mode)

    def backward(self, draw):
        self.calls += 1
        x = X[draw.indices(len(X))]
        loss = ((self.w * x - 2 * x) ** 2).mean()
        loss = loss * (self.poison[1] if self.poison and draw.step == self.poison[0] else 1.0)
        loss.backward()
        return float(loss.detach())

    def validate(self):
        if self.figures:
            return {"error": self.figures.pop(0)}
        return {"error": float((self.w.detach() - 2).abs())}


def begin(folder, training=PLAIN, **more):
    return Run.begin(folder, "slope", {"training": asdict(training)} | more, "data")


def logged(folder, name):
    return [row[name] for row in Run.read(folder).metrics() if name in row]


def test_a_step_is_the_gradient_times_the_rate(tmp_path):
    objective, training = Slope(), replace(PLAIN, steps=1, batch=24)
    learn(objective, training, begin(tmp_path, training))
    gradient = float((2 * X * (-2 * X)).mean())
    assert float(objective.w.detach()) == pytest.approx(-0.1 * gradient, rel=1e-6)
    assert logged(tmp_path, "gradient_norm") == [pytest.approx(-gradient)]


def test_the_gradient_is_clipped_to_its_norm(tmp_path):
    objective, training = Slope(), replace(PLAIN, steps=1, batch=24, clip=0.25)
    learn(objective, training, begin(tmp_path, training))
    assert float(objective.w.detach()) == pytest.approx(0.1 * 0.25, rel=1e-5)


def test_rates_are_those_of_the_settings(tmp_path):
    training = replace(PLAIN, warmup=0.5, decay="linear")
    learn(Slope(), training, begin(tmp_path, training))
    assert logged(tmp_path, "learning_rate") == [training.rate_at(step) for step in range(6)]


@pytest.mark.parametrize("accumulate", [2, 4])
def test_accumulating_is_a_larger_batch(tmp_path, accumulate):
    one, many = Slope(), Slope()
    large, small = replace(PLAIN, batch=8), replace(PLAIN, batch=8 // accumulate, accumulate=accumulate)
    learn(one, large, begin(tmp_path / "one", large))
    learn(many, small, begin(tmp_path / "many", small))
    np.testing.assert_allclose(logged(tmp_path / "many", "loss"), logged(tmp_path / "one", "loss"), rtol=1e-5)
    assert float(many.w.detach()) == pytest.approx(float(one.w.detach()), rel=1e-5)
    assert (one.calls, many.calls) == (6, 6 * accumulate)


def test_what_the_loop_says_and_when(tmp_path):
    told = []
    objective = Slope()
    learn(objective, PLAIN, begin(tmp_path), watch=lambda *given: told.append(given))
    assert [t[:3] for t in told if t[0] == "validation"] == [("validation", s, 6) for s in (0, 2, 4, 6)]
    steps = [t for t in told if t[0] == "training"]
    assert [t[1] for t in steps] == [1, 2, 3, 4, 5, 6]
    assert {"loss", "steps_per_second", "learning_rate", "gradient_norm"} == steps[0][3].keys()
    assert objective.modes[0] is False
    assert objective.modes[-1] is False
    assert True in objective.modes


def test_patience_ends_it_and_the_best_weights_stay(tmp_path):
    training = replace(PLAIN, steps=50, patience=3)
    objective = Slope([9.0, 5.0, 4.0, 4.0, 6.0, 7.0, 1.0])
    out = learn(objective, training, begin(tmp_path, training))
    assert (out.stopped, out.steps, out.best_step, out.best, out.first) == (True, 10, 4, {"error": 4.0}, {"error": 9.0})
    again = Slope()
    learn(again, replace(training, steps=4), begin(tmp_path / "four", replace(training, steps=4)))
    assert torch.equal(objective.w, again.w)


def test_higher_may_be_better(tmp_path):
    out = learn(Slope([0.1, 0.5, 0.3, 0.4], higher=True), PLAIN, begin(tmp_path))
    assert (out.best_step, out.best) == (2, {"error": 0.5})


def test_no_patience_goes_to_the_end(tmp_path):
    training = replace(PLAIN, patience=0)
    out = learn(Slope([1.0, 2.0, 3.0, 4.0]), training, begin(tmp_path, training))
    assert (out.stopped, out.steps, out.best_step) == (False, 6, 0)


def test_nothing_held_out_keeps_the_newest_weights(tmp_path):
    training = replace(PLAIN, patience=1)
    objective = Slope([math.nan] * 4)
    out = learn(objective, training, begin(tmp_path, training))
    assert (out.stopped, out.steps, out.best_step) == (False, 6, 6)
    assert float(objective.w.detach()) > 0.1


def test_a_figure_that_is_lost_is_no_improvement(tmp_path):
    out = learn(Slope([3.0, 2.0, math.nan, math.nan]), PLAIN, begin(tmp_path))
    assert (out.best, out.best_step) == ({"error": 2.0}, 2)


def test_validation_at_the_end_alone(tmp_path):
    training = replace(PLAIN, validate_every=0, checkpoint_every=0)
    learn(Slope(), training, begin(tmp_path, training))
    assert len(logged(tmp_path, "valid/error")) == 2
    assert not (tmp_path / CHECKPOINT).exists()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_run_and_the_best_is_kept(tmp_path, value):
    objective = Slope(poison=(4, value))
    with pytest.raises(
        TrainingError, match=r"the loss is (nan|inf) at step 5; the weights of step 4 are kept in .*best"
    ):
        learn(objective, PLAIN, begin(tmp_path))
    card = Run.read(tmp_path).card
    assert card["status"] == "failed"
    assert card["result"]["best/error"] == pytest.approx(min(logged(tmp_path, "valid/error")))
    fine = Slope()
    learn(fine, replace(PLAIN, steps=4), begin(tmp_path / "fine", replace(PLAIN, steps=4)))
    assert torch.equal(read_tensors(tmp_path / BEST)[0]["weights/w"], fine.w.detach())


def test_a_gradient_that_is_no_number_never_reaches_the_weights(tmp_path):
    class Root(Slope):
        def backward(self, draw):
            loss = (self.w - self.w.detach()).abs().sqrt().sum()  # 0, with an infinite slope
            loss.backward()
            return float(loss.detach())

    objective = Root()
    with pytest.raises(TrainingError, match="the gradient is nan at step 1"):
        learn(objective, PLAIN, begin(tmp_path))
    assert float(objective.w.detach()) == 0.0


@pytest.mark.parametrize("at", [1, 3, 5])
def test_an_interrupted_run_is_marked_and_goes_on(tmp_path, at):
    def stop(stage, step, steps, figures):
        if stage == "training" and step == at:
            raise KeyboardInterrupt

    whole = Slope()
    wanted = learn(whole, PLAIN, begin(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        learn(Slope(), PLAIN, begin(tmp_path / "cut"), watch=stop)
    assert Run.read(tmp_path / "cut").card["status"] == "interrupted"
    objective = Slope()
    assert learn(objective, PLAIN, begin(tmp_path / "cut")) == wanted
    assert torch.equal(objective.w, whole.w)
    for name in ("loss", "valid/error"):
        assert logged(tmp_path / "cut", name) == logged(tmp_path / "whole", name)
    steps = [row["step"] for row in Run.read(tmp_path / "cut").metrics()]
    assert steps == sorted(steps)


def test_a_finished_run_is_not_run_again(tmp_path):
    first = Slope()
    wanted = learn(first, PLAIN, begin(tmp_path))
    objective = Slope()
    assert learn(objective, PLAIN, begin(tmp_path)) == wanted
    assert objective.calls == 0
    assert torch.equal(objective.w, first.w)


@pytest.mark.parametrize("harm", [lambda p: p.write_bytes(p.read_bytes()[:-4]), lambda p: p.write_text("x")])
def test_a_cut_checkpoint_is_told_and_touched_by_nobody(tmp_path, harm):
    learn(Slope(), PLAIN, begin(tmp_path))
    harm(tmp_path / CHECKPOINT)
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(ArtefactError, match=r"cannot be read .* remove it to begin anew"):
        learn(Slope(), PLAIN, begin(tmp_path))
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_lost_best_weights_are_told(tmp_path):
    learn(Slope(), PLAIN, begin(tmp_path))
    (tmp_path / BEST).unlink()
    with pytest.raises(ArtefactError, match="best"):
        learn(Slope(), PLAIN, begin(tmp_path))


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    class Wide(Slope):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(3))

    learn(Slope(), PLAIN, begin(tmp_path))
    with pytest.raises(ArtefactError, match="of another model: 'w' differs"):
        learn(Wide(), PLAIN, begin(tmp_path))


def test_a_checkpoint_with_a_strange_note_is_refused(tmp_path):
    run = begin(tmp_path)
    write_tensors(tmp_path / CHECKPOINT, {"weights/w": torch.zeros(1)}, {"epoch": 1})
    with pytest.raises(ArtefactError, match=r"notes \['epoch'\]"):
        learn(Slope(), PLAIN, run)
    with pytest.raises(ArtefactError, match="another version"):
        Outcome.of({})


def objective_of(data, folder, tuning=None, seed=0):
    backbone = Backbone(folder, tuning or Tuning(), seed=seed)
    return RetrievalObjective(backbone, item_texts(data.catalog), data.interactions, Retrieval(held_out=0.3), seed)


REAL = Training(
    steps=4, batch=32, learning_rate=3e-3, validate_every=2, checkpoint_every=2, precision="float32", seed=3
)


@pytest.mark.parametrize("tuning", [Tuning(dropout=0.2), Tuning("lora", dropout=0.2)])
def test_a_seed_fixes_everything(puzzle, encoder_folder, tmp_path, tuning):
    ended = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        training = replace(REAL, seed=seed)
        objective = objective_of(puzzle, encoder_folder, tuning, seed)
        torch.manual_seed(hash(name) % 1000)  # what was drawn before does not matter
        learn(objective, training, begin(tmp_path / name, training))
        ended.append({k: p.detach() for k, p in objective.parameters()})
    assert all(torch.equal(ended[0][k], ended[1][k]) for k in ended[0])
    assert not all(torch.equal(ended[0][k], ended[2][k]) for k in ended[0])
    same = [[row | {"steps_per_second": 0} for row in Run.read(tmp_path / name).metrics()] for name in "ab"]
    assert same[0] == same[1]


def test_a_full_disk_keeps_the_previous_checkpoint_and_the_run_goes_on(puzzle, encoder_folder, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(stage, step, steps, figures):
        if stage == "training" and step == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))

    whole = objective_of(puzzle, encoder_folder)
    wanted = learn(whole, REAL, begin(tmp_path / "whole", REAL))
    try:
        with pytest.raises(TrainingError, match=r"could not be written .*the previous one is kept; free the disk"):
            learn(objective_of(puzzle, encoder_folder), REAL, begin(tmp_path / "cut", REAL), watch=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert Run.read(tmp_path / "cut").card["status"] == "failed"
    assert read_tensors(tmp_path / "cut" / CHECKPOINT)[1]["steps"] == 2
    assert sorted(p.name for p in (tmp_path / "cut").iterdir()) == [BEST, CHECKPOINT, METRICS, CARD]
    again = objective_of(puzzle, encoder_folder)
    assert learn(again, REAL, begin(tmp_path / "cut", REAL)) == wanted
    assert all(torch.equal(p, q) for (_, p), (_, q) in zip(whole.parameters(), again.parameters(), strict=True))


def test_figures_that_cannot_be_written_are_told(tmp_path):
    run = begin(tmp_path)
    (tmp_path / METRICS).mkdir()
    with pytest.raises(TrainingError, match=r"metrics\.jsonl cannot be written .* at step 0; free the disk"):
        run.log(0, {"loss": 1.0})


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_every_optimiser_learns_and_is_taken_up(tmp_path, name):
    training = replace(PLAIN, optimiser=name, steps=20)

    def stop(stage, step, steps, figures):
        if step == 11:
            raise KeyboardInterrupt

    whole = Slope()
    out = learn(whole, training, begin(tmp_path / "whole", training))
    assert out.best["error"] < 0.8 * out.first["error"]
    with pytest.raises(KeyboardInterrupt):
        learn(Slope(), training, begin(tmp_path / "cut", training), watch=stop)
    again = Slope()
    learn(again, training, begin(tmp_path / "cut", training))
    assert torch.equal(again.w, whole.w)


def test_bfloat16_learns_on_a_processor(puzzle, encoder_folder, tmp_path):
    training = replace(REAL, steps=30, batch=48, learning_rate=5e-3, validate_every=10, precision="bfloat16")
    objective = objective_of(puzzle, encoder_folder)
    out = learn(objective, training, begin(tmp_path, training), Processes("bfloat16"))
    assert out.best["ndcg@10"] > out.first["ndcg@10"] + 0.05
    assert all(p.dtype is torch.float32 for _, p in objective.parameters())
    with Processes("bfloat16").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16


def test_the_card_says_what_was_watched(tmp_path):
    learn(Slope(), PLAIN, begin(tmp_path))
    card = json.loads((tmp_path / CARD).read_text())
    assert (card["watched"], card["higher_is_better"]) == ("error", False)
    assert card["seconds"] >= 0
    assert card["peak_memory_mb"] > 0
