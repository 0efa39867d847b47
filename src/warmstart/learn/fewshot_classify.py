"""A small classifier on an encoder, learned from a handful of labelled texts and stopped early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from warmstart.errors import DataError, require
from warmstart.learn.augment import Augmentation, mixed
from warmstart.learn.backbone import Backbone
from warmstart.learn.objective import OnBackbone
from warmstart.learn.processes import Draw, Processes

HELD = 0.25  # share of each class by which the best weights are chosen


class ClassifyObjective(OnBackbone):
    """Cross-entropy of ``softmax(W v + b)``, v the unit vector of a text; a quarter of each class is held out.

    Parameters
    ----------
    backbone
        The encoder; with ``Tuning("lora")`` low-rank additions learn beside W and b.
    texts
        Labelled texts.
    labels
        int, shape (n_texts,): classes from 0.
    seed
        Decides what is held out.
    augmentation
        Says texts differently at every step, and mixes; None = as they are.

    Raises
    ------
    DataError
        If there is one class, or a class has one example: it cannot be learned from and judged by at once.
    """

    watched = "loss"
    higher_is_better = False

    def __init__(
        self,
        backbone: Backbone,
        texts: Sequence[str],
        labels: np.ndarray,
        seed: int = 0,
        augmentation: Augmentation | None = None,
    ) -> None:
        counts = np.bincount(labels)
        if len(counts) < 2 or counts.min() < 2:
            raise DataError(
                f"classes have {counts.tolist()} examples; give two classes or more, with two examples each"
            )
        torch = require("torch", extra="lm")
        rng = np.random.default_rng([seed, 89])
        each = [rng.permutation(np.flatnonzero(labels == c)) for c in range(len(counts))]
        self._held = np.concatenate([at[: max(1, round(HELD * len(at)))] for at in each])
        self._train = np.setdiff1d(np.arange(len(labels)), self._held)
        self.backbone, self.texts, self.labels = backbone, list(texts), labels.astype(np.int64)
        self.augmentation = augmentation
        self.head = torch.nn.Linear(backbone.dim, len(counts))
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The backbone's weights that learn, and the head's."""
        yield from super().parameters()
        yield from ((f"head.{name}", p) for name, p in self.head.named_parameters())

    def place(self, processes: Processes) -> None:
        """Move backbone and head to the device."""
        super().place(processes)
        self.head.to(processes.device)

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over this process's share of ``draw.size`` texts."""
        torch = require("torch", extra="lm")
        mine = self._train[draw.indices(len(self._train))]
        rng = np.random.default_rng([draw.seed, draw.step, draw.micro, draw.processes.rank, 97])
        texts = [self.texts[i] for i in mine]
        texts = self.augmentation(texts, rng) if self.augmentation else texts
        partner, share = mixed(self.augmentation.mixup if self.augmentation else 0.0, len(mine), rng)
        vectors = torch.nn.functional.normalize(self.backbone.vectors(texts), dim=1)
        kept = torch.from_numpy(share).to(vectors)
        outputs = self.head(kept[:, None] * vectors + (1 - kept[:, None]) * vectors[partner])
        own, other = (torch.from_numpy(self.labels[at]).to(vectors.device) for at in (mine, mine[partner]))
        losses = [torch.nn.functional.cross_entropy(outputs, y, reduction="none") for y in (own, other)]
        loss = (kept * losses[0] + (1 - kept) * losses[1]).mean()
        loss.backward()
        return float(loss.detach())

    def validate(self) -> dict[str, float]:
        """Cross-entropy of the held-out texts."""
        outputs = self.scores([self.texts[i] for i in self._held])
        log_probability = outputs - np.logaddexp.reduce(outputs, axis=1, keepdims=True)
        return {self.watched: -float(log_probability[np.arange(len(outputs)), self.labels[self._held]].mean())}

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """``W v + b``: float64, shape (n, n_classes)."""
        weight, bias = (p.detach().cpu().numpy().astype(np.float64) for p in (self.head.weight, self.head.bias))
        scores: np.ndarray = self.backbone.encode(texts) @ weight.T + bias
        return scores
