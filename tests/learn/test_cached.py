import pytest
import torch

from warmstart.learn.backbone import Backbone
from warmstart.learn.cached import cached_backward
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.settings import Tuning

TEXTS = [
    "alien space horror",
    "toy",
    "a cowboy doll puzzle in the old west",
    "love comedy",
    "war",
    "robot of the future",
]


def loss(vectors):
    near = torch.nn.functional.normalize(vectors, dim=1)
    return -torch.log_softmax(near @ near.T / 0.1, dim=1).diagonal(1).mean() + 0.1 * (vectors**2).mean()


def gradients(backbone, chunk):
    draw = Draw(0, 0, 0, len(TEXTS), Processes("float32"))
    value = cached_backward(backbone.vectors, TEXTS, loss, draw, chunk=chunk)
    return value, {name: p.grad for name, p in backbone.parameters() if p.grad is not None}


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_the_gradient_is_that_of_the_whole_batch(encoder_folder, chunk):
    plain = Backbone(encoder_folder)
    value = loss(plain.vectors(TEXTS))
    value.backward()
    found, by_name = gradients(Backbone(encoder_folder), chunk)
    assert found == pytest.approx(float(value.detach()), rel=1e-5)
    wanted = {name: p.grad for name, p in plain.parameters() if p.grad is not None}
    assert wanted.keys() == by_name.keys()
    for name in wanted:
        torch.testing.assert_close(by_name[name], wanted[name], atol=1e-5, rtol=1e-4, msg=name)


def test_dropout_is_the_same_in_both_passes(encoder_folder):
    """With a loss that is the sum of all vectors times a constant, both passes must see the same vectors."""
    backbone = Backbone(encoder_folder, Tuning(dropout=0.5))
    backbone.model.train()
    seen = []

    def encode(texts):
        seen.append(backbone.vectors(texts))
        return seen[-1]

    torch.manual_seed(3)
    cached_backward(encode, TEXTS, loss, Draw(0, 0, 0, len(TEXTS), Processes("float32")), chunk=2)
    first, second = seen[:3], seen[3:]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    torch.manual_seed(4)
    other = torch.cat([encode(TEXTS[:2])])
    assert not torch.equal(other, first[0])
