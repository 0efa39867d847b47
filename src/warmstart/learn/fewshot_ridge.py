"""Closed-form heads on frozen vectors that need nothing but a user's own few labels and the item counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.learn.fewshot import World
from warmstart.text.whiten import Whitening

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True)
class Ridge:
    """Ridge regression of a user's labels on the items' whitened vectors, around what everybody labels.

    ``w_u = argmin_w sum_j (x_uj - m_j - w'z_j)^2 + strength ||w||^2`` over all items j, an unlabelled one being 0 with
    weight 1 (a weak negative), ``m_j = n_j / n_users``; scores ``m_j + w_u'z_j``. All users are solved at once,
    ``(X - M) H`` with ``H = Z (Z'Z + strength I)^-1 Z'``, and leaving a cell out needs no refit:
    ``f_-j = (f_j - H_jj r_j) / (1 - H_jj)``, r the residual label. The strength is the one whose left-out predictions
    have the least squared error over the items that carry a label.

    Parameters
    ----------
    dim
        Directions of the whitened vectors.
    strengths
        Among which leave-one-out decides.
    prior
        Whether m is subtracted and added again; without it a user is alone with his labels.
    """

    dim: int = 128
    strengths: tuple[float, ...] = STRENGTHS
    prior: bool = True

    def __call__(self, world: World) -> np.ndarray:
        """Scores: float32, shape (n_users, n_items)."""
        z = Whitening.fit(world.vectors, self.dim).apply(world.vectors).astype(np.float64)
        mean = world.counts / world.shown.shape[0] if self.prior else np.zeros(world.shown.shape[1])
        met = np.flatnonzero(world.counts)
        labels = world.shown.toarray().astype(np.float64)
        errors = [left_out_error(labels[:, met] - mean[met], z[met], strength) for strength in self.strengths]
        strength = self.strengths[int(np.argmin(errors))]
        return np.asarray(mean + smooth(labels - mean, z, strength), np.float32)


def smooth(residual: np.ndarray, z: np.ndarray, strength: float) -> np.ndarray:
    """``R Z (Z'Z + strength I)^-1 Z'``: the fitted values of each row of R, shape (n, n_items).

    Examples
    --------
    >>> smooth(np.array([[2.0, 0.0]]), np.eye(2), 1.0).tolist()
    [[1.0, 0.0]]
    """
    inner = np.linalg.solve(z.T @ z + strength * np.eye(z.shape[1]), z.T)
    return np.asarray((residual @ z) @ inner)


def left_out_error(residual: np.ndarray, z: np.ndarray, strength: float) -> float:
    """Mean squared error of predicting each cell from the others of its row, in closed form.

    ``(r_j - f_-j) = (r_j - f_j) / (1 - H_jj)`` (Allen 1974, PRESS); every item's cells weigh one together.

    Examples
    --------
    >>> left_out_error(np.array([[1.0, 1.0]]), np.ones((2, 1)), 1.0)  # one label predicts half of the other
    0.25
    """
    inner = np.linalg.solve(z.T @ z + strength * np.eye(z.shape[1]), z.T)
    leverage = np.einsum("ij,ji->i", z, inner)
    errors = (residual - (residual @ z) @ inner) / np.maximum(1 - leverage, 1e-9)
    return float((errors**2).mean())


@dataclass(frozen=True)
class Discriminant:
    """Gaussian discriminant with shrinkage: does a vector look like a user's labels, or like any item.

    ``score_uj = log((n_j + 1) / sum) + z_j' S^-1 (mu_u - mu) - (mu_u' S^-1 mu_u - mu' S^-1 mu) / 2``: Bayes' rule with
    the counts as prior. All items, unlabelled ones too, make the background's mean mu and covariance S (they are weak
    negatives: the background contains the positives). ``S = (1 - g) Cov + g tr(Cov)/d I``; a user's mean is drawn to
    the one of all labels, ``mu_u = (sum of his labels + kappa mean) / (k + kappa)``.

    Parameters
    ----------
    dim
        Directions of the whitened vectors.
    shrinkage
        g, in [0, 1]; None takes the closed form of Ledoit & Wolf (2004).
    kappa
        How many labels the mean of all labels counts as, > 0.
    """

    dim: int = 64
    shrinkage: float | None = None
    kappa: float = 30.0

    def __call__(self, world: World) -> np.ndarray:
        """Scores: float32, shape (n_users, n_items)."""
        from sklearn.covariance import ledoit_wolf, shrunk_covariance

        z = Whitening.fit(world.vectors, self.dim).apply(world.vectors).astype(np.float64)
        known = z[np.any(z != 0, axis=1)]
        mean = known.mean(axis=0)
        if self.shrinkage is None:
            covariance = ledoit_wolf(known)[0]
        else:
            covariance = shrunk_covariance(np.cov(known.T), shrinkage=self.shrinkage)
        counts = world.counts
        pooled = counts @ z / max(counts.sum(), 1)
        length = np.asarray(world.shown.sum(axis=1), np.float64)
        mu = (world.shown @ z + self.kappa * pooled) / (length + self.kappa)
        weight = np.linalg.solve(covariance, (mu - mean).T).T
        offset = np.einsum("ij,ij->i", weight, mu + mean) / 2
        return np.asarray(np.log(counts + 1) + weight @ z.T - offset[:, None], np.float32)
