"""Whom to trust with a rating, and how sure to be: learned where the answer is known."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from warmstart.errors import ConfigError

BINS = (0, 1, 2, 4, 8, 16, 32)  # ratings of a person, from which intervals are set apart
ENOUGH = 200  # answers of a bin, below which it takes what holds for all


@dataclass(frozen=True)
class Trust:
    """``r = m + sum_e (p_e - m) (a_e + b_e log(1 + n_u) / 3 + c_e log(1 + n_i) / 4)``: m the machine's, p_e others.

    The weights are a ridge, towards given ``a_e``, on answers that nobody was fitted on, of items with ratings.
    Intervals are ``r -+ q s``, with s the machine's standard deviation and q the share ``level`` of
    ``|answer - r| / s`` among people of about as many ratings, or among items that nobody has rated: split conformal,
    but for the answers being those that the ridge has seen.

    Parameters
    ----------
    ridge
        In answers; they come in bundles, many of one person, and tell less than so many would one by one.
    level
        Share of the ratings that lie inside.

    References
    ----------
    D. Wolpert, Stacked generalization, Neural Networks 1992;
    V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005, section 4.2.
    """

    ridge: float = 3000.0
    level: float = 0.9

    def __post_init__(self) -> None:
        if not self.ridge >= 0:
            raise ConfigError(f"trust ridge={self.ridge:g} is below 0; 3000 is usual")
        if not 0 < self.level < 1:
            raise ConfigError(f"trust level={self.level:g} is not between 0 and 1; 0.9 is usual")

    def untried(self, prior: np.ndarray) -> FittedTrust:
        """What is believed without answers (see ``fit``), with intervals of a normal distribution."""
        none = np.empty(0)
        return self.fit(np.empty((1 + len(prior), 0)), none, none.astype(int), none.astype(int), none, prior)

    def fit(
        self,
        told: np.ndarray,
        spread: np.ndarray,
        heard: np.ndarray,
        known: np.ndarray,
        answer: np.ndarray,
        prior: np.ndarray | None = None,
    ) -> FittedTrust:
        """Learn from answers.

        Parameters
        ----------
        told
            float64, shape (n_models, n): the machine's ratings first.
        spread
            float64, shape (n,): standard deviations of the machine, above 0.
        heard, known
            int, shape (n,): ratings of the person, and of the item.
        answer
            float64, shape (n,).
        prior
            float64, shape (n_models - 1,): the ``a_e`` that few answers leave; None = 0, the machine alone.
        """
        x, met = design(told, heard, known), known > 0
        weights = self._weights(x[met], (answer - told[0])[met], len(told) - 1, prior)
        off = np.abs(answer - told[0] - x @ weights) / spread
        bins = np.searchsorted(BINS, heard, side="right") - 1
        every = reach(off[met], self.level)
        parts = [*((bins == b) & met for b in range(len(BINS))), ~met]
        reaches = [reach(off[part], self.level) if part.sum() >= ENOUGH else every for part in parts]
        return FittedTrust(weights, np.array(BINS), np.array(reaches[:-1]), reaches[-1], self.level)

    def _weights(self, x: np.ndarray, left: np.ndarray, n: int, prior: np.ndarray | None) -> np.ndarray:
        """The ridge, on what the machine leaves of the answers; of n models beside it."""
        scale = np.maximum((x**2).sum(0) / max(len(x), 1), 1e-12)
        ridge, start = self.ridge * scale, np.zeros(x.shape[1])
        start[:n] = 0.0 if prior is None else prior
        return np.linalg.solve(x.T @ x + np.diag(ridge), x.T @ left + ridge * start) if len(left) else start


@dataclass(frozen=True)
class FittedTrust:
    """What was learned.

    Parameters
    ----------
    weights
        float64, shape (3 (n_models - 1),): a, then b, then c.
    bins, reach
        From how many ratings of a person each bin starts, ascending, 0 first; and how many deviations an interval
        reaches there. Both of shape (n_bins,).
    unmet
        How many deviations an interval of an item without ratings reaches.
    level
        Share of the ratings that lie inside.

    Examples
    --------
    >>> half = FittedTrust(np.array([0.5, 0.0, 0.0]), np.array([0, 4]), np.array([2.0, 1.0]), unmet=3.0, level=0.9)
    >>> told, heard, known = np.array([[3.0] * 3, [4.0] * 3]), np.array([0, 9, 9]), np.array([5, 5, 0])
    >>> [part.tolist() for part in half(told, np.ones(3), heard, known)]
    [[3.5, 3.5, 3.5], [2.0, 1.0, 3.0]]
    """

    weights: np.ndarray
    bins: np.ndarray
    reach: np.ndarray
    unmet: float
    level: float

    def __call__(
        self, told: np.ndarray, spread: np.ndarray, heard: np.ndarray, known: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ratings, and half the width of their intervals: float64, shape (n,) both; arguments as for ``Trust.fit``."""
        mean: np.ndarray = told[0] + design(told, heard, known) @ self.weights
        far = np.where(known > 0, self.reach[np.searchsorted(self.bins, heard, side="right") - 1], self.unmet)
        return mean, spread * far


def design(told: np.ndarray, heard: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How the others differ from the machine, by itself and times the logs of both counts: (n, 3 (n_models - 1)).

    Examples
    --------
    >>> design(np.array([[3.0, 4.0], [5.0, 4.0]]), np.zeros(2), np.zeros(2)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    others = (told[1:] - told[0]).T
    logs = np.log1p(heard)[:, None] / 3, np.log1p(known)[:, None] / 4
    return np.hstack([others, others * logs[0], others * logs[1]])


def reach(off: np.ndarray, level: float) -> float:
    """The ``ceil((n + 1) level)``-th smallest of n distances; of a normal distribution where there are none.

    Examples
    --------
    >>> reach(np.arange(1.0, 20.0), 0.9), round(reach(np.empty(0), 0.9), 3)
    (18.0, 1.645)
    """
    if not len(off):
        return NormalDist().inv_cdf((1 + level) / 2)
    at = min(int(np.ceil((len(off) + 1) * level)), len(off)) - 1
    return float(np.partition(off, at)[at])
