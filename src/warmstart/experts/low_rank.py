"""ELSA: the low-rank kin of EASE; no table of items squared, and no inverse."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict, dataclass, replace
from typing import Self

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.factors import factor_map
from warmstart.experts.people_vectors import people_vectors
from warmstart.experts.plain import Plain
from warmstart.experts.products import appended, projected
from warmstart.experts.set_sums import sums
from warmstart.learn.item_vectors import ItemVectors, hold_one
from warmstart.learn.loop import learn
from warmstart.learn.processes import Processes
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, at_least
from warmstart.text.whiten import unit_rows

JUDGED = 500  # people, at most, of whom an item is held out for validation


@dataclass(frozen=True)
class ELSA:
    """``score = x (A A' - I)`` with unit rows of A, learned by gradients on ``|| norm(X) - norm(X (A A' - I)) ||^2``.

    Memory grows with items times ``dim``, where EASE's grows with items squared: for catalogues far beyond its
    ``head``. Items without events take the vector their features predict (a ridge, weighted by counts). Learned with
    torch, on a GPU where there is one.

    Parameters
    ----------
    dim
        Length of the vectors.
    epochs
        Readings of every person at most, above 0; four without a better NDCG@10 end it.
    people, items
        Of a step, at most.
    learning_rate
        The highest.
    ridge
        Of the map from features to vectors, in items of mean count.
    least
        People with two items below which nothing is learned.
    seed
        Of draws.

    References
    ----------
    V. Vancura et al., Scalable Linear Shallow Autoencoder for Collaborative Filtering, RecSys 2022.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(8, 8)
    >>> scores = ELSA(dim=2, epochs=5, least=2).fit(data).score(data.histories(np.array([0])))
    >>> sorted(np.argsort(-scores[0])[:4].tolist())
    [0, 2, 4, 6]
    """

    dim: int = 128
    epochs: float = 20.0
    people: int = 128
    items: int = 8192
    learning_rate: float = 0.05
    ridge: float = 10.0
    least: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dim", "people", "items", "least"):
            at_least(name, getattr(self, name), 1)
        for name, usual in (("epochs", 20), ("learning_rate", 0.05)):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name):g} is not above 0; {usual:g} is usual")

    def learns(self, data: Dataset) -> bool:
        """Whether ``least`` people have two items."""
        return int((data.interactions.user_counts() >= 2).sum()) >= self.least

    def fit(self, data: Dataset) -> FittedELSA | None:
        """Learn; None where too few people have two items.

        Raises
        ------
        MissingExtra
            If torch is not installed.
        """
        if not self.learns(data):
            return None
        x = data.interactions
        keep, *held = hold_one(x, JUDGED, self.seed)
        train = data.with_interactions(x.select(keep))
        objective = ItemVectors(train.interactions.matrix(), self._first(train), (held[0], held[1]), self.items)
        with tempfile.TemporaryDirectory() as folder:
            run = Run.begin(folder, "elsa", asdict(self), "")
            learn(objective, self.training(len(objective.users)), run, Processes("float32"))
        a, counts = objective.units(), x.item_counts().astype(np.float64)
        r = np.zeros((0, self.dim), np.float32)
        a[counts == 0] = 0.0
        if data.features is not None:
            r = factor_map(data.features, a, counts, self.ridge)
            a[counts == 0] = unit_rows(data.features[counts == 0] @ r)
        return FittedELSA(a, r)

    def _first(self, data: Dataset) -> np.ndarray:
        """Where vectors begin: who takes the item, and a little noise."""
        known, rng = unit_rows(people_vectors(data, self.dim)), np.random.default_rng(self.seed)
        first = rng.normal(0.0, 0.1 / math.sqrt(self.dim), (data.n_items, self.dim)).astype(np.float32)
        first[:, : known.shape[1]] += known
        return first

    def training(self, people: int) -> Training:
        """The loop's settings for so many people.

        Examples
        --------
        >>> ELSA(epochs=10, people=100).training(1000).steps
        100
        """
        batch = min(self.people, people)
        reading = math.ceil(people / batch)
        return Training(
            steps=max(1, round(self.epochs * reading)),
            batch=batch,
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            optimiser="adam",
            precision="float32",
            validate_every=reading,
            patience=4,
            checkpoint_every=0,
            seed=self.seed,
        )


@dataclass(frozen=True)
class FittedELSA(Plain):
    """Unit vectors of items, and what makes one of features.

    Parameters
    ----------
    z
        float32, shape (n_items, dim): A; zero of an item of which nothing is known.
    r
        float32, shape (d, dim): from features to vectors; no rows without features.
    """

    z: np.ndarray
    r: np.ndarray

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        return self.heard(histories, projected(self.said(histories), self.z))

    def said(self, histories: Histories) -> np.ndarray:
        """``x A``: float32, shape (1, n_queries, dim)."""
        return np.asarray(sums(histories.sets, self.z), np.float32)[None]

    def grow(self, features: np.ndarray) -> Self:
        """New items take the vectors their features predict."""
        new = unit_rows(features @ self.r) if len(self.r) else np.zeros((len(features), self.z.shape[1]), np.float32)
        return replace(self, z=appended(self.z, new.astype(np.float32)))
