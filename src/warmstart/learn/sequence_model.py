"""A causal transformer over events, whose items are described by their features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, require
from warmstart.learn.settings import at_least, choose, share

POSITIONS = ("rotary", "learned")
_BASE = 10_000.0  # of rotary positions
LENGTH = 2.0  # of an item's own vector at first, where it begins by who takes it
DESCRIBED = 0.15  # share of a described state beside it, at first


@dataclass(frozen=True)
class Architecture:
    """Size and shape of the network.

    Parameters
    ----------
    dim
        Width of a state.
    blocks, heads
        Layers, and heads of attention in each; ``dim / heads`` must be even.
    length
        Newest events that are read.
    dropout
        Share of a state that is missing while learning.
    positions
        "rotary": attention sees how far events lie apart (Su et al. 2021, arXiv:2104.09864). "learned": a vector a
        place, counted from the newest.
    tau
        Events at which an item's own vector has half of its say; it has none for an item nobody met.
    bound
        Length that an item's own vector cannot exceed, ``bound x / sqrt(1 + |x|^2)``; 0 = unbounded.
    """

    dim: int = 64
    blocks: int = 1
    heads: int = 2
    length: int = 64
    dropout: float = 0.3
    positions: str = "rotary"
    tau: float = 10.0
    bound: float = 2.0

    def __post_init__(self) -> None:
        for name in ("dim", "blocks", "heads", "length"):
            at_least(name, getattr(self, name), 1)
        for name in ("tau", "bound"):
            at_least(name, getattr(self, name), 0)
        share("dropout", self.dropout, 0.3)
        choose("positions", self.positions, POSITIONS)
        if self.dim % (2 * self.heads):
            raise ConfigError(f"dim={self.dim} is no multiple of 2 x heads={self.heads}; 64 and 2 are usual")


def turned(x: Any) -> Any:
    """Pairs of coordinates turned by an angle that grows with the place: (..., length, width), width even."""
    torch = require("torch", extra="lm")
    half = x.shape[-1] // 2
    speed = _BASE ** (-torch.arange(half, device=x.device) / half)
    angle = torch.arange(x.shape[-2], device=x.device)[:, None] * speed[None]
    one, other, cos, sin = x[..., :half], x[..., half:], angle.cos(), angle.sin()
    return torch.cat([one * cos - other * sin, one * sin + other * cos], dim=-1)


def make_drop(share: float) -> Any:
    """Dropout whose draws are bytes, eight at once: a fifth of the time on a processor, the share to the nearest 256th.

    Elsewhere it is torch's own.
    """
    torch = require("torch", extra="lm")
    missing = min(round(256 * share), 255)

    class Drop(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def forward(self, x: Any) -> Any:
            if not (self.training and missing):
                return x
            if x.device.type != "cpu":
                return torch.nn.functional.dropout(x, share)
            words = torch.empty(x.numel() // 8 + 1, dtype=torch.int64).random_(-(2**63), None)
            kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= missing
            return x * kept.to(x.dtype).mul_(256 / (256 - missing))

    return Drop()


def make_block(shape: Architecture) -> Any:
    """One layer: states (n, length, dim) and what is hidden from each (0 or -1e9) -> states.

    ``x + attention(norm(x))``, then ``x + W_d (silu(W_g norm(x)) * W_u norm(x))`` (Shazeer 2020, arXiv:2002.05202).
    """
    torch = require("torch", extra="lm")
    nn, functional = torch.nn, torch.nn.functional
    d, each = shape.dim, shape.dim // shape.heads

    class Block(nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.before, self.between = nn.LayerNorm(d), nn.LayerNorm(d)
            self.ask, self.join = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.up, self.gate, self.down = nn.Linear(d, 2 * d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
            self.drop = make_drop(shape.dropout)

        def forward(self, x: Any, hidden: Any) -> Any:
            n, length = x.shape[0], x.shape[1]
            asked = self.ask(self.before(x)).reshape(n, length, 3, shape.heads, each).permute(2, 0, 3, 1, 4)
            both, value = asked[:2], asked[2]
            query, key = turned(both) if shape.positions == "rotary" else both
            seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
            seen = seen.transpose(1, 2).reshape(n, length, d)
            x = x + self.drop(self.join(seen))
            y = self.between(x)
            return x + self.drop(self.down(functional.silu(self.gate(y)) * self.up(y)))

    return Block()


def make_layers(shape: Architecture) -> Any:
    """The network from event vectors to states: (n, length, dim) and a mask of known events -> (n, length, dim).

    No event sees a later one.
    """
    torch = require("torch", extra="lm")
    nn, d = torch.nn, shape.dim

    class Layers(nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            if shape.positions == "learned":
                self.place = nn.Parameter(0.02 * torch.randn(shape.length, d))
            self.blocks = nn.ModuleList(make_block(shape) for _ in range(shape.blocks))
            self.last, self.drop = nn.LayerNorm(d), make_drop(shape.dropout)

        def forward(self, x: Any, known: Any) -> Any:
            length = x.shape[1]
            if shape.positions == "learned":
                x = x + self.place[shape.length - length :]
            x = self.drop(x)
            ones = torch.ones(length, length, device=x.device)
            open_ = torch.tril(ones)[None] * known[:, None, :].to(x.dtype)
            open_ = torch.maximum(open_, torch.eye(length, device=x.device)[None])  # nobody looks at nothing
            hidden = (1.0 - open_)[:, None] * -1e9
            for block in self.blocks:
                x = block(x, hidden)
            return self.last(x)

    return Layers()


def first_vectors(people: np.ndarray, dim: int, seed: int = 0) -> np.ndarray:
    """Where items' own vectors begin: by who takes them, each of length 2, turned at random so that no head is empty.

    Parameters
    ----------
    people
        float32, shape (n_items, at most dim): e.g. of ``people_vectors`` without the first direction, popularity.

    Returns
    -------
    float32, shape (n_items, dim); zero where nobody took an item.
    """
    turn = np.linalg.qr(np.random.default_rng([seed, 5]).normal(size=(dim, dim)))[0][: people.shape[1]]
    unit = people / np.maximum(np.linalg.norm(people, axis=1, keepdims=True), 1e-9)
    first: np.ndarray = (LENGTH * unit @ turn).astype(np.float32)
    return first


def make_model(
    shape: Architecture,
    features: np.ndarray,
    counts: np.ndarray,
    codes: tuple[int, ...],
    start: np.ndarray | None = None,
) -> Any:
    """The whole model, with fresh weights from torch's seed.

    State and bias of an item: ``e_j = W z_j + s_j delta_j``, ``b_j = w z_j + s_j beta_j``, ``s_j = n_j / (n_j + tau)``:
    one without events is placed by its description alone, and there is no delta and no beta of it.

    Parameters
    ----------
    shape
        The architecture.
    features
        float32, shape (n_items, d): z; d = 0 without descriptions.
    counts
        int64, shape (n_items,): n_j.
    codes
        Number of codes of each fact about an event.
    start
        float32, shape (n_items, dim): where delta begins, see ``first_vectors``; None = near 0.
    """
    torch = require("torch", extra="lm")
    nn, d = torch.nn, shape.dim
    n, width = features.shape
    size = max(float(np.sqrt((features**2).sum(1).mean())) if features.size else 1.0, 1e-6)
    met = np.flatnonzero(counts) if np.any(counts) else np.zeros(1, np.int64)
    row = np.zeros(n, np.int64)
    row[met] = np.arange(len(met))
    first = 0.02 * torch.randn(len(met), d) if start is None else torch.from_numpy(start[met].astype(np.float32))

    class Model(nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layers = make_layers(shape)
            self.describe = nn.Parameter(torch.randn(width, d) * (0.5 if start is None else DESCRIBED) / size)
            self.weigh = nn.Parameter(torch.zeros(width))
            self.own = nn.Parameter(first.clone())
            self.bias = nn.Parameter(torch.zeros(len(met)))
            self.facts = nn.ModuleList(nn.Embedding(size, d) for size in codes)
            for table in self.facts:
                nn.init.zeros_(table.weight)
            self.register_buffer("z", torch.from_numpy(np.ascontiguousarray(features, np.float32)), persistent=False)
            say = counts / np.maximum(counts + shape.tau, 1e-9)
            self.register_buffer("say", torch.from_numpy(say.astype(np.float32)), persistent=False)
            self.register_buffer("row", torch.from_numpy(row), persistent=False)

        def items(self, at: Any) -> tuple[Any, Any]:
            """States (m, dim) and biases (m,) of items."""
            own = self.own[self.row[at]]
            if shape.bound:
                own = shape.bound * own / torch.sqrt(1 + (own**2).sum(1, keepdim=True))
            state = self.z[at] @ self.describe + self.say[at, None] * own
            return state, self.z[at] @ self.weigh + self.say[at] * self.bias[self.row[at]]

        def forward(self, vectors: Any, known: Any, facts: Any) -> Any:
            """States after each event, (n, length, dim), from the items' states and the codes of facts."""
            told = sum(table(facts[..., column]) for column, table in enumerate(self.facts))
            x = (math.sqrt(d) / 2 * vectors + told) * known[..., None].to(vectors.dtype)
            return self.layers(x, known)

    return Model()
