import math

import pytest

from warmstart.errors import ConfigError
from warmstart.learn.compress import Compression
from warmstart.learn.finetune_retrieval import RetrievalTask
from warmstart.learn.pretrain import Pretraining
from warmstart.learn.settings import Training, Tuning
from warmstart.learn.teach import Teaching


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"steps": 0}, "steps=0 is below 1"),
        ({"batch": 0}, "batch=0"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"seed": -1}, "seed=-1"),
        ({"clip": -1.0}, "clip=-1.0"),
        ({"learning_rate": 0.0}, "5e-05 is usual"),
        ({"learning_rate": math.nan}, "learning_rate=nan"),
        ({"warmup": 1.0}, "share of the steps"),
        ({"warmup": math.nan}, "warmup=nan"),
        ({"optimiser": "lion"}, "choose one of adamw, adam, sgd"),
        ({"decay": "steep"}, "linear, cosine, constant"),
        ({"precision": "float16"}, "auto, float32, bfloat16"),
    ],
)
def test_training_refuses(setting, told):
    with pytest.raises(ConfigError, match=told):
        Training(**setting)


@pytest.mark.parametrize("setting", [{"mode": "some"}, {"layers": 0}, {"rank": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_tuning_refuses(setting):
    with pytest.raises(ConfigError, match=next(iter(setting)).replace("mode", "tuning")):
        Tuning(**setting)


@pytest.mark.parametrize(
    ("made", "setting", "wrong", "told"),
    [
        *((made, "held_out", wrong, "0.1 is usual") for made in (RetrievalTask, Teaching) for wrong in (-0.1, 1.0)),
        *((made, "held_out", wrong, "0.1 is usual") for made in (Compression, Pretraining) for wrong in (0.0, 1.0)),
        (Compression, "seed", -1, "give 0 or more"),
        (Pretraining, "masked", 0.0, r"is not in \(0, 1\); 0.15 is usual"),
        (Pretraining, "masked", math.nan, "0.15 is usual"),
        (Pretraining, "deleted", 1.0, "0.6 is usual"),
        (Pretraining, "most_held", 0, "give 1 or more"),
        (Pretraining, "max_tokens", 0, "give 2 or more"),
        (Pretraining, "max_tokens", 1, "give 2 or more"),
    ],
)
def test_what_is_out_of_range_is_told_with_a_remedy(made, setting, wrong, told):
    with pytest.raises(ConfigError, match=f"^{setting}={wrong} .*{told}"):
        made(**{setting: wrong})


def rates(**settings):
    training = Training(learning_rate=1.0, **settings)
    return [training.rate_at(step) for step in range(training.steps)]


def test_linear_decay_after_warming_up():
    expected = [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]
    assert rates(steps=10, warmup=0.2, decay="linear") == pytest.approx(expected)


def test_cosine_decay():
    expected = [0.5 * (1 + math.cos(math.pi * i / 8)) for i in range(8)]
    assert rates(steps=8, warmup=0.0, decay="cosine") == pytest.approx(expected)


def test_constant_rate():
    assert rates(steps=5, warmup=0.0, decay="constant") == [1.0] * 5


@pytest.mark.parametrize("decay", ["linear", "cosine", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_rate_is_always_within_its_bounds(decay, warmup, steps):
    found = rates(steps=steps, warmup=warmup, decay=decay)
    assert all(0 < rate <= 1 for rate in found)
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1])
