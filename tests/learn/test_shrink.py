import numpy as np
import pytest
import torch

from warmstart.errors import ConfigError, DataError
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import learn
from warmstart.learn.run import Run
from warmstart.learn.settings import Training
from warmstart.learn.shrink import Reproduction, drop_layers, shrink
from warmstart.text.templates import item_texts
from warmstart.text.transformer import TransformerEncoder

QUICK = Training(steps=30, batch=16, learning_rate=3e-3, validate_every=30, checkpoint_every=0)


@pytest.fixture(scope="module")
def texts(puzzle):
    return item_texts(puzzle.catalog)


def saved(backbone, folder, change):
    """A model with other weights, saved."""
    with torch.no_grad():
        for name, weight in backbone.body.named_parameters():
            change(name, weight)
    return backbone.save(folder)


@pytest.mark.parametrize("kind", ["encoder_folder", "decoder_folder"])
def test_layers_that_do_nothing_can_go(kind, request, tmp_path, texts):
    def silence(name, weight):
        idle = ".1." in name and ("layer.1." in name or "layers.1." in name)
        if idle and ("output.dense" in name or "o_proj" in name or "down_proj" in name):
            weight.zero_()

    whole = saved(Backbone(request.getfixturevalue(kind)), tmp_path / "whole", silence)
    student = drop_layers(Backbone(whole), 1)
    assert len(list(student.parameters())) < len(list(Backbone(whole).parameters()))
    np.testing.assert_allclose(student.encode(texts[:9]), Backbone(whole).encode(texts[:9]), atol=1e-4)


def test_a_shallow_student_learns_and_is_read_like_any_model(encoder_folder, tmp_path, texts):
    def stir(name, weight):
        weight.mul_(4 if "dense.weight" in name or "query" in name else 1)  # so that layers matter

    teacher = saved(Backbone(encoder_folder), tmp_path / "teacher", stir)
    vectors = Backbone(teacher).encode(texts)
    bare = Reproduction(drop_layers(Backbone(teacher), 1), texts, vectors).validate()["cosine"]
    student = shrink(teacher, 1, texts, vectors, QUICK, tmp_path / "run")
    learned = Reproduction(student, texts, vectors).validate()["cosine"]
    assert 1 - learned < (1 - bare) / 10
    again = TransformerEncoder(student.save(tmp_path / "student"))
    assert again.depth == 1
    np.testing.assert_allclose(again.encode(texts[:5]), student.encode(texts[:5]), atol=1e-5)
    assert Run.read(tmp_path / "run").card["status"] == "done"


def test_the_loss_is_zero_where_nothing_is_to_learn(encoder_folder, tmp_path, texts):
    student = Backbone(encoder_folder)
    objective = Reproduction(student, texts, student.encode(texts))
    losses = []
    learn(
        objective,
        Training(steps=1, batch=16),
        Run.begin(tmp_path, "x", {}, "x"),
        watch=lambda stage, step, steps, figures: losses.append(figures.get("loss", 0.0)),
    )
    assert max(losses) < 1e-5
    assert objective.validate()["cosine"] == pytest.approx(1, abs=1e-5)


def test_without_training_a_student_is_what_is_left(encoder_folder, tmp_path, texts):
    vectors = Backbone(encoder_folder).encode(texts)
    student = shrink(encoder_folder, 1, texts, vectors, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    np.testing.assert_array_equal(student.encode(texts[:3]), drop_layers(Backbone(encoder_folder), 1).encode(texts[:3]))


@pytest.mark.parametrize("keep", [0, 2])
def test_as_many_layers_as_there_are_is_no_compression(encoder_folder, keep):
    with pytest.raises(ConfigError, match="the model has 2; give 1 to 1"):
        drop_layers(Backbone(encoder_folder), keep)


def test_too_little_to_learn_from(encoder_folder, texts):
    student = Backbone(encoder_folder)
    with pytest.raises(DataError, match="5 texts; learning from a teacher needs 20"):
        Reproduction(student, texts[:5], np.zeros((5, 32), np.float32))
    with pytest.raises(DataError, match="32 dimensions"):
        Reproduction(student, texts, np.zeros((len(texts), 8), np.float32))
