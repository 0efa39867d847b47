"""What ratings say of the person who gave them, in closed form, and what that says of other items."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

ROUNDS = 8  # of looking for the heights on a ladder that ratings stand for
FAR = 35.0  # deviations beyond which a normal distribution has no mass in float64


class Ladder(NamedTuple):
    """Steps of a scale.

    Parameters
    ----------
    cuts
        float64, shape (S, n_levels - 1): where one level ends and the next begins, by draw.
    levels
        float64, shape (n_levels,): the values.

    Examples
    --------
    >>> ladder = Ladder(np.array([[-1.0, 1.0]]), np.array([1.0, 2.0, 3.0]))
    >>> [part.round(3).tolist() for part in ladder.moments(np.zeros((1, 1)), np.zeros((1, 1)))]
    [[[2.0]], [[0.317]]]
    """

    cuts: np.ndarray
    levels: np.ndarray

    def bounds(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of each value's step: float64, shape (S, n_values), infinite at the ends."""
        far = np.full((len(self.cuts), 1), np.inf)
        ends, at = np.hstack([-far, self.cuts, far]), np.abs(self.levels[:, None] - values).argmin(0)
        return ends[:, at], ends[:, at + 1]

    def moments(self, f: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of the value, heights being ``N(f, 1 + variance)``: float64, shape (S, n)."""
        below = ndtr((self.cuts[:, None, :] - f[..., None]) / np.sqrt(1.0 + variance)[..., None])
        share = np.diff(below, prepend=0.0, append=1.0)
        mean = share @ self.levels
        return mean, np.maximum(share @ self.levels**2 - mean**2, 0.0)


class Belief(NamedTuple):
    """A person's own weight and factors: mean (S, 1 + d) and covariance (S, 1 + d, 1 + d), by draw."""

    mean: np.ndarray
    covariance: np.ndarray


class Asked(NamedTuple):
    """What draws say of some items before the person's own part.

    Parameters
    ----------
    base
        float64, shape (S, n): ``f`` without it.
    rows
        float64, shape (S, n, 1 + d): what it is multiplied by.
    """

    base: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, w0: np.ndarray, before: np.ndarray, item: np.ndarray) -> Asked:
        """From constants (S,), what is known of the person (S, 1 + d), and tables of items (S, n, 1 + d).

        With p the person's and q the item's factors, and own weight and factors (b, u),
        ``f = w0 + w_p + w_q + p q + b + u (p + q)``.
        """
        p = before[:, None, 1:]
        base = w0[:, None] + before[:, :1] + item[..., 0] + (item[..., 1:] * p).sum(2)
        ones = np.ones((*item.shape[:2], 1))
        return cls(base, np.concatenate([ones, item[..., 1:] + p], axis=2))


def believed(
    known: Asked, values: np.ndarray, mean: np.ndarray, precision: np.ndarray, noise: np.ndarray, ladder: Ladder | None
) -> Belief:
    """The posterior of a person's own weight and factors ``t``, draw by draw.

    ``t ~ N(mean, diag(1 / precision))`` and ``y = base + rows t + e``, e of precision ``noise``:
    ``C = (diag(precision) + noise rows' rows)^-1``, ``m = C (precision mean + noise rows' (y - base))``.
    On a ladder y itself is not known, but the step it lies on: its expected height and m are found in turns.

    Parameters
    ----------
    known
        Of the n rated items.
    values
        float64, shape (n,): the ratings.
    mean, precision
        float64, shape (S, 1 + d).
    noise
        float64, shape (S,).

    Examples
    --------
    >>> known, prior, one = Asked(np.full((1, 2), 3.0), np.ones((1, 2, 1))), np.zeros((1, 1)), np.ones((1, 1))
    >>> found = believed(known, np.array([5.0, 4.0]), prior, one, np.ones(1), None)
    >>> found.mean.tolist(), found.covariance.round(2).tolist()
    ([[1.0]], [[[0.33]]])
    """
    turned = known.rows.transpose(0, 2, 1)
    inner = noise[:, None, None] * (turned @ known.rows)
    at = np.arange(inner.shape[1])
    inner[:, at, at] += precision
    covariance = np.linalg.inv(inner)

    def solved(heights: np.ndarray) -> np.ndarray:
        right = precision * mean + noise[:, None] * (turned @ (heights - known.base)[..., None])[..., 0]
        found: np.ndarray = (covariance @ right[..., None])[..., 0]
        return found

    if ladder is None:
        return Belief(solved(np.broadcast_to(values, known.base.shape)), covariance)
    now, (low, high) = mean, ladder.bounds(values)
    for _ in range(ROUNDS):
        f = known.base + (known.rows @ now[..., None])[..., 0]
        now = solved(f + pulled(low - f, high - f))
    return Belief(now, covariance)


def pulled(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Mean of a standard normal variable between two bounds: ``(phi(low) - phi(high)) / (Phi(high) - Phi(low))``.

    Examples
    --------
    >>> pulled(np.array([-np.inf, 0.0, 20.0]), np.array([np.inf, np.inf, 21.0])).round(3).tolist()
    [0.0, 0.798, 20.05]
    """
    turned = low > -high  # by symmetry: below 0, differences of ndtr keep their digits
    a = np.clip(np.where(turned, -high, low), -FAR, FAR)
    b = np.clip(np.where(turned, -low, high), -FAR, FAR)
    below = np.maximum(ndtr(b) - ndtr(a), 1e-300)
    found = (np.exp(-0.5 * a * a) - np.exp(-0.5 * b * b)) / np.sqrt(2 * np.pi) / below
    between: np.ndarray = np.clip(np.where(turned, -found, found), low, high)
    return between


def expected(asked: Asked, belief: Belief, noise: np.ndarray, ladder: Ladder | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the ratings of n items, draw by draw: float64, shape (S, n) both."""
    f = asked.base + (asked.rows @ belief.mean[..., None])[..., 0]
    variance = np.einsum("snd,sde,sne->sn", asked.rows, belief.covariance, asked.rows, optimize=True)
    if ladder is None:
        return f, variance + 1.0 / noise[:, None]
    return ladder.moments(f, variance)
