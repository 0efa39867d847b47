"""The objective of every task over people and items: examples in, gradients and figures out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.errors import require
from warmstart.learn.cached import cached_backward
from warmstart.learn.loop import HEAD
from warmstart.learn.pair_model import Batch, PairModel
from warmstart.learn.pairs import Examples
from warmstart.learn.processes import Draw, Processes

_FIRST_LOOK = 64  # examples by whose texts vectors are standardised
_JUDGED_AT_ONCE = 128


class PairObjective:
    """A task, its examples, and the model that learns it.

    Parameters
    ----------
    model
        Its head is standardised by the texts of some training examples.
    data
        Of whose events the examples are made.
    train, held
        Examples to learn from and to judge by.
    seed
        Decides by which examples vectors are standardised.
    """

    def __init__(self, model: PairModel, data: Dataset, train: Examples, held: Examples, seed: int = 0) -> None:
        self.model, self.data, self.train_part, self.held = model, data, train, held
        self.watched, self.higher_is_better = model.plan.task.watched, model.plan.task.higher_is_better
        self.frozen = model.backbone.tuning.mode == "frozen"
        some = np.random.default_rng([seed, 3]).permutation(len(train))[:_FIRST_LOOK]
        texts = self.batch(train.take(some)).texts
        model.head.standardise(require("torch", extra="lm").from_numpy(self._quiet(texts)))

    def batch(self, examples: Examples) -> Batch:
        """The examples as questions: people as they were before."""
        histories = examples.histories(self.data.interactions, self.model.plan.history)
        people = replace(histories, attributes=self.data.attributes(examples.user))
        return self.model.batch(people, examples.items)

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The backbone's weights that learn, and the head's."""
        yield from self.model.backbone.parameters()
        yield from ((HEAD + name, p) for name, p in self.model.head.weights.named_parameters())

    def place(self, processes: Processes) -> None:
        """Move backbone and head to the device."""
        self.model.backbone.model.to(processes.device)
        self.model.head.weights.to(processes.device)

    def train(self, mode: bool) -> None:
        """Switch dropout."""
        self.model.backbone.model.train(mode)

    def backward(self, draw: Draw) -> float:
        """Gradients of the task's loss over ``draw.size`` examples; each distinct text is encoded once."""
        torch = require("torch", extra="lm")
        examples = self.train_part.take(draw.whole(len(self.train_part)))
        batch = self.batch(examples)
        labels = torch.from_numpy(examples.labels).to(self.model.backbone.device)

        def loss(vectors: Any) -> Any:
            return self.model.plan.task.loss(self.model.outputs(vectors[: len(batch.texts)], batch), labels)

        if not self.frozen:
            spare = -len(batch.texts) % draw.processes.count  # all processes encode equally many
            texts = batch.texts + batch.texts[:1] * spare
            mine = [texts[i] for i in draw.share(np.arange(len(texts)))]
            return cached_backward(self.model.encode, mine, loss, draw)
        value = loss(torch.from_numpy(self._quiet(batch.texts)).to(labels.device))
        value.backward()
        return float(value.detach())

    def validate(self) -> dict[str, float]:
        """The task's figures on the held-out examples."""
        return self.model.plan.task.figures(self.outputs(self.held), self.held.labels)

    def outputs(self, examples: Examples) -> np.ndarray:
        """Outputs without gradient: float32, (n, m, k)."""
        torch, batch = require("torch", extra="lm"), self.batch(examples)
        vectors = torch.from_numpy(self._quiet(batch.texts)).to(self.model.backbone.device)
        found = []
        with torch.no_grad():
            for start in range(0, len(examples), _JUDGED_AT_ONCE):
                part = batch.rows(slice(start, start + _JUDGED_AT_ONCE))
                found.append(self.model.outputs(vectors, part).cpu().numpy())
        return np.concatenate(found)

    def _quiet(self, texts: list[str]) -> np.ndarray:
        """Vectors without gradient; those of a frozen model are kept."""
        return self.model.kept(texts) if self.frozen else self.model.quiet(texts)
