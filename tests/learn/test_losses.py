import math

import numpy as np
import pytest
import torch

from warmstart.learn.losses import MU, RANKING, binary, lambda_loss, squared

NAN = float("nan")


def value(name, scores, labels):
    return float(RANKING[name](torch.tensor(scores), torch.tensor(labels)))


def test_known_values():
    assert value("bpr", [[0.0, 0.0]], [[1.0, 0.0]]) == pytest.approx(math.log(2))
    assert value("margin", [[0.25, 0.0]], [[1.0, 0.0]]) == pytest.approx(0.75)
    assert value("margin", [[2.0, 0.0]], [[1.0, 0.0]]) == 0
    assert value("softmax", [[0.0, 0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0, 0.0]]) == pytest.approx(math.log(4))
    assert value("softmax", [[0.0, 0.0]], [[4.0, 2.0]]) == pytest.approx(math.log(2))
    labels = torch.tensor([[1.0, NAN], [0.0, NAN]])
    assert float(binary(torch.zeros(2, 2), labels)) == pytest.approx(math.log(2))
    assert float(squared(torch.tensor([[3.0, 9.0]]), torch.tensor([[1.0, NAN]]))) == 4


def test_lambda_loss_is_what_the_paper_says():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=5).astype(np.float32), rng.integers(0, 4, 5).astype(np.float32)
    rank = {i: r for r, i in enumerate(np.argsort(-scores), start=1)}
    best = sum((2**y - 1) / math.log2(1 + r) for r, y in enumerate(sorted(labels, reverse=True), start=1))
    whole = 0.0
    for i in range(5):
        for j in range(5):
            if labels[i] > labels[j]:
                rho = abs(1 / math.log2(1 + rank[i]) - 1 / math.log2(1 + rank[j]))
                k = abs(rank[i] - rank[j])
                delta = abs(1 / math.log2(1 + k) - 1 / math.log2(2 + k))
                gain = abs(2 ** labels[i] - 2 ** labels[j]) / best
                whole += (rho + MU * delta) * gain * math.log2(1 + math.exp(-(scores[i] - scores[j])))
    assert float(lambda_loss(torch.tensor(scores[None]), torch.tensor(labels[None]))) == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("name", RANKING)
def test_ranking_losses_lift_what_is_wanted_and_ignore_what_is_missing(name):
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=(3, 4)).astype(np.float32), np.tile([3.0, 0.0, 1.0, 0.0], (3, 1))
    labels = labels.astype(np.float32)
    padded = np.hstack([labels, np.full((3, 2), NAN, np.float32)])
    more = np.hstack([scores, np.full((3, 2), 50, np.float32)])
    assert value(name, more, padded) == pytest.approx(value(name, scores, labels), rel=1e-5)
    mixed = [2, 0, 3, 1]
    assert value(name, scores[:, mixed], labels[:, mixed]) == pytest.approx(value(name, scores, labels), rel=1e-5)
    learned = torch.tensor(more, requires_grad=True)
    RANKING[name](learned, torch.tensor(padded)).backward()
    gradient = learned.grad.numpy()
    assert np.isfinite(gradient).all()
    assert (gradient[:, 0] < 0).any()
    assert (gradient[:, 0] <= 0).all()
    assert (gradient[:, 4:] == 0).all()
