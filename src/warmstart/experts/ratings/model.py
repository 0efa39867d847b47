"""Ratings that somebody would give, from those this person gave, with an interval."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.panel import Progress
from warmstart.experts.ratings.bias import Bias, FittedBias
from warmstart.experts.ratings.head import TextHead
from warmstart.experts.ratings.machine import FactorisationMachine
from warmstart.experts.ratings.neighbours import FittedNeighbours, Neighbours
from warmstart.experts.ratings.rated import Known, Rated, check_pairs
from warmstart.experts.ratings.rehearsal import Rehearsal
from warmstart.experts.ratings.scale import RatingScale
from warmstart.experts.ratings.tables import FittedMachine
from warmstart.experts.ratings.tasted import FittedTastes
from warmstart.experts.ratings.tastes import Tastes
from warmstart.experts.ratings.trust import FittedTrust, Trust

EVEN = np.array([1, 0, 0, 1]) / 3  # shares of those beside the machine, see ``told``: its other runs, and tastes
FEW = 500  # ratings, below which there is no rehearsal


@dataclass(frozen=True)
class RatingModel:
    """A factorisation machine, neighbours, biases and tastes, and whom to trust of them.

    Parameters
    ----------
    machine, neighbours, bias, tastes
        The models.
    trust
        How they are joined, and how sure the result is.
    head
        One more voice: a language model that is fine-tuned on the texts of items; None = without.
    rehearsal
        Share of people, and of the ratings of the others, that are hidden to learn that; 0 = the mean of both kinds of
        runs of the machine and of tastes, with intervals of a normal distribution.
    seed
        Of what is hidden.
    """

    machine: FactorisationMachine = field(default_factory=FactorisationMachine)
    neighbours: Neighbours = field(default_factory=Neighbours)
    bias: Bias = field(default_factory=Bias)
    tastes: Tastes = field(default_factory=Tastes)
    trust: Trust = field(default_factory=Trust)
    head: TextHead | None = field(default=None, metadata={"class": TextHead, "switch": True})
    rehearsal: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rehearsal < 1:
            raise ConfigError(f"ratings rehearsal={self.rehearsal:g} is not in [0, 1); 0.1 is usual, 0 is none")

    def fit(self, data: Dataset, progress: Progress | None = None) -> FittedRatings:
        """Learn from the ratings of ``data``, and from its catalogue, table of users and item features, where there.

        Raises
        ------
        DataError
            If there are no ratings, or only one value.
        MissingExtra
            If myfm is not installed.
        """
        scale = RatingScale.of(Rated.of(data.interactions).value)
        x = data.interactions
        rating = np.where(np.isfinite(x.rating), scale.clip(x.rating.astype(np.float64)), np.nan).astype(np.float32)
        data = data.with_interactions(replace(x, rating=rating))
        trust = self.trust.untried(self.believed)
        if self.rehearsal and np.isfinite(rating).sum() >= FEW:
            trust = self._rehearsed(Rehearsal.of(data, self.rehearsal, self.seed), scale, trust, progress)
        return self.trained(data, scale, trust, progress)

    @property
    def believed(self) -> np.ndarray:
        """Shares of the voices beside the machine before anything is tried: float64, shape (n_models - 1,)."""
        return EVEN if self.head is None else np.append(EVEN, 0.0)

    def _rehearsed(
        self, one: Rehearsal, scale: RatingScale, untried: FittedTrust, progress: Progress | None
    ) -> FittedTrust:
        """Whom to trust; ``untried`` where next to nothing was left to learn from, or nothing was asked."""
        if np.isfinite(one.train.interactions.rating).sum() < FEW / 2 or not len(one.value):
            return untried
        short = replace(self, machine=replace(self.machine, chains=self.machine.chains[:2]))
        trial = short.trained(one.train, scale, untried, progress)
        return self.trust.fit(*trial.told(one.histories, one.query, one.item), one.value, self.believed)

    def trained(
        self, data: Dataset, scale: RatingScale, trust: FittedTrust, progress: Progress | None = None
    ) -> FittedRatings:
        """All models on all of ``data``, joined as ``trust`` says."""
        rated = Rated.of(data.interactions)
        machine = self.machine.fit(data, rated, scale.levels, progress)
        counts = np.bincount(rated.item, minlength=rated.n_items)
        others = self.neighbours.fit(rated), self.bias.fit(rated), self.tastes.fit(data, rated)
        head = None if self.head is None else self.head.fit(data, rated, progress)
        return FittedRatings(scale, machine, *others, trust, counts, head)


@dataclass(frozen=True, eq=False)
class FittedRatings:
    """Predicts ratings; nothing in it refers to a single person.

    Parameters
    ----------
    scale
        Between which values, in which steps.
    machine, neighbours, bias, tastes, trust
        The models, and how they are joined.
    counts
        int64, shape (n_items,): ratings of each item.
    head
        Biases near what texts say; None = without.
    """

    scale: RatingScale
    machine: FittedMachine
    neighbours: FittedNeighbours
    bias: FittedBias
    tastes: FittedTastes
    trust: FittedTrust
    counts: np.ndarray
    head: FittedBias | None = None

    def predict(
        self, histories: Histories, query: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rating, and both ends of its interval (``Trust.level``): float64, shape (n_pairs,), within the scale.

        Parameters
        ----------
        histories
            Rated events of the people asked about; an empty history is somebody of whom nothing is known.
        query, item
            Row of ``histories`` and item code of each pair: int, shape (n_pairs,).
        """
        mean, half = self.trust(*self.told(histories, *check_pairs(histories, query, item)))
        return self.scale.clip(mean), self.scale.clip(mean - half), self.scale.clip(mean + half)

    def told(
        self, histories: Histories, query: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What each model says, the machine's deviation, and ratings of person and item: see ``Trust.fit``.

        Of an item without ratings all say the same: the mean of the tastes, which take it for a usual one (with a head,
        of both), and of the machine, which takes it for one that few know; of one that came after the fit, the tastes
        alone.
        """
        if histories.rating is not None:  # as in the fit
            histories = replace(histories, rating=self.scale.clip(histories.rating))
        mean, variance, alone = self.machine.distribution(histories, query, item)
        others = (model.predict(histories, query, item) for model in (self.neighbours, self.bias))
        taste, unsure = self.tastes.distribution(histories, query, item)
        read = [] if self.head is None else [self.head.predict(histories, query, item)]
        unseen, models = self.counts[item] == 0, np.stack([mean, alone, *others, taste, *read])
        late = item >= len(self.bias.item)
        models[:, unseen] = np.where(late, taste, (mean + np.mean([taste, *read], axis=0)) / 2)[unseen]
        deviation = np.sqrt(np.where(late, unsure, variance))
        return models, deviation, Known.of(histories).lengths[query], self.counts[item]

    def grow(self, features: np.ndarray) -> Self:
        """With new items, of which only the features are known: float32, shape (n_new, dim)."""
        n = len(features)
        counts = np.append(self.counts, np.zeros(n, self.counts.dtype))
        return replace(self, machine=self.machine.grow(n), tastes=self.tastes.grow(features), counts=counts)
