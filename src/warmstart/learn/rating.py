"""How will the person rate the item? Regression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.learn.losses import squared
from warmstart.learn.pairs import Examples, one_each
from warmstart.learn.scores import rating_figures
from warmstart.learn.task import check_labels, rated_rows


@dataclass(frozen=True)
class Rating:
    """How will the person rate the item? Mean squared error; predicts a rating within the range that was seen.

    Parameters
    ----------
    mean, low, high
        Of the ratings; are found.
    """

    name: ClassVar[str] = "rating"
    watched: ClassVar[str] = "rmse"
    higher_is_better: ClassVar[bool] = False
    mean: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def start(self) -> tuple[float, ...]:
        """The mean rating."""
        return (self.mean,)

    def examples(self, data: Dataset, known: np.ndarray, seed: int) -> Examples:
        """One example a rating."""
        rows = rated_rows(data, known)
        return one_each(data.interactions, rows, data.interactions.rating[rows])

    def fitted(self, train: Examples, held: Examples) -> tuple[Rating, Examples, Examples]:
        """With mean and range."""
        check_labels(train, held)
        r = train.labels
        return replace(self, mean=float(r.mean()), low=float(r.min()), high=float(r.max())), train, held

    def loss(self, outputs: Any, labels: Any) -> Any:
        """Mean squared error."""
        return squared(outputs[..., 0], labels)

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """Ratings."""
        rating: np.ndarray = np.clip(outputs, self.low, self.high).astype(np.float32)
        return rating

    def figures(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """RMSE and MAE."""
        return rating_figures(self.predicted(outputs)[:, 0, 0], labels[:, 0])

    def trivial(self, train: Examples, held: Examples) -> np.ndarray:
        """The mean for all."""
        return np.full((*held.items.shape, 1), self.mean)
