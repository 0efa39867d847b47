import numpy as np
import pytest

from warmstart.errors import ConfigError
from warmstart.learn import adversarial as module
from warmstart.learn.adversarial import METHODS, Adversarial, Adversary, Typist
from warmstart.learn.attacks import Attack
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import learn
from warmstart.learn.multiple_negatives import MultipleNegatives, MultipleNegativesObjective
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts

torch = pytest.importorskip("torch")

KINDS = {
    "retrieval": (RetrievalObjective, Retrieval(held_out=0.3)),
    "pairs": (MultipleNegativesObjective, MultipleNegatives(held_out=0.3)),
}


def make(data, folder, kind="retrieval", tuning=None):
    objective, settings = KINDS[kind]
    return objective(Backbone(folder, tuning), item_texts(data.catalog), data.interactions, settings)


def draw(step=0, batch=20):
    return Draw(0, step, 0, batch, Processes())


def gradients(objective, at):
    torch.manual_seed(11)
    loss = objective.backward(at)
    found = {name: p.grad.clone() for name, p in objective.parameters() if p.grad is not None}
    for _, p in objective.parameters():
        p.grad = None
    return loss, found


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("kind", "method"), [*(("retrieval", m) for m in METHODS), ("pairs", "fgm"), ("pairs", "consistency")]
)
def test_every_method_learns_with_every_objective(puzzle, encoder_folder, tmp_path, kind, method):
    inner = make(puzzle, encoder_folder, kind)
    training = Training(
        steps=30, batch=48, learning_rate=5e-3, validate_every=10, checkpoint_every=0, precision="float32"
    )
    run = Run.begin(tmp_path, "x", {"training": vars(training)}, "data")
    out = learn(Adversarial(inner, inner.backbone, Adversary(method, weight=0.1)), training, run)
    least = 0.02 if method in ("vat", "consistency") else 0.05  # what ties vectors down learns more slowly
    assert out.best["ndcg@10"] > out.first["ndcg@10"] + least


@pytest.mark.parametrize("method", ["fgm", "pgd"])
def test_the_shifted_loss_is_larger_and_its_gradients_are_added(puzzle, encoder_folder, method):
    inner = make(puzzle, encoder_folder)
    plain, own = gradients(inner, draw())
    found = [
        gradients(Adversarial(inner, inner.backbone, Adversary(method, weight=0.5, epsilon=e)), draw())
        for e in (1e-5, 0.1)
    ]
    assert found[0][0] == pytest.approx(1.5 * plain, rel=1e-3)
    assert found[1][0] > found[0][0] + 1e-3
    for name, value in own.items():
        np.testing.assert_allclose(
            found[0][1][name], 1.5 * value, atol=1e-6 + 1e-3 * float(value.abs().max()), err_msg=name
        )


def test_more_steps_find_what_is_worse(puzzle, encoder_folder):
    inner = make(puzzle, encoder_folder)
    losses = [gradients(Adversarial(inner, inner.backbone, Adversary(m, steps=6)), draw())[0] for m in ("fgm", "pgd")]
    assert losses[1] > losses[0]


def test_the_worst_direction_is_worse_than_a_random_one(puzzle, encoder_folder):
    inner = make(puzzle, encoder_folder)
    texts = inner.texts[:20]
    guard = Adversarial(inner, inner.backbone, Adversary("vat", epsilon=0.1))
    clean = inner.backbone.vectors(texts).detach()
    middle = module._middle([clean], Processes())
    shifted = guard._disturbed(texts, None, clean, middle, Typist(Attack("typos"), draw()))
    worst = float(module._apart(clean, shifted, middle).detach())
    torch.manual_seed(0)
    with module.Perturbation(inner.backbone.model.get_input_embeddings(), start=0.1):
        anyone = float(module._apart(clean, inner.backbone.vectors(texts), middle).detach())
    assert worst > 2 * anyone


@pytest.mark.parametrize("method", METHODS)
def test_chunks_and_their_two_passes_meet_the_same_adversary(puzzle, encoder_folder, monkeypatch, method):
    from warmstart.learn import cached, retrieval

    got = []
    for chunk in (4, 1000):
        inner = make(puzzle, encoder_folder, tuning=Tuning(dropout=0.0))
        monkeypatch.setattr(retrieval, "cached_backward", lambda *a, c=chunk: cached.cached_backward(*a, chunk=c))
        got.append(gradients(Adversarial(inner, inner.backbone, Adversary(method)), draw()))
    assert got[0][0] == pytest.approx(got[1][0], rel=1e-3)
    if method == "vat":  # begins at random: another chunk, another beginning
        return
    for name in got[0][1]:
        np.testing.assert_allclose(got[0][1][name], got[1][1][name], atol=2e-4, err_msg=name)


@pytest.mark.no_cover
def test_consistency_brings_mistyped_texts_nearer(puzzle, encoder_folder, tmp_path):
    apart = []
    for weight in (None, 5.0):
        inner = make(puzzle, encoder_folder)
        objective = inner if weight is None else Adversarial(inner, inner.backbone, Adversary(weight=weight))
        training = Training(steps=20, batch=48, learning_rate=5e-3, checkpoint_every=0, precision="float32")
        learn(objective, training, Run.begin(tmp_path / str(weight), "x", {"training": vars(training)}, "data"))
        texts = [inner.texts[i] for i in inner.held]
        wrong = Attack("typos", 0.2, seed=99).on(texts)
        apart.append(1 - np.mean(np.sum(inner.backbone.encode(texts) * inner.backbone.encode(wrong), axis=1)))
    assert apart[1] < 0.7 * apart[0]


def test_texts_are_attacked_alike_in_a_step_and_anew_in_the_next():
    texts = ["a cowboy doll is jealous of a new spaceman"] * 2 + ["love and war in the west"] * 2
    first, again, other = (Typist(Attack("typos", 0.5), draw(step)) for step in (3, 3, 4))
    assert first(texts, None) == again(texts, None) != other(texts, None)
    assert first(["x"], texts)[1] == first(texts, None)[0]
    many = [f"space ship {i} of the future" for i in range(400)]
    read = Typist(Attack("drop", 1.0), draw()).half(many, None)[0]
    assert np.mean([a != b for a, b in zip(many, read, strict=True)]) == pytest.approx(0.5, abs=0.1)


def test_dropout_is_the_same_in_all_passes(puzzle, encoder_folder):
    inner = make(puzzle, encoder_folder, tuning=Tuning(dropout=0.2))
    inner.train(True)
    plain, _ = gradients(inner, draw())
    both, _ = gradients(Adversarial(inner, inner.backbone, Adversary("fgm", epsilon=1e-6)), draw())
    assert both == pytest.approx(2 * plain, rel=1e-4)


def test_embeddings_without_gradient_cannot_be_shifted(puzzle, encoder_folder):
    inner = make(puzzle, encoder_folder)
    stranger = Adversarial(inner, Backbone(encoder_folder), Adversary("fgm"))
    with pytest.raises(ConfigError, match="free its weights"):
        stranger.backward(draw())


def test_drawing_all_vectors_together_wins_nothing():
    a, b = torch.randn(2, 20, 8, generator=torch.Generator().manual_seed(0))
    apart = []
    for common in (1.0, 10.0):
        clean, other = common + a, common + a + 0.1 * b
        plain = float(1 - torch.nn.functional.cosine_similarity(clean, other, dim=1).mean())
        apart.append((plain, float(module._apart(clean, other, module._middle([clean], Processes())))))
    assert apart[1][0] < 0.1 * apart[0][0]
    assert apart[1][1] > 0.5 * apart[0][1]


def test_texts_that_are_not_read_cannot_be_attacked(puzzle, encoder_folder):
    inner = make(puzzle, encoder_folder)
    stranger = Adversarial(inner, Backbone(encoder_folder), Adversary("consistency"))
    with pytest.raises(ConfigError, match="choose fgm or pgd"):
        stranger.backward(draw())


@pytest.mark.parametrize("bad", [{"method": "evil"}, {"weight": 0.0}, {"epsilon": -1.0}, {"steps": 0}])
def test_settings_are_checked(bad):
    with pytest.raises(ConfigError):
        Adversary(**bad)


def test_the_command_trains_against_an_adversary(puzzle, encoder_folder, tmp_path):
    from typer.testing import CliRunner

    from warmstart.cli.main import app

    puzzle.save(tmp_path / "data")
    ask = ["finetune", str(tmp_path / "data"), "-o", str(tmp_path / "run"), "--model", str(encoder_folder)]
    ask += ["--steps", "2", "--batch", "16", "--adversary", "consistency", "--adversary-rate", "0.3", "--json"]
    told = CliRunner().invoke(app, ask)
    assert told.exit_code == 0, told.output
    adversary = Run.read(tmp_path / "run").card["settings"]["adversary"]
    assert (adversary["method"], adversary["attack"]["rate"]) == ("consistency", 0.3)
    bad = CliRunner().invoke(app, [*ask, "--adversary", "gremlins"])
    assert bad.exit_code == 2
    assert "adversary='gremlins' is not known" in bad.stderr
