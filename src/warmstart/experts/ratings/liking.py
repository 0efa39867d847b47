"""How well liked each item is: by what it is, and by its own ratings where there are some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from warmstart.data.dataset import Dataset

PLAIN = 3  # regressors before the directions: 1, the count, its square
WIDE, USUAL = 1e-3, 20.0  # precisions to begin with: of these, and of directions
SPREAD = 1.5  # of the logs of counts


@dataclass(frozen=True, eq=False)
class Directions:
    """The leading directions of item features.

    Parameters
    ----------
    centre
        float64, shape (dim,): the mean of the features.
    axes
        float64, shape (dim, k).
    """

    centre: np.ndarray
    axes: np.ndarray

    @classmethod
    def fit(cls, data: Dataset, k: int, even: int) -> Self:
        """Up to k of them, the first ``even`` together at mean square 1; none where no features are attached."""
        if data.features is None:
            return cls(np.zeros(0), np.zeros((0, 0)))
        z = data.features.astype(np.float64)
        centre = z.mean(0)
        _, axes = np.linalg.eigh((z - centre).T @ (z - centre))
        axes = axes[:, ::-1][:, :k]
        scale = np.sqrt((((z - centre) @ axes[:, :even]) ** 2).mean())
        return cls(centre, axes / max(float(scale), 1e-9))

    def of(self, features: np.ndarray | None, n: int) -> np.ndarray:
        """Float64, shape (n, k)."""
        if features is None or not len(self.centre):
            return np.zeros((n, 0))
        rows: np.ndarray = (features - self.centre) @ self.axes
        return rows


def regressors(counts: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """1, the log of the count and its square, directions: float64, shape (n_items, 3 + k).

    An item without ratings is not one that few would rate: it counts as the usual item of a rating.

    Examples
    --------
    >>> regressors(np.array([0, 3, 3]), np.array([[0.5], [1.0], [1.5]])).tolist()
    [[1.0, 0.0, 0.0, 0.5], [1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.5]]
    """
    logs = np.log1p(counts)
    usual = float((logs * counts).sum() / max(counts.sum(), 1))
    above = np.where(counts > 0, logs - usual, 0.0) / SPREAD
    return np.column_stack([np.ones(len(counts)), above, above**2, directions])


@dataclass(frozen=True, eq=False)
class Liking:
    """``a_i = w_i b + e_i`` with ``b ~ N(0, 1 / precision)``, ``e_i ~ N(0, own)``, as it is known now.

    Parameters
    ----------
    weights, precision
        float64, shape (3 + k,): b, and how near 0 it is held.
    own
        Variance of e.
    item, variance
        float64, shape (n_items,): mean and variance of a.
    """

    weights: np.ndarray
    precision: np.ndarray
    own: float
    item: np.ndarray
    variance: np.ndarray

    @classmethod
    def start(cls, w: np.ndarray) -> Self:
        """Nothing is known."""
        n, k = w.shape
        return cls(np.zeros(k), np.where(np.arange(k) < PLAIN, WIDE, USUAL), 0.2, np.zeros(n), np.ones(n))

    def next(self, w: np.ndarray, item: np.ndarray, value: np.ndarray, noise: float) -> Self:
        """A round of expectation-maximisation.

        Parameters
        ----------
        w
            Regressors, float64, shape (n_items, 3 + k).
        item, value
            Of each rating: the item code, and what the people leave of it, with variance ``noise``.
        """
        n = np.bincount(item, minlength=len(w))
        seen = n > 0
        mean, error, x = np.bincount(item, value, len(w))[seen] / n[seen], noise / n[seen], w[seen]
        trust = 1.0 / (self.own + error)
        covariance = np.linalg.inv((x * trust[:, None]).T @ x + np.diag(self.precision))
        weights = covariance @ (x.T @ (trust * mean))
        free, kept = ((w @ covariance) * w).sum(1), self.own * trust
        above, noisy = kept * (mean - x @ weights), kept * error
        liked, variance = w @ weights, free + self.own
        liked[seen] += above
        variance[seen] = noisy + free[seen] * (1.0 - kept) ** 2
        own = float((above**2 + noisy + free[seen] * kept**2).mean())
        return type(self)(weights, held(weights, covariance, self.precision), own, liked, variance)


def held(weights: np.ndarray, covariance: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """The precision that all directions share, ``k / E |b|^2`` over them; the plain regressors keep theirs.

    Examples
    --------
    >>> held(np.array([3.0, 1, 1, 2, 1]), np.eye(5), np.full(5, 0.5)).round(3).tolist()
    [0.5, 0.5, 0.5, 0.286, 0.286]
    """
    found, square = precision.copy(), weights**2 + np.diag(covariance)
    found[PLAIN:] = (len(found) - PLAIN) / max(float(square[PLAIN:].sum()), 1e-9)
    return found
