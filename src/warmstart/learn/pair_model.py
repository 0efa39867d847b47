"""A language model with a head on it, asked about people and items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.histories import Histories
from warmstart.errors import require
from warmstart.learn.backbone import Backbone
from warmstart.learn.heads import FIRST_KIND, PROFILE, UNKNOWN, Facts, Head, HeadSettings
from warmstart.learn.pairs import NO_ITEM
from warmstart.learn.people import item_titles, person_texts, profile_texts
from warmstart.learn.task import Task
from warmstart.text.templates import item_texts

_BETWEEN = "\x1e"  # stands between the two texts of a pair; no cleaned text holds it
_AT_ONCE = 64  # texts that are encoded together without gradient


@dataclass(frozen=True)
class Plan:
    """What a fine-tuned model is, but for its weights.

    Parameters
    ----------
    task
        With what it took from the training part.
    head
        Which head, and how texts are read.
    kinds
        Names of the kinds of event it has met.
    rating_mean, rating_spread
        By which ratings of a history are standardised.
    history
        Newest events of a person that are read.
    template
        Of the items' texts; see ``item_texts``.
    """

    task: Task
    head: HeadSettings
    kinds: tuple[str, ...]
    rating_mean: float = 0.0
    rating_spread: float = 1.0
    history: int = 20
    template: str | None = None


@dataclass(frozen=True)
class Batch:
    """Questions about n people and m items each, as places in a list of distinct texts.

    Parameters
    ----------
    texts
        What the language model reads, each once.
    facts, items
        int64 places in ``texts``, (n, L) and (n, m); -1 = none.
    kinds, ratings
        int64 and float32, (n, L), of the facts.
    """

    texts: list[str]
    facts: np.ndarray
    items: np.ndarray
    kinds: np.ndarray
    ratings: np.ndarray

    def rows(self, at: slice) -> Batch:
        """The questions about some of the people."""
        return Batch(self.texts, self.facts[at], self.items[at], self.kinds[at], self.ratings[at])


class PairModel:
    """Backbone, head and the texts of a catalogue.

    Parameters
    ----------
    backbone
        The language model.
    plan
        What it is asked, and how.
    catalog
        The items that histories and questions point into.
    """

    def __init__(self, backbone: Backbone, plan: Plan, catalog: Catalog) -> None:
        self.backbone, self.plan = backbone, plan
        self.texts = item_texts(catalog, plan.template)
        self.has_text = np.array([bool(t.strip()) for t in self.texts])
        self.titles = item_titles(catalog, self.texts)
        self.head = Head(plan.head, backbone.dim, len(plan.kinds), len(plan.task.start), plan.task.start)
        self._kept: dict[str, np.ndarray] = {}

    @property
    def together(self) -> bool:
        """Whether person and item are read as one text."""
        return self.plan.head.reads == "together"

    def batch(self, histories: Histories, items: np.ndarray) -> Batch:
        """Questions about ``items`` (n, m) int, -1 = about no item."""
        return self._pairs(histories, items) if self.together else self._apart(histories, items)

    def outputs(self, vectors: Any, batch: Batch) -> Any:
        """Outputs (n, m, k) of the head, from a tensor (texts, dim) of the batch's texts in order."""
        torch = require("torch", extra="lm")

        def tensor(values: np.ndarray) -> Any:
            return torch.from_numpy(values).to(vectors.device)

        items, at = tensor(batch.items), tensor(batch.facts)
        asked = items >= 0
        with torch.autocast(vectors.device.type, enabled=False):
            if self.together:
                return self.head(vectors[items.clamp(min=0)], asked, None)
            facts = Facts(vectors[at.clamp(min=0)], tensor(batch.kinds), tensor(batch.ratings), at >= 0)
            return self.head(vectors[items.clamp(min=0)], asked, facts)

    def encode(self, texts: Sequence[str]) -> Any:
        """Unit vectors of texts or pairs of texts, with gradient: a tensor (n, dim)."""
        first, _, second = zip(*(t.partition(_BETWEEN) for t in texts), strict=True)
        vectors = self.backbone.vectors(first, second if any(second) else None)
        return require("torch", extra="lm").nn.functional.normalize(vectors, dim=1)

    def quiet(self, texts: Sequence[str]) -> np.ndarray:
        """The same without gradient and dropout: float32, (n, dim)."""
        torch, model = require("torch", extra="lm"), self.backbone.model
        out, order = np.zeros((len(texts), self.backbone.dim), np.float32), np.argsort([len(t) for t in texts])
        was = model.training
        model.eval()
        with torch.no_grad(), torch.autocast(self.backbone.device.type, enabled=False):
            for start in range(0, len(order), _AT_ONCE):
                at = order[start : start + _AT_ONCE]
                out[at] = self.encode([texts[i] for i in at]).float().cpu().numpy()
        model.train(was)
        return out

    def kept(self, texts: Sequence[str]) -> np.ndarray:
        """The same, each text encoded once and remembered; for weights that do not change any more."""
        missing = [t for t in texts if t not in self._kept]
        self._kept.update(zip(missing, self.quiet(missing), strict=True))
        return np.stack([self._kept[t] for t in texts])

    def _pairs(self, histories: Histories, items: np.ndarray) -> Batch:
        newest = histories.newest(self.plan.history)
        people = person_texts(newest, self.titles)
        whole = [
            [p if i == NO_ITEM else p + _BETWEEN + self.texts[i] for i in row]
            for p, row in zip(people, items, strict=True)
        ]
        place = {t: at for at, t in enumerate(dict.fromkeys(t for row in whole for t in row))}
        none = np.zeros((len(items), 0))
        at = np.array([[place[t] for t in row] for row in whole], np.int64).reshape(items.shape)
        return Batch(list(place), none.astype(np.int64), at, none.astype(np.int64), none.astype(np.float32))

    def _apart(self, histories: Histories, items: np.ndarray) -> Batch:
        event = histories.indptr[1:, None] - 1 - np.arange(min(self.plan.history, max(histories.lengths, default=0)))
        there = event >= histories.indptr[:-1, None]
        codes = np.full(event.shape, NO_ITEM)
        codes[there] = histories.item[event[there]]
        kinds, ratings = np.full(event.shape, UNKNOWN), np.zeros(event.shape, np.float32)
        kinds[there], ratings[there] = self._kind(histories)[event[there]], self._rating(histories)[event[there]]
        profile = profile_texts(histories)
        met = np.unique(np.concatenate([codes.ravel(), items.ravel()]))
        met = met[(met >= 0) & self.has_text[met]]
        place = {t: at for at, t in enumerate(dict.fromkeys([*(self.texts[i] for i in met), *filter(None, profile)]))}
        of_item = np.full(len(self.texts) + 1, -1)  # the last is found by -1
        of_item[met] = [place[self.texts[i]] for i in met]
        who = np.array([place.get(t, -1) for t in profile], np.int64)[:, None]
        n = (len(items), 1)
        return Batch(
            list(place),
            np.hstack([who, of_item[codes]]),
            of_item[items],
            np.hstack([np.full(n, PROFILE), kinds]),
            np.hstack([np.zeros(n, np.float32), ratings]),
        )

    def _kind(self, histories: Histories) -> np.ndarray:
        """Of each event, as heads count kinds."""
        if histories.kind is None:
            return np.full(len(histories.item), UNKNOWN)
        code = {name: FIRST_KIND + i for i, name in enumerate(self.plan.kinds)}
        of_kind = np.array([code.get(name, UNKNOWN) for name in histories.kinds])
        kinds: np.ndarray = of_kind[histories.kind]
        return kinds

    def _rating(self, histories: Histories) -> np.ndarray:
        """Of each event, standardised; 0 where there is none."""
        if histories.rating is None:
            return np.zeros(len(histories.item), np.float32)
        return np.nan_to_num((histories.rating - self.plan.rating_mean) / self.plan.rating_spread).astype(np.float32)
