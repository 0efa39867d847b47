"""Learning what comes next: a causal transformer over histories, trained at every position at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, require
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.sequence_events import EventFacts, Rows, windows
from warmstart.learn.sequence_loss import LOSSES, equal_pairs, gbce, sampled_softmax
from warmstart.learn.sequence_model import Architecture, make_model
from warmstart.learn.settings import at_least, choose, share

BLOCK = 256  # histories that are scored at once


@dataclass(frozen=True)
class NextItem:
    """What is learned, and how it is judged.

    Parameters
    ----------
    loss
        "softmax" (sampled, with the logQ correction) or "gbce".
    negatives
        Items drawn by their frequency for all positions of a step; all items where there are no more.
    calibration
        t of gBCE, in [0, 1].
    unknown
        Share of the histories whose kinds, ratings and times are hidden at a step: a request may bring none.
    judged
        People, at most, whose newest event is held out for validation; a twentieth of the events at most.
    """

    loss: str = "softmax"
    negatives: int = 256
    calibration: float = 0.75
    unknown: float = 0.5
    judged: int = 1000

    def __post_init__(self) -> None:
        choose("loss", self.loss, LOSSES)
        for name in ("negatives", "judged"):
            at_least(name, getattr(self, name), 1)
        if not 0 <= self.calibration <= 1:
            raise ConfigError(f"calibration={self.calibration} is not in [0, 1]; 0.75 is usual")
        share("unknown", self.unknown, 0.5)


class NextItemObjective:
    """Predict at every position the next event of a history.

    Source: Kang and McAuley, Self-attentive sequential recommendation, ICDM 2018, arXiv:1808.09781.

    Parameters
    ----------
    x
        Events to learn from.
    features
        float32, shape (n_items, d): descriptions of the items; d may be 0.
    shape
        The architecture.
    settings
        Loss and validation.
    seed
        Decides first weights, and whose newest event is held out.
    start
        float32, shape (n_items, dim): where the items' own vectors begin; None = near 0.
    """

    watched = "ndcg@10"
    higher_is_better = True

    def __init__(
        self,
        x: Interactions,
        features: np.ndarray,
        shape: Architecture,
        settings: NextItem,
        seed: int = 0,
        start: np.ndarray | None = None,
    ) -> None:
        torch = require("torch", extra="lm")
        self.shape, self.settings, self.facts = shape, settings, EventFacts.fit(x)
        self.whole = Histories.of_users(x, np.arange(x.n_users))
        self.codes = self.facts.codes(self.whole)
        self.judged = self._held_out(seed)
        lengths = self.whole.lengths - np.isin(np.arange(len(self.whole)), self.judged)
        row, begin, end = windows(lengths, shape.length)
        self.starts, self.ends = self.whole.indptr[row] + begin, self.whole.indptr[row] + end
        counts = x.item_counts()
        self.met, self.often = np.flatnonzero(counts), counts / max(1, counts.sum())
        torch.manual_seed(seed)
        self.model = make_model(shape, features, counts, self.facts.sizes, start)
        self.device = "cpu"

    def _held_out(self, seed: int) -> np.ndarray:
        """People, of three events at least, whose newest one is kept to judge by."""
        able = np.flatnonzero(self.whole.lengths >= 3)
        most = min(self.settings.judged, len(self.whole.item) // 20)
        return np.sort(np.random.default_rng([seed, 3]).permutation(able)[:most])

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """All weights."""
        named: Iterator[tuple[str, Any]] = self.model.named_parameters()
        return named

    def place(self, processes: Processes) -> None:
        """Move the model to the device."""
        self.device = processes.device
        self.model.to(self.device)

    def train(self, mode: bool) -> None:
        """Switch dropout."""
        self.model.train(mode)

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over this process's share of ``draw.size`` stretches of histories."""
        at = draw.indices(len(self.starts))
        rows = Rows.of(self.whole, self.codes, self.starts[at], self.ends[at])
        silent = np.random.default_rng([draw.seed, draw.step, draw.processes.rank]).random(len(at))
        rows = replace(rows, facts=rows.facts * (silent >= self.settings.unknown)[:, None, None])
        drawn = self._drawn(draw.rng())
        codes = np.unique(np.concatenate([rows.item[rows.item >= 0], drawn]))
        states, biases = self.model.items(self._tensor(codes))
        seen, taken = self._read(rows, codes, states)
        others = self._tensor(np.searchsorted(codes, drawn))
        loss = self._loss(seen, taken, others, states, biases - self._log_often(codes, len(drawn)))
        loss.backward()
        return float(loss.detach())

    def _read(self, rows: Rows, codes: np.ndarray, states: Any) -> tuple[Any, Any]:
        """States (m, dim) after every event but the newest, and what came next (m,), as rows of ``states``."""
        seen, taken = [], []
        for _, part in rows.groups():
            where = self._tensor(np.searchsorted(codes, part.item.clip(codes[0])))
            known = self._tensor(part.item >= 0)
            state = self.model(states[where[:, :-1]], known[:, :-1], self._tensor(part.facts[:, :-1]))
            there = known[:, :-1] & known[:, 1:]
            seen.append(state[there])
            taken.append(where[:, 1:][there])
        torch = require("torch", extra="lm")
        return torch.cat(seen), torch.cat(taken)

    def _tensor(self, array: np.ndarray) -> Any:
        return require("torch", extra="lm").from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Codes of the negatives, the same in all processes; every item met where there are no more than wanted."""
        if self.settings.negatives >= len(self.met):
            return self.met
        return rng.choice(self.met, self.settings.negatives, p=self.often[self.met])

    def _log_often(self, codes: np.ndarray, drawn: int) -> Any:
        """Log of how often each item is expected among the drawn; 0 where all are, and nothing is to be corrected."""
        if self.settings.negatives >= len(self.met) or self.settings.loss != "softmax":
            return self._tensor(np.zeros(len(codes), np.float32))
        return self._tensor(np.log(np.maximum(self.often[codes] * drawn, 1e-12)).astype(np.float32))

    def _loss(self, seen: Any, taken: Any, others: Any, states: Any, biases: Any) -> Any:
        """Of states against what was taken and drawn, both as rows of ``states``."""
        torch = require("torch", extra="lm")
        positive = (seen * states[taken]).sum(1) + biases[taken]
        negative = torch.addmm(biases[others], seen, states[others].T)
        negative[equal_pairs(taken.cpu().numpy(), others.cpu().numpy())] = -np.inf
        if self.settings.loss == "gbce":
            part = min(1.0, len(others) / max(1, len(self.met) - 1))
            return gbce(positive, negative, part, self.settings.calibration)
        return sampled_softmax(positive, negative)

    def validate(self) -> dict[str, float]:
        """NDCG@10 of the newest event of the people held out, among all they had not met; NaN where none are."""
        if not len(self.judged):
            return {self.watched: float("nan")}
        h, values = self.whole.take(self.judged), []
        codes = self.facts.codes(h)
        ends = h.indptr[1:] - 1
        starts = np.maximum(h.indptr[:-1], ends - self.shape.length)
        vectors, biases = self.tables()
        for s in range(0, len(h), BLOCK):
            part = slice(s, s + BLOCK)
            rows = Rows.of(h, codes, starts[part], ends[part])
            scores = self.states(rows, vectors) @ vectors.T + biases
            targets = h.item[ends[part]]
            people = np.arange(len(scores))
            wanted = scores[people, targets]
            for row, q in enumerate(range(s, s + len(scores))):
                scores[row, h.row(q)[:-1]] = -np.inf
            rank = (scores > wanted[:, None]).sum(1)
            values.append(np.where(rank < 10, 1 / np.log2(rank + 2.0), 0.0))
        return {self.watched: float(np.concatenate(values).mean())}

    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """States, float32 (n_items, dim), and biases, float32 (n_items,), of all items."""
        torch = require("torch", extra="lm")
        with torch.no_grad():
            vectors, biases = self.model.items(torch.arange(int(self.whole.n_items), device=self.device))
        return vectors.cpu().numpy(), biases.cpu().numpy()

    def states(self, rows: Rows, vectors: np.ndarray) -> np.ndarray:
        """States after the newest event: float32, shape (n, dim)."""
        torch = require("torch", extra="lm")
        self.train(False)
        with torch.no_grad():
            known = self._tensor(rows.item >= 0)
            out = self.model(self._tensor(vectors[np.maximum(rows.item, 0)]), known, self._tensor(rows.facts))
        states: np.ndarray = out[:, -1].cpu().numpy()
        return states
