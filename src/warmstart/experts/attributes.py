"""User attributes: what people alike in age, place or trade take; the prior mean of a short history."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.people_table import AttributeEncoder, likeness
from warmstart.experts.popularity import FittedPopularity, Popularity

BLOCK = 4096
LEAST_PEOPLE = 5  # the weight of people that a profile must rest on to be kept


@dataclass(frozen=True)
class UserAttributes:
    """What people like the asker take: kernel regression on the users table, kept as made-up typical people.

    ``prototypes`` made-up people are drawn, each attribute by itself: kinds as they occur, numbers as means of at
    least five neighbours. The profile of prototype p is
    ``(sum_u k(u, p) x_uj + shape) / (sum_u k(u, p) + shape / r_j)``, with ``x_u`` the history (0 or 1), ``k`` the
    kernel of ``likeness`` and ``r_j`` what popularity expects of a user (the posterior mean under a Gamma prior
    with that mean). A query with attributes a scores ``log(sum_p k(a, p)^power profile_p / sum_p k(a, p)^power)``.
    No row of the table is kept, and no profile that rests on the weight of fewer than five people.

    Parameters
    ----------
    width
        Deviation of the kernel in numeric columns, in units of the column's.
    other
        Likeness of two different values of a column.
    shape
        In events of like people: how many weigh as much as popularity.
    popularity
        What a user is expected to take.
    prototypes
        How many made-up people.
    power
        How much sharper a query looks at prototypes than they look at users.
    seed
        Of the draw.

    References
    ----------
    E. Nadaraya, On Estimating Regression, 1964.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters(seed=0)
    >>> scores = UserAttributes().fit(data).score(data.histories(np.array([0])))
    >>> int(np.argmax(scores[0])) % 4  # users of an age share a theme
    0
    """

    width: float = 0.7
    other: float = 0.3
    shape: float = 3.0
    popularity: Popularity = field(default_factory=lambda: Popularity(tau=16.0))
    prototypes: int = 128
    power: float = 4.0
    seed: int = 0

    def fit(self, data: Dataset) -> FittedUserAttributes | None:
        """Learn from people with events and attributes; None where there are none, or nothing tells them apart."""
        if data.user_table is None or not data.user_table.width:
            return None
        x = data.interactions.matrix()
        encoder = AttributeEncoder.fit(data.user_table)
        numbers, kinds = encoder.encode(data.user_table)
        active = np.diff(x.indptr) > 0
        described = active & (np.isfinite(numbers).any(1) | (kinds >= 0).any(1))
        if not described.any():
            return None
        people = numbers[described], kinds[described]
        expected = self.popularity.fit(data)
        made = self._made_up(*people)
        taken, weight = self._takings(x[described], people, made)
        kept = weight >= LEAST_PEOPLE
        if not kept.any():
            return None
        return FittedUserAttributes(
            encoder=encoder,
            numbers=made[0][kept],
            kinds=made[1][kept],
            profile=posterior(taken[kept], weight[kept], self.shape, expected.scores, int(active.sum())),
            weight=weight[kept],
            expected=expected,
            people=int(active.sum()),
            width=self.width / self.power**0.5,
            other=self.other**self.power,
        )

    def _made_up(self, numbers: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng, m = np.random.default_rng(self.seed), self.prototypes
        x, c = np.full((m, numbers.shape[1]), np.nan, np.float32), np.full((m, kinds.shape[1]), -1, np.int16)
        for i, column in enumerate(numbers.T):
            known = np.sort(column[np.isfinite(column)])
            if len(known) >= LEAST_PEOPLE:
                bins = np.array_split(known, min(len(known) // LEAST_PEOPLE, 64))
                x[:, i] = rng.choice([float(b.mean()) for b in bins], m)
        for i, column in enumerate(kinds.T):
            known = column[column >= 0]
            if len(known):
                c[:, i] = rng.choice(known, m)
        return x, c

    def _takings(
        self, x: sp.csr_matrix, people: tuple[np.ndarray, np.ndarray], made: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """``sum_u k(u, p) x_uj``, float64, shape (prototypes, n_items), and ``sum_u k(u, p)``."""
        taken, weight = np.zeros((self.prototypes, x.shape[1])), np.zeros(self.prototypes)
        for s in range(0, x.shape[0], BLOCK):
            k = likeness((people[0][s : s + BLOCK], people[1][s : s + BLOCK]), made, self.width, self.other)
            taken, weight = taken + np.asarray(x[s : s + BLOCK].T @ k).T, weight + k.sum(0)
        return taken, weight


def posterior(taken: np.ndarray, weight: np.ndarray, shape: float, expected: np.ndarray, people: int) -> np.ndarray:
    """Share of like people who take an item, under a Gamma prior: float32, shape (n_prototypes, n_items).

    Examples
    --------
    >>> posterior(np.array([[4.0]]), np.array([8.0]), 2.0, np.log([25.0]), 100).tolist()  # (4 + 2) / (8 + 2 / 0.25)
    [[0.375]]
    """
    rate = shares(expected, people)
    return ((taken + shape) / (weight[:, None] + shape / rate)).astype(np.float32)


def shares(scores: np.ndarray, people: int) -> np.ndarray:
    """Share of all people expected to take each item, from popularity's scores: float64, shape (n_items,), > 0.

    Examples
    --------
    >>> shares(np.log([25.0, 50.0]), people=100).round(6).tolist(), shares(np.array([np.nan]), people=1).tolist()
    ([0.25, 0.5], [1e-09])
    """
    expected: np.ndarray = np.maximum(np.nan_to_num(np.exp(scores.astype(np.float64)) / people), 1e-9)
    return expected


@dataclass(frozen=True)
class FittedUserAttributes:
    """Made-up people, what those like them take, and what growing needs.

    Parameters
    ----------
    encoder
        Reads a table of attributes.
    numbers, kinds
        The made-up people, as the encoder writes them.
    profile
        float32, shape (n_prototypes, n_items): share of like people who take the item.
    weight
        float64, shape (n_prototypes,): how many people, weighted by likeness.
    expected
        What popularity expects; the prior of the profiles.
    people
        Over how many people.
    width, other
        Of the kernel as a query looks.
    """

    encoder: AttributeEncoder
    numbers: np.ndarray
    kinds: np.ndarray
    profile: np.ndarray
    weight: np.ndarray
    expected: FittedPopularity
    people: int
    width: float
    other: float

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items), log of a share; the same for all who are not described."""
        anybody = np.log(shares(self.expected.scores, self.people)).astype(np.float32)
        out = np.tile(anybody, (len(histories), 1))
        if histories.attributes is None:
            return out
        numbers, kinds = self.encoder.encode(histories.attributes)
        known = np.isfinite(numbers).any(1) | (kinds >= 0).any(1)
        if known.any():
            k = likeness((numbers[known], kinds[known]), (self.numbers, self.kinds), self.width, self.other) + 1e-30
            out[known] = np.log((k / k.sum(1, keepdims=True)).astype(np.float32) @ self.profile)
        return out

    def grow(self, features: np.ndarray) -> Self:
        """New items are expected as their content predicts, by everybody alike."""
        expected = self.expected.grow(features)
        share = shares(expected.scores, self.people)[self.profile.shape[1] :]
        new = np.repeat(share[None].astype(np.float32), len(self.profile), axis=0)
        return replace(self, profile=np.hstack([self.profile, new]), expected=expected)
