"""Is the person interested in the item? Binary classification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from warmstart.data.dataset import Dataset
from warmstart.errors import DataError
from warmstart.learn.losses import binary
from warmstart.learn.pairs import Examples, one_each, sampled
from warmstart.learn.scores import binary_figures
from warmstart.learn.settings import at_least
from warmstart.learn.task import LEAST, check_labels, popularity, rated_rows


@dataclass(frozen=True)
class Interest:
    """Is the person interested in the item? Binary cross-entropy; predicts a probability.

    Parameters
    ----------
    threshold
        Ratings from here on mean yes, others no; None: events mean yes, items drawn at random no.
    negatives
        Items drawn for each event.
    share
        Of yes among the answers; is found.
    """

    name: ClassVar[str] = "interest"
    watched: ClassVar[str] = "auc"
    higher_is_better: ClassVar[bool] = True
    threshold: float | None = None
    negatives: int = 4
    share: float = 0.5

    def __post_init__(self) -> None:
        at_least("negatives", self.negatives, 1)

    @property
    def start(self) -> tuple[float, ...]:
        """The log-odds of yes."""
        return (float(np.log(self.share / (1 - self.share))),)

    def examples(self, data: Dataset, known: np.ndarray, seed: int) -> Examples:
        """One example an event, with drawn items unless ratings tell."""
        x = data.interactions
        if self.threshold is None:
            return sampled(x, np.flatnonzero(known[x.item]), np.flatnonzero(known), self.negatives, seed)
        rows = rated_rows(data, known)
        return one_each(x, rows, x.rating[rows] >= self.threshold)

    def fitted(self, train: Examples, held: Examples) -> tuple[Interest, Examples, Examples]:
        """With the share of yes; there must be both answers."""
        check_labels(train, held, whole=True, least=0, most=1)
        yes, no = int((train.labels == 1).sum()), int((train.labels == 0).sum())
        for name, n in (("interested", yes), ("not interested", no)):
            if n < LEAST:
                raise DataError(f"class '{name}' has {n} example(s) to learn from; choose another threshold")
        return replace(self, share=yes / (yes + no)), train, held

    def loss(self, outputs: Any, labels: Any) -> Any:
        """Binary cross-entropy."""
        return binary(outputs[..., 0], labels)

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """Probabilities of yes."""
        probability: np.ndarray = expit(outputs).astype(np.float32)
        return probability

    def figures(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """Accuracy, precision, recall, F1 and AUC."""
        known = ~np.isnan(labels)
        return binary_figures(self.predicted(outputs[..., 0])[known], labels[known])

    def trivial(self, train: Examples, held: Examples) -> np.ndarray:
        """The commoner answer for all, with popularity as the finest shade."""
        popular = popularity(train, held)
        shaded: np.ndarray = self.start[0] + 1e-6 * popular / max(popular.max(), 1.0)
        return shaded
