import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from warmstart.errors import ConfigError
from warmstart.learn import tokens
from warmstart.learn.backbone import Backbone
from warmstart.learn.causal import CausalObjective
from warmstart.learn.denoise import DenoiseObjective
from warmstart.learn.masked import MaskedObjective
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.settings import Tuning
from warmstart.learn.tokens import IGNORED, alone

PHRASES = ["space ship alien", "cowboy west horror", "love comedy film", "war soldier past", "robot future toy"]


def make_texts(n=80, seed=0):
    rng = np.random.default_rng(seed)
    return [". ".join(rng.choice(PHRASES, rng.integers(1, 5))) for _ in range(n)]


TEXTS = make_texts()
KINDS = {"masked": MaskedObjective, "causal": CausalObjective, "denoise": DenoiseObjective}


def make(kind, folder, tuning=None, **more):
    head = kind if kind in ("masked", "causal") else "none"
    return KINDS[kind](Backbone(folder, tuning or Tuning(), head), TEXTS[20:], TEXTS[:20], **more)


@pytest.fixture
def folder_of(encoder_folder, decoder_folder):
    return lambda kind: decoder_folder if kind == "causal" else encoder_folder


def chances_of(objective, n, width, seed=0):
    return torch.rand((n, width, objective.chances), generator=torch.Generator().manual_seed(seed))


def question_of(objective, texts, seed=0):
    batch = objective.backbone.tokens(texts)
    return batch, objective.question(batch, chances_of(objective, *batch["input_ids"].shape, seed))


def test_fifteen_in_a_hundred_tokens_are_hidden_most_by_the_mask(encoder_folder):
    objective = make("masked", encoder_folder)
    tokenizer = objective.backbone.tokenizer
    batch, question = question_of(objective, [" ".join(["alien"] * 40)] * 200)
    chosen, shown = question.labels != IGNORED, question.inputs["input_ids"]
    assert (chosen.sum(1) == 6).all()
    assert (question.labels[chosen] == batch["input_ids"][chosen]).all()
    as_mask = (shown[chosen] == tokenizer.mask_token_id).float().mean()
    as_it_is = (shown[chosen] == batch["input_ids"][chosen]).float().mean()
    assert abs(as_mask - 0.8) < 0.03
    assert abs(as_it_is - 0.1) < 0.03
    assert (shown[~chosen] == batch["input_ids"][~chosen]).all()


def test_special_and_padding_tokens_are_never_hidden_and_of_each_text_one_is(encoder_folder):
    objective = make("masked", encoder_folder)
    batch, question = question_of(objective, ["alien", "alien horror west", "the " * 30])
    special = torch.isin(batch["input_ids"], torch.tensor(objective.backbone.tokenizer.all_special_ids))
    assert (question.labels[special] == IGNORED).all()
    assert ((question.labels != IGNORED).sum(1) >= 1).all()


def test_sixty_in_a_hundred_tokens_are_deleted_and_one_stays(encoder_folder):
    objective = make("denoise", encoder_folder)
    _, question = question_of(objective, [" ".join(["alien"] * 40)] * 200 + ["alien"] * 50)
    left = question.inputs["attention_mask"].sum(1) - 2
    assert abs(left[:200].float().mean() / 40 - 0.4) < 0.02
    assert (left[200:] == 1).all()


def test_what_is_left_of_a_text_keeps_its_order_and_the_whole_is_asked_for(encoder_folder):
    objective = make("denoise", encoder_folder)
    text = "space ship alien horror cowboy west love comedy war soldier"
    batch, question = question_of(objective, [text, "toy"])
    whole = batch["input_ids"][0].tolist()
    kept = question.inputs["input_ids"][0][question.inputs["attention_mask"][0].bool()].tolist()
    rest = iter(whole)
    assert all(token in rest for token in kept)
    assert (kept[0], kept[-1]) == (whole[0], whole[-1])
    assert question.labels[0].tolist() == whole[1:]
    assert question.shown[0].tolist() == whole[:-1]
    assert (question.labels[1] != IGNORED).sum() == 2


def test_every_next_token_is_asked_for(decoder_folder):
    objective = make("causal", decoder_folder)
    batch, question = question_of(objective, ["space ship alien", "toy"])
    assert question.labels[0, :-1].tolist() == batch["input_ids"][0, 1:].tolist()
    assert question.labels[0, -1] == IGNORED
    assert (question.labels[1] != IGNORED).sum() == batch["attention_mask"][1].sum() - 1


@pytest.mark.parametrize("kind", ["masked", "causal"])
def test_perplexity_is_that_of_the_whole_model(folder_of, kind):
    objective = make(kind, folder_of(kind))
    objective.train(False)
    total, count = 0.0, 0
    with torch.inference_mode():
        for text, chances in zip(objective.held, objective._held_chances, strict=True):
            batch = objective.backbone.tokens([text])
            width = batch["input_ids"].shape[1]
            question = objective.question(batch, torch.from_numpy(chances[None, :width]))
            scores = objective.backbone.model(**question.inputs).logits[0].log_softmax(-1)
            for place, label in enumerate(question.labels[0].tolist()):
                if label != IGNORED:
                    total, count = total - float(scores[place, label]), count + 1
    figures = objective.validate()
    assert figures["loss"] == pytest.approx(total / count, rel=1e-4)
    assert figures["perplexity"] == pytest.approx(math.exp(total / count), rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_in_pieces_is_that_of_the_whole(folder_of, kind, monkeypatch):
    found = []
    for limit in (1 << 26, 500):
        monkeypatch.setattr(tokens, "LOGITS", limit)
        objective = make(kind, folder_of(kind))
        objective.train(True)
        loss = objective.backward(Draw(0, 0, 0, 16, Processes()))
        found.append((loss, {n: p.grad.numpy() for n, p in objective.parameters() if p.grad is not None}))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for name, gradient in found[0][1].items():
        np.testing.assert_allclose(gradient, found[1][1][name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_validating_draws_nothing_and_changes_nothing(folder_of, kind):
    objective = make(kind, folder_of(kind))
    objective.train(False)
    state = torch.get_rng_state()
    first, second = objective.validate(), objective.validate()
    assert first == second
    assert torch.equal(state, torch.get_rng_state())
    assert first == make(kind, folder_of(kind)).validate()


def test_the_decoder_sees_of_the_text_the_vector_and_what_came_before(encoder_folder):
    objective = make("denoise", encoder_folder)
    objective.train(False)
    _, question = question_of(objective, ["space ship alien horror cowboy"])
    later = question.shown.clone()
    later[0, 4:] = 7
    with torch.inference_mode():
        one, other = objective.logits(question), objective.logits(replace(question, shown=later))
        vector = {k: v.clone() for k, v in question.inputs.items()}
        vector["input_ids"][0, 1] = 9
        third = objective.logits(replace(question, inputs=vector))
    assert torch.allclose(one[:4], other[:4], atol=1e-6)
    assert not torch.allclose(one[4:], other[4:], atol=1e-4)
    assert not torch.allclose(one[0], third[0], atol=1e-6)


def test_a_head_that_no_file_had_learns_alone_first(encoder_folder):
    objective = make("masked", encoder_folder, Tuning("lora"))
    names = {n for n, _ in objective.parameters()}
    fresh = {n for n in names if n.startswith("head.")}
    assert fresh
    assert fresh < names
    with alone(objective.fresh(), objective):
        assert {n for n, _ in objective.parameters()} == fresh
    assert {n for n, _ in objective.parameters()} == names
    embeddings = objective.backbone.model.get_input_embeddings().weight
    assert objective.backbone.model.get_output_embeddings().weight is embeddings


def test_texts_are_read_as_far_as_wished(encoder_folder):
    objective = make("masked", encoder_folder, max_tokens=6)
    assert objective._ask(["alien " * 50], objective._held_chances[:1]).labels.shape == (1, 6)


def test_texts_of_unknown_signs_alone_teach_nothing(encoder_folder):
    objective = make("masked", encoder_folder)
    objective.train_texts = ["☃ ☃", "☃"]
    assert objective.backward(Draw(0, 0, 0, 4, Processes())) == 0.0


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("masked", {"share": 1.0}, r"masked=1.0 is not in \(0, 1\)"),
        ("denoise", {"deleted": 0.0}, r"deleted=0.0 is not in"),
        ("masked", {"max_tokens": 1}, "max_tokens=1 is below 2"),
    ],
)
def test_settings_out_of_range_are_told(encoder_folder, kind, more, message):
    with pytest.raises(ConfigError, match=message):
        make(kind, encoder_folder, **more)


def test_a_model_of_the_other_kind_is_told(encoder_folder, decoder_folder):
    with pytest.raises(ConfigError, match="is a decoder; use method 'causal'"):
        MaskedObjective(Backbone(decoder_folder), TEXTS, TEXTS[:5])
    with pytest.raises(ConfigError, match="is an encoder: it reads the whole text at once"):
        CausalObjective(Backbone(encoder_folder), TEXTS, TEXTS[:5])
