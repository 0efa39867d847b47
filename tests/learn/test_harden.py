"""A model that learned keeps its vectors, also for mistyped texts."""

import numpy as np
import pytest

from warmstart.errors import ConfigError
from warmstart.learn import finetune_retrieval as module
from warmstart.learn.adversarial import Adversary, Typist
from warmstart.learn.attacks import Attack
from warmstart.learn.backbone import Backbone
from warmstart.learn.finetune import MODEL, Finetuning, Source
from warmstart.learn.finetune_retrieval import RetrievalTask, finetune_retrieval
from warmstart.learn.harden import HardenObjective
from warmstart.learn.held_items import HeldItems
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts
from warmstart.text.transformer import TransformerEncoder

ALONE = Processes("float32")
LOOP = Training(steps=40, batch=32, learning_rate=2e-3, validate_every=20, checkpoint_every=0)
TYPOS = Adversary("typos", attack=Attack("typos", 0.5))


@pytest.fixture(scope="module")
def hardened(puzzle, encoder_folder, tmp_path_factory):
    settings = Finetuning(source=Source(str(encoder_folder)), tuning=Tuning("full"), training=LOOP, adversary=TYPOS)
    return finetune_retrieval(puzzle, RetrievalTask("harden"), tmp_path_factory.mktemp("hard"), settings)


def test_vectors_of_mistyped_texts_come_near_and_clean_ones_stay(hardened):
    first, best = hardened.outcome.first, hardened.outcome.best
    assert first["clean"] == pytest.approx(1.0, abs=1e-5)
    assert best["attacked"] > first["attacked"] + 0.02
    assert best["clean"] > 0.9
    assert best["kept"] == pytest.approx((best["clean"] + best["attacked"]) / 2)


def test_what_is_kept_is_what_the_model_gave_before(hardened, puzzle, encoder_folder):
    texts = item_texts(puzzle.catalog)
    before, after = (TransformerEncoder(f).encode(texts) for f in (encoder_folder, hardened.folder / MODEL))
    wrong = TransformerEncoder(hardened.folder / MODEL).encode(Attack("typos", 0.5, seed=9).on(texts))
    old = TransformerEncoder(encoder_folder).encode(Attack("typos", 0.5, seed=9).on(texts))
    middle = before.mean(0)

    def near(vectors):
        a, b = vectors - middle, before - middle
        return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).mean())

    assert near(after) > 0.9
    assert near(wrong) > near(old) + 0.02


def test_items_held_out_of_fine_tuning_are_not_learned_from(puzzle, encoder_folder):
    texts = item_texts(puzzle.catalog)
    objective = HardenObjective(Backbone(encoder_folder), texts, puzzle.interactions, held_out=0.3, seed=4)
    asked = HeldItems.of(texts, puzzle.interactions, 0.3, 4)
    np.testing.assert_array_equal(objective.held, asked.held)
    assert not set(objective.items) & set(asked.held)


def placed(puzzle, encoder_folder, **settings):
    objective = HardenObjective(Backbone(encoder_folder), item_texts(puzzle.catalog), puzzle.interactions, **settings)
    objective.place(ALONE)
    objective.train(False)
    return objective


def test_the_loss_is_one_minus_the_cosine_seen_from_the_middle(puzzle, encoder_folder):
    objective = placed(puzzle, encoder_folder, attack=Attack("typos", 0.9, seed=3))
    draw = Draw(0, 5, 0, 40, ALONE)  # more texts than are in memory at once
    texts = item_texts(puzzle.catalog)
    at = objective.items[draw.whole(len(objective.items))]
    said, _ = Typist(objective.attack, draw).half([texts[i] for i in at], None)
    wrong = np.array([s != texts[i] for s, i in zip(said, at, strict=True)])
    a, b = Backbone(encoder_folder).encode(said), Backbone(encoder_folder).encode([texts[i] for i in at])
    middle = Backbone(encoder_folder).encode([texts[i] for i in objective.items]).mean(0)
    a, b = a - middle, b - middle
    away = 1 - (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert 5 < wrong.sum() < 35
    assert np.abs(away[~wrong]).max() < 1e-4 < away[wrong].min()
    assert objective.backward(draw) == pytest.approx(float(away.mean()), abs=1e-4)
    other = Typist(objective.attack, Draw(0, 6, 0, 40, ALONE)).half([texts[i] for i in at], None)[0]
    assert other != said


def test_a_batch_larger_than_the_catalogue_reads_every_text_once(puzzle, encoder_folder, monkeypatch):
    objective = placed(puzzle, encoder_folder)
    read, vectors = [], objective.backbone.vectors
    monkeypatch.setattr(objective.backbone, "vectors", lambda texts: read.extend(texts) or vectors(texts))
    objective.backward(Draw(0, 1, 0, 10 * len(objective.items) + 3, ALONE))  # across the end of an epoch
    assert len(read) == len(objective.items)


def test_with_nothing_held_out_nothing_is_judged(puzzle, encoder_folder):
    figures = placed(puzzle, encoder_folder, held_out=0.0).validate()
    assert all(np.isnan(value) for value in figures.values())


@pytest.mark.parametrize(("asked", "meant"), [(None, Attack("typos")), (TYPOS, Attack("typos", 0.5))])
def test_it_is_hardened_against_what_was_asked(asked, meant):
    assert module._attack(asked) == meant


def test_other_adversaries_are_refused(puzzle, encoder_folder, tmp_path):
    settings = Finetuning(source=Source(str(encoder_folder)), tuning=Tuning("full"), adversary=Adversary("fgm"))
    with pytest.raises(ConfigError, match="adversary='fgm' beside loss='harden'"):
        finetune_retrieval(puzzle, RetrievalTask("harden"), tmp_path, settings)
    with pytest.raises(ConfigError, match="dims=\\(8,\\) beside loss='harden'"):
        RetrievalTask("harden", dims=(8,))
