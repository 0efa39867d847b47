"""What stands on a language model and answers: from vectors of what is known of a person, and of items, to outputs.

Facts are the events of a person's history and, as one more fact, his profile text; each has a vector, a kind (0 = the
profile, 1 = not known, 2 and up = the kinds of event) and a rating (standardised, 0 = none).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from warmstart.errors import ConfigError, require
from warmstart.learn.settings import at_least, choose

HEADS = ("linear", "feed_forward", "attention", "transformer")
READS = ("apart", "together")
PROFILE, UNKNOWN, FIRST_KIND = 0, 1, 2
_TOGETHER = ("linear", "feed_forward")
_ATTENTION_HEADS = 4


@dataclass(frozen=True)
class HeadSettings:
    """Which head, and how the language model reads for it.

    Parameters
    ----------
    kind
        "linear" or "feed_forward" over the mean of a person's facts, the item, their product and their distance;
        "attention": the same over facts weighed by how they bear on the item; "transformer": a layer over facts and
        item.
    reads
        "apart": each text alone, so that vectors are kept and shared; "together": person and item as one text
        (a cross-encoder), for "linear" and "feed_forward".
    hidden
        Width inside the head, a multiple of 4.
    """

    kind: str = "attention"
    reads: str = "apart"
    hidden: int = 128

    def __post_init__(self) -> None:
        choose("head", self.kind, HEADS)
        choose("reads", self.reads, READS)
        at_least("hidden", self.hidden, _ATTENTION_HEADS)
        if self.hidden % _ATTENTION_HEADS:
            raise ConfigError(f"hidden={self.hidden} is no multiple of {_ATTENTION_HEADS}; 128 is usual")
        if self.reads == "together" and self.kind not in _TOGETHER:
            raise ConfigError(
                f"head={self.kind!r} needs texts read apart; give reads='apart', or a head of {', '.join(_TOGETHER)}"
            )


@dataclass(frozen=True)
class Facts:
    """What is known of n people, at most L facts each, as tensors.

    Parameters
    ----------
    vectors
        float32, (n, L, dim).
    kinds
        int64, (n, L).
    ratings
        float32, (n, L), standardised; 0 where there is none.
    known
        bool, (n, L): which places hold a fact.
    """

    vectors: Any
    kinds: Any
    ratings: Any
    known: Any


class Head:
    """A head and its weights.

    Parameters
    ----------
    settings
        Its kind and width.
    dim
        Length of the vectors it is given.
    n_kinds
        Kinds of event that have a name.
    outputs
        Numbers that come out for each item.
    start
        What comes out at first, by and large.

    Attributes
    ----------
    weights
        A torch module of everything that learns, and of the mean and spread by which vectors are standardised.
    """

    def __init__(
        self, settings: HeadSettings, dim: int, n_kinds: int, outputs: int = 1, start: tuple[float, ...] = (0.0,)
    ) -> None:
        torch = require("torch", extra="lm")
        nn = torch.nn
        self.settings = settings
        self.weights = nn.Module()
        self.weights.register_buffer("mean", torch.zeros(dim))
        self.weights.register_buffer("spread", torch.ones(dim))
        self.weights.no_item = nn.Parameter(torch.zeros(dim))
        if settings.reads == "apart":
            self._make_facts(dim, n_kinds)
        makers = (self._make_linear, self._make_feed_forward, self._make_attention, self._make_transformer)
        dict(zip(HEADS, makers, strict=True))[settings.kind](dim)
        self.weights.last = nn.Linear(self._width(dim), outputs)
        with torch.no_grad():
            self.weights.last.weight.mul_(0.1)  # near the start at first
            self.weights.last.bias.copy_(torch.tensor(start))

    def standardise(self, vectors: Any) -> None:
        """Take mean and spread of the vectors (n, dim) of many texts as zero and one."""
        self.weights.mean.copy_(vectors.mean(0))
        self.weights.spread.copy_(vectors.std(0, correction=0).clamp(min=1e-4))

    def __call__(self, items: Any, asked: Any, facts: Facts | None) -> Any:
        """Outputs (n, m, outputs).

        Parameters
        ----------
        items
            float32 tensor (n, m, dim): of items, or with reads="together" of person and item.
        asked
            bool tensor (n, m): whether there is an item; where not, the question is about the person alone.
        facts
            Of the people; None with reads="together".
        """
        torch = require("torch", extra="lm")
        item = torch.where(asked[..., None], self._standard(items), self.weights.no_item)
        if facts is None:
            return self.weights.last(self._inside(item))
        facts = self._with_nobody(facts)
        if self.settings.kind == "transformer":
            user, item = self._read(item, facts)
        else:
            user = self._attend(item, facts) if self.settings.kind == "attention" else self._mean(item, facts)
        return self.weights.last(self._inside(torch.cat([user, item, user * item, (user - item).abs()], -1)))

    def _standard(self, vectors: Any) -> Any:
        return (vectors - self.weights.mean) / self.weights.spread

    def _make_facts(self, dim: int, n_kinds: int) -> None:
        torch = require("torch", extra="lm")
        w = self.weights
        w.kind = torch.nn.Parameter(torch.zeros(FIRST_KIND + n_kinds, dim))
        w.by_rating = torch.nn.Parameter(torch.zeros(dim))
        w.slope = torch.nn.Parameter(torch.zeros(()))
        w.nobody = torch.nn.Parameter(torch.zeros(dim))

    def _with_nobody(self, facts: Facts) -> Facts:
        """Facts that also say their kind and rating; who has none has one: to be nobody known."""
        torch, w = require("torch", extra="lm"), self.weights
        rating = facts.ratings[..., None]
        told = self._standard(facts.vectors) * (1 + w.slope * rating) + w.kind[facts.kinds] + rating * w.by_rating
        n = len(told)
        nobody = w.nobody.expand(n, 1, -1)
        vectors = torch.cat([torch.where(facts.known[..., None], told, 0.0), nobody], 1)
        known = torch.cat([facts.known, ~facts.known.any(1, keepdim=True)], 1)
        return Facts(vectors, facts.kinds, facts.ratings, known)

    def _mean(self, item: Any, facts: Facts) -> Any:
        """The mean of each person's facts, (n, m, dim)."""
        weight = facts.known[..., None].float()
        mean = (facts.vectors * weight).sum(1) / weight.sum(1)
        return mean[:, None].expand_as(item)

    def _make_linear(self, dim: int) -> None:
        """Nothing stands between what is compared and the outputs."""

    def _make_feed_forward(self, dim: int) -> None:
        nn, s = require("torch", extra="lm").nn, self.settings
        wide = dim if s.reads == "together" else 4 * dim
        self.weights.inner = nn.Sequential(nn.Linear(wide, s.hidden), nn.GELU())

    def _make_attention(self, dim: int) -> None:
        nn, s = require("torch", extra="lm").nn, self.settings
        self.weights.query, self.weights.key = nn.Linear(dim, s.hidden), nn.Linear(dim, s.hidden)
        self._make_feed_forward(dim)

    def _make_transformer(self, dim: int) -> None:
        torch, s = require("torch", extra="lm"), self.settings
        nn, w = torch.nn, self.weights
        w.narrow = nn.Linear(dim, s.hidden)
        w.role = nn.Parameter(torch.zeros(s.hidden))  # tells the item from the facts
        w.layer = nn.TransformerEncoderLayer(
            s.hidden, _ATTENTION_HEADS, 2 * s.hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self._make_feed_forward(s.hidden)

    def _width(self, dim: int) -> int:
        """Numbers that the last layer is given."""
        if self.settings.kind != "linear":
            return self.settings.hidden
        return dim if self.settings.reads == "together" else 4 * dim

    def _inside(self, x: Any) -> Any:
        return x if self.settings.kind == "linear" else self.weights.inner(x)

    def _attend(self, item: Any, facts: Facts) -> Any:
        """Facts weighed by ``softmax(query(item) . key(fact) / sqrt(hidden))``, (n, m, dim)."""
        query, key = self.weights.query(item), self.weights.key(facts.vectors)
        bearing = query @ key.transpose(1, 2) / math.sqrt(self.settings.hidden)  # (n, m, L)
        weight = bearing.masked_fill(~facts.known[:, None], -math.inf).softmax(-1)
        return weight @ facts.vectors

    def _read(self, item: Any, facts: Facts) -> tuple[Any, Any]:
        """After a layer over facts and item: the mean state of the facts, and the item's, both (n, m, hidden).

        Items do not see each other.
        """
        torch, w = require("torch", extra="lm"), self.weights
        n, m = item.shape[:2]
        near = w.narrow(facts.vectors)[:, None].expand(n, m, -1, -1)  # (n, m, L, hidden)
        rows = torch.cat([near, (w.narrow(item) + w.role)[:, :, None]], 2).flatten(0, 1)
        hidden = torch.cat([~facts.known, torch.zeros_like(facts.known[:, :1])], 1)
        states = w.layer(rows, src_key_padding_mask=hidden.repeat_interleave(m, 0)).unflatten(0, (n, m))
        weight = facts.known[:, None, :, None].float()
        return (states[:, :, :-1] * weight).sum(2) / weight.sum(2), states[:, :, -1]
