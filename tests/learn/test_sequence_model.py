"""The network sees the past alone, and places new items by their description."""

import numpy as np
import pytest
import torch

from warmstart.errors import ConfigError
from warmstart.learn.sequence_model import (
    LENGTH,
    POSITIONS,
    Architecture,
    first_vectors,
    make_drop,
    make_layers,
    make_model,
)

SHAPE = Architecture(dim=16, blocks=2, heads=2, length=12, dropout=0.0, bound=0.0)


def layers(positions):
    torch.manual_seed(0)
    made = make_layers(Architecture(**{**vars(SHAPE), "positions": positions})).eval()
    if positions == "learned":
        torch.nn.init.normal_(made.place, std=0.5)
    return made


@pytest.mark.parametrize("positions", POSITIONS)
def test_no_event_sees_a_later_one(positions):
    net, x, known = layers(positions), torch.randn(3, 8, 16), torch.ones(3, 8, dtype=torch.bool)
    other = x.clone()
    other[:, 5:] = torch.randn(3, 3, 16)
    one, two = net(x, known), net(other, known)
    torch.testing.assert_close(one[:, :5], two[:, :5])
    assert (one[:, 5:] - two[:, 5:]).abs().max() > 0.1


@pytest.mark.parametrize("positions", POSITIONS)
def test_empty_places_before_the_first_event_change_nothing(positions):
    net, x = layers(positions), torch.randn(2, 4, 16)
    wide = torch.cat([torch.randn(2, 5, 16), x], dim=1)
    known = torch.tensor([[False] * 5 + [True] * 4] * 2)
    torch.testing.assert_close(net(wide, known)[:, 5:], net(x, known[:, 5:]), atol=1e-5, rtol=1e-5)
    assert torch.isfinite(net(wide, torch.zeros_like(known))).all()


@pytest.mark.parametrize("positions", POSITIONS)
def test_the_order_of_events_counts(positions):
    net, x = layers(positions), torch.randn(1, 6, 16)
    turned = x[:, [1, 0, 2, 3, 4, 5]]
    known = torch.ones(1, 6, dtype=torch.bool)
    assert (net(x, known)[:, -1] - net(turned, known)[:, -1]).abs().max() > 1e-4


def test_an_item_nobody_met_is_its_description():
    torch.manual_seed(0)
    z = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    model = make_model(SHAPE, z, np.array([0, 1, 10, 100, 0]), (2, 2, 2))
    torch.nn.init.normal_(model.weigh)
    torch.nn.init.normal_(model.bias)
    state, bias = model.items(torch.arange(5))
    content = torch.from_numpy(z) @ model.describe
    torch.testing.assert_close(state[[0, 4]], content[[0, 4]])
    torch.testing.assert_close(bias[[0, 4]], (torch.from_numpy(z) @ model.weigh)[[0, 4]])
    torch.testing.assert_close(state[2] - content[2], 0.5 * model.own[1])  # ten events, tau = 10: half
    assert len(model.own) == len(model.bias) == 3


@pytest.mark.parametrize("share", [0.25, 0.5, 0.999])
def test_dropout_keeps_its_share_and_the_mean(share):
    torch.manual_seed(0)
    drop, ones = make_drop(share), torch.ones(100_003)
    left = drop(ones)
    assert float((left == 0).float().mean()) == pytest.approx(min(share, 255 / 256), abs=0.01)
    assert float(left.mean()) == pytest.approx(1.0, abs=0.02 if share < 0.9 else 0.2)
    assert torch.equal(drop.eval()(ones), ones)


def test_an_own_vector_is_bounded():
    torch.manual_seed(0)
    bounded = Architecture(**{**vars(SHAPE), "bound": 0.5, "tau": 0.0})
    model = make_model(bounded, np.zeros((3, 0), np.float32), np.array([1, 1, 1]), (2,))
    torch.nn.init.normal_(model.own, std=50.0)
    state, _ = model.items(torch.arange(3))
    assert state.norm(dim=1).max() <= 0.5
    assert state.norm(dim=1).min() > 0.49


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"dim": 10, "heads": 4}, "dim=10 is no multiple of 2 x heads=4"),
        ({"positions": "none"}, "positions='none'"),
        ({"dropout": 1.0}, r"dropout=1\.0"),
        ({"length": 0}, "length=0"),
    ],
)
def test_mistakes_are_told(wrong, told):
    with pytest.raises(ConfigError, match=told):
        Architecture(**wrong)


def test_items_begin_by_who_takes_them():
    people = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    people[3] = 0.0
    start = first_vectors(people, 16, seed=1)
    length = np.linalg.norm(start, axis=1)
    np.testing.assert_allclose(length, np.where(np.arange(9) == 3, 0.0, LENGTH), atol=1e-5)
    unit = people / np.maximum(np.linalg.norm(people, axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose(start @ start.T, LENGTH**2 * unit @ unit.T, atol=1e-4)  # who is alike stays alike
    model = make_model(SHAPE, np.zeros((9, 0), np.float32), np.full(9, 10), (2, 2, 2), start)
    states, _ = model.items(torch.arange(9))
    np.testing.assert_allclose(states.detach().numpy(), start / 2, atol=1e-6)  # ten events: half of their say
