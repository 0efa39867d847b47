"""Score functions: known answers, and what ties their parts together."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from warmstart.learn.kge_models import MODELS
from warmstart.learn.kge_partition import log_partition


def score(model, head, relation, tail):
    f = MODELS[model]
    h, r, t = (torch.tensor([v], dtype=torch.float32) for v in (head, relation, tail))
    return f.beside(f.reach(h, r), t[:, None]).item()


@pytest.mark.parametrize(
    ("model", "head", "relation", "tail", "known"),
    [
        ("transe", [1, 0], [2, 2], [3, 2], 0),
        ("transe", [1, 0], [2, 2], [0, -2], -5),  # 3, 4, 5
        ("distmult", [1, 2], [3, -1], [2, 5], 6 - 10),
        ("complex", [1, 2], [3, 4], [5, 6], 5 * (3 - 8) + 6 * (4 + 6)),  # (1+2i)(3+4i) = -5+10i, times 5-6i
        ("rotate", [1, 0], [math.pi / 2], [0, 1], 0),  # 1 turned by a quarter is i
        ("rotate", [3, 4], [0.0], [0, 0], -5),
        ("rotate", [1, 0, 0, 2], [math.pi, 0.0], [1, 0, 0, 0], -4),  # |-1 - 1| + |0 + 2i|
    ],
)
def test_known_scores(model, head, relation, tail, known):
    assert score(model, head, relation, tail) == pytest.approx(known, abs=1e-5)


def test_complex_tells_directions_apart_and_distmult_does_not():
    h, r, t = [1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.5, 2.0, 1.0, 0.0]
    assert score("complex", h, r, t) == pytest.approx(-score("complex", t, r, h))  # r is imaginary
    assert score("complex", h, r, t) == pytest.approx(-1)
    assert score("distmult", h, r, t) == pytest.approx(score("distmult", t, r, h))


@pytest.mark.parametrize("model", MODELS)
def test_all_and_some_are_scored_alike(model):
    f = MODELS[model]
    torch.manual_seed(3)
    entity, relation = f.start(7, 2, 6, 4.0)
    points = f.reach(entity[:3], relation[[0, 1, 0]])
    beside = f.beside(points, entity[None].expand(3, -1, -1))
    torch.testing.assert_close(f.against(points, entity), beside, atol=1e-4, rtol=1e-4)
    assert [entity.shape[1], relation.shape[1]] == list(f.widths(6))


@pytest.mark.parametrize("model", MODELS)
@given(seed=st.integers(0, 50))
def test_back_is_the_other_end_of_reach(model, seed):
    f = MODELS[model]
    torch.manual_seed(seed)
    entity, relation = f.start(2, 1, 4, 4.0)
    h, t = entity[:1], entity[1:]
    forward = f.beside(f.reach(h, relation), t[:, None]).item()
    if f.linear:  # the same number as a product with the head
        assert (f.back(t, relation) * h).sum().item() == pytest.approx(forward, abs=1e-5)
    else:  # as far from the head
        assert f.beside(f.back(t, relation), h[:, None]).item() == pytest.approx(forward, abs=1e-4)
        torch.testing.assert_close(f.back(f.reach(h, relation), relation), h, atol=1e-4, rtol=1e-4)


def test_cubes_are_of_moduli():
    assert MODELS["complex"].cubes(torch.tensor([[3.0, 0, 4, 1]])).item() == pytest.approx(125 + 1)
    assert MODELS["distmult"].cubes(torch.tensor([[-2.0, 1]])).item() == 9


def test_the_partition_has_the_gradients_of_autograd(monkeypatch):
    monkeypatch.setattr("warmstart.learn.kge_partition.BLOCK", 3)
    torch.manual_seed(0)
    points, table, w = torch.randn(8, 5) * 9, torch.randn(11, 5) * 9, torch.rand(8)
    found = []
    for way in (log_partition, lambda p, t, w: ((p @ t.T).logsumexp(1) * w).sum()):
        p, t = points.clone().requires_grad_(), table.clone().requires_grad_()
        value = way(p * 2, t, w) * 3
        value.backward()
        found.append((value.detach(), p.grad, t.grad))
    for ours, autograd in zip(*found, strict=True):
        torch.testing.assert_close(ours, autograd)
