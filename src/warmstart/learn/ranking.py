"""In which order would the person take the items? Learning to rank, by pairs or by whole lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.learn.losses import RANKING
from warmstart.learn.pairs import Examples, lists, sampled
from warmstart.learn.scores import graded_ndcg
from warmstart.learn.settings import at_least, choose
from warmstart.learn.task import check_labels, popularity, rated_rows


@dataclass(frozen=True)
class Ranking:
    """In which order would the person take the items? Scores that only compare.

    Parameters
    ----------
    loss_name
        "bpr" or "margin" (pairs), "softmax" or "lambda" (whole lists).
    negatives
        Items drawn for each event.
    by_rating
        Rank what the person rated, ``size`` events at a time, by its ratings; nothing is drawn.
    size
        Length of such a list.
    """

    name: ClassVar[str] = "ranking"
    watched: ClassVar[str] = "ndcg"
    higher_is_better: ClassVar[bool] = True
    loss_name: str = "bpr"
    negatives: int = 9
    by_rating: bool = False
    size: int = 10

    def __post_init__(self) -> None:
        choose("loss", self.loss_name, tuple(RANKING))
        at_least("negatives", self.negatives, 1)
        at_least("size", self.size, 2)

    @property
    def start(self) -> tuple[float, ...]:
        """Zero."""
        return (0.0,)

    def examples(self, data: Dataset, known: np.ndarray, seed: int) -> Examples:
        """One list an event, or one a stretch of rated events."""
        x = data.interactions
        if not self.by_rating:
            return sampled(x, np.flatnonzero(known[x.item]), np.flatnonzero(known), self.negatives, seed)
        rows = rated_rows(data, known)
        return lists(x, rows, x.rating[rows], self.size)

    def fitted(self, train: Examples, held: Examples) -> tuple[Ranking, Examples, Examples]:
        """As it is."""
        check_labels(train, held, least=0)
        return self, train, held

    def loss(self, outputs: Any, labels: Any) -> Any:
        """The loss of that name."""
        return RANKING[self.loss_name](outputs[..., 0], labels)

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """Scores as they are."""
        return outputs.astype(np.float32)

    def figures(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """NDCG over whole lists."""
        return {"ndcg": graded_ndcg(outputs[..., 0], labels)}

    def trivial(self, train: Examples, held: Examples) -> np.ndarray:
        """Popularity."""
        return popularity(train, held)
