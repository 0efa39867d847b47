"""A causal transformer over events: what comes next, from the order of what came; new items by their description."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError, require
from warmstart.experts.base import EVERY
from warmstart.experts.people_vectors import people_vectors
from warmstart.experts.products import appended, projected
from warmstart.learn.loop import learn
from warmstart.learn.processes import Processes
from warmstart.learn.run import Run
from warmstart.learn.sequence import NextItem, NextItemObjective
from warmstart.learn.sequence_events import EventFacts, Rows
from warmstart.learn.sequence_export import EVENTS, KNOWN, export_layers
from warmstart.learn.sequence_model import Architecture, first_vectors
from warmstart.learn.settings import Training, at_least
from warmstart.text.onnx import open_session

BLOCK = 256  # histories that are read at once


@dataclass(frozen=True)
class SequenceTransformer:
    """SASRec over described items: ``score_j = h . e_j + b_j``, h = the state after the newest event.

    ``e_j = W z_j + n_j / (n_j + tau) delta_j``: an item nobody met stands where its description puts it. Learned
    with torch, served by ONNX. Sources: Kang and McAuley, ICDM 2018, arXiv:1808.09781; the loss, Petrov and Macdonald,
    RecSys 2023, arXiv:2308.07192; Klenitskiy and Vasilev, RecSys 2023, arXiv:2309.07602.

    Parameters
    ----------
    shape
        Size of the network.
    task
        Loss, negatives, validation.
    epochs
        Readings of every history at most, above 0; four without a better NDCG@10 end it.
    most
        Events read at most, over all readings: of many events each is read less often, or not all are.
    events
        Events a step, about: as many histories as hold them on average, two at least.
    steps
        Steps in which ``most`` events are read, where there are more: large steps cost less an event.
    least
        Histories below which nothing is learned: a network has little to learn from few.
    learning_rate
        The highest.
    graph
        Whether what a graph gave to the features is among the description of an item.
    seed
        Fixes weights, dropout and draws.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters(40, 30, 3, seed=1)
    >>> fitted = SequenceTransformer(Architecture(dim=8, heads=1), epochs=1, least=10).fit(data)
    >>> fitted.score(data.histories(np.array([0, 1]))).shape
    (2, 30)
    """

    shape: Architecture = field(default_factory=Architecture)
    task: NextItem = field(default_factory=NextItem)
    epochs: float = 6.0
    most: int = 1_500_000
    events: int = 512
    steps: int = 750
    least: int = 200
    learning_rate: float = 3e-3
    graph: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.epochs > 0:
            raise ConfigError(f"epochs={self.epochs:g} is not above 0; 6 is usual")
        for name in ("most", "events", "steps"):
            at_least(name, getattr(self, name), 1)
        at_least("least", self.least, 2)

    def fit(self, data: Dataset) -> FittedSequence | None:
        """Learn; None where fewer than ``least`` histories have two events.

        Raises
        ------
        MissingExtra
            If torch or onnx is not installed.
        """
        if not self.learns(data):
            return None
        require("onnx", extra="lm")  # told before it learns, not after
        z, unread = self.descriptions(data)
        people = people_vectors(data, self.shape.dim)[:, 1:]  # the first direction is popularity
        first = first_vectors(people, self.shape.dim, self.seed)
        objective = NextItemObjective(data.interactions, z, self.shape, self.task, self.seed, first)
        with tempfile.TemporaryDirectory() as folder:
            run = Run.begin(folder, "sequence", asdict(self), "")
            learn(objective, self.training(objective.ends - objective.starts), run, Processes("float32"))
        vectors, biases = objective.tables()
        model = objective.model
        facts = np.concatenate([table.weight.detach().cpu().numpy() for table in model.facts])
        describe, weigh = (p.detach().cpu().numpy() for p in (model.describe, model.weigh))
        describe[unread], weigh[unread] = 0.0, 0.0  # where they began
        graph = export_layers(model.layers, self.shape.dim)
        return FittedSequence(graph, vectors, biases, describe, weigh, objective.facts, facts, self.shape.length)

    def descriptions(self, data: Dataset) -> tuple[np.ndarray, np.ndarray]:
        """What items are described by, float32 (n_items, d), and which columns of it are left at 0: bool, (d,)."""
        if data.features is None:
            return np.zeros((data.n_items, 0), np.float32), np.zeros(0, bool)
        told = np.zeros(data.features.shape[1], bool) if data.of_graph is None else data.of_graph
        unread = told & (not self.graph)
        return np.where(unread, 0.0, data.features).astype(np.float32), unread

    def learns(self, data: Dataset) -> bool:
        """Whether ``least`` histories have two events."""
        return bool((data.interactions.user_counts() >= 2).sum() >= self.least)

    def training(self, lengths: np.ndarray) -> Training:
        """The loop's settings for stretches of histories of such lengths.

        Examples
        --------
        >>> SequenceTransformer(epochs=10, events=50).training(np.full(200, 5)).steps
        200
        >>> many = SequenceTransformer(epochs=10, events=50, most=5000, steps=50).training(np.full(200, 5))
        >>> many.steps, many.batch
        (50, 20)
        """
        total = float(lengths.sum())
        cut = self.epochs * total > self.most
        readings = self.most / total if cut else self.epochs
        events = max(self.events, self.most / self.steps) if cut else self.events
        batch = min(max(2, round(events / float(lengths.mean()))), len(lengths))
        reading = math.ceil(len(lengths) / batch)
        return Training(
            steps=max(1, round(readings * reading)),
            batch=batch,
            learning_rate=self.learning_rate,
            warmup=0.05,
            precision="float32",
            validate_every=reading,
            patience=4,
            checkpoint_every=0,
            seed=self.seed,
        )


@dataclass(frozen=True, eq=False)
class FittedSequence:
    """The network as a graph, and the tables around it.

    Parameters
    ----------
    graph
        uint8: an ONNX file (see ``export_layers``).
    vectors, biases
        float32, shapes (n_items, dim) and (n_items,): state and bias of every item.
    describe, weigh
        float32, shapes (d, dim) and (d,): what makes them of a new item's features.
    codes
        How facts about an event become codes.
    facts
        float32, shape (sum of ``codes.sizes``, dim): vectors of kinds, ratings and gaps, one after another.
    length
        Newest events that are read.
    """

    seeks: ClassVar[bool] = True

    graph: np.ndarray
    vectors: np.ndarray
    biases: np.ndarray
    describe: np.ndarray
    weigh: np.ndarray
    codes: EventFacts
    facts: np.ndarray
    length: int

    @cached_property
    def _session(self) -> Any:
        return open_session(self.graph.tobytes())

    def states(self, histories: Histories) -> np.ndarray:
        """Interest vectors: the state after the newest event, float32, shape (n_queries, dim); NaN without events."""
        out = np.full((len(histories), self.vectors.shape[1]), np.nan, np.float32)
        able = np.flatnonzero(histories.lengths)
        ends = histories.indptr[1:]
        starts = np.maximum(histories.indptr[:-1], ends - self.length)
        offsets, codes = np.cumsum([0, *self.codes.sizes[:-1]]), self.codes.codes(histories)
        for s in range(0, len(able), BLOCK):
            at = able[s : s + BLOCK]
            rows = Rows.of(histories, codes, starts[at], ends[at])
            known = rows.item >= 0
            told = self.facts[rows.facts + offsets].sum(axis=2)
            scale = math.sqrt(self.vectors.shape[1]) / 2
            events = (scale * self.vectors[np.maximum(rows.item, 0)] + told) * known[..., None]
            out[at] = self._session.run(None, {EVENTS: events.astype(np.float32), KNOWN: known})[0]
        return out

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        return self.heard(histories, projected(self.said(histories), self.vectors), self.beside(histories))

    @property
    def z(self) -> np.ndarray:
        """States of the items: what histories are held against."""
        return self.vectors

    def said(self, histories: Histories) -> np.ndarray:
        """``states`` as one part: float32, shape (1, n_queries, dim)."""
        return self.states(histories)[None]

    def beside(self, histories: Histories) -> np.ndarray:
        """The items' biases, the same for every query."""
        return np.broadcast_to(self.biases, (len(histories), len(self.biases)))

    def heard(
        self, histories: Histories, found: np.ndarray, beside: np.ndarray, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Scores with the items' biases; NaN for an empty history."""
        scores: np.ndarray = found[0]
        scores += beside
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items stand where their features put them."""
        known = features.astype(np.float32) if len(self.describe) else np.zeros((len(features), 0), np.float32)
        return replace(
            self,
            vectors=appended(self.vectors, (known @ self.describe).astype(np.float32)),
            biases=np.append(self.biases, known @ self.weigh),
        )
