"""A model that learned keeps its vectors, also for mistyped texts."""

import numpy as np
import pytest

from warmstart.errors import ConfigError
from warmstart.learn.adversarial import Adversary
from warmstart.learn.attacks import Attack
from warmstart.learn.backbone import Backbone
from warmstart.learn.finetune import MODEL, Finetuning, Source
from warmstart.learn.finetune_retrieval import RetrievalTask, finetune_retrieval
from warmstart.learn.harden import HardenObjective
from warmstart.learn.held_items import HeldItems
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts
from warmstart.text.transformer import TransformerEncoder

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


def test_other_adversaries_are_refused(puzzle, encoder_folder, tmp_path):
    settings = Finetuning(source=Source(str(encoder_folder)), tuning=Tuning("full"), adversary=Adversary("fgm"))
    with pytest.raises(ConfigError, match="adversary='fgm' beside loss='harden'"):
        finetune_retrieval(puzzle, RetrievalTask("harden"), tmp_path, settings)
    with pytest.raises(ConfigError, match="dims=\\(8,\\) beside loss='harden'"):
        RetrievalTask("harden", dims=(8,))
