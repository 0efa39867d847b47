"""Implicit-feedback factors: alternating least squares by the library ``implicit``; the fold-in is ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories


@dataclass(frozen=True)
class Factors:
    """Weighted matrix factorisation: ``min sum c_ui (p_ui - u'v)^2 + reg (||u||^2 + ||v||^2)``.

    A history is folded in exactly: ``u = (V'V + (alpha) V_h'V_h + reg I)^-1 (1 + alpha) V_h' 1``.
    Items without events take ``v = R z`` with ``R`` the ridge from features to factors, weighted by counts.

    Parameters
    ----------
    dim
        Number of factors.
    reg
        Ridge of the factors.
    alpha
        Confidence added by an event.

    References
    ----------
    Y. Hu, Y. Koren, C. Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.
    """

    dim: int = 64
    reg: float = 20.0
    alpha: float = 5.0
    iterations: int = 15
    ridge: float = 10.0
    seed: int = 0

    def fit(self, data: Dataset) -> FittedFactors:
        """Factorise, then learn the map from features to factors."""
        from implicit.cpu.als import AlternatingLeastSquares

        x = data.interactions.matrix()
        model = AlternatingLeastSquares(
            factors=self.dim, regularization=self.reg, alpha=self.alpha, iterations=self.iterations,
            random_state=self.seed, num_threads=1, use_gpu=False,
        ) if False else AlternatingLeastSquares(
            factors=self.dim, regularization=self.reg, alpha=self.alpha, iterations=self.iterations, random_state=self.seed
        )
        model.fit(x, show_progress=False)
        v = np.array(model.item_factors, dtype=np.float32)
        counts = np.asarray(x.sum(0)).ravel()
        met = counts > 0
        r = np.zeros((0, self.dim), np.float32)
        if data.features is not None:
            z, c = data.features.astype(np.float64), counts[:, None]
            left = (z * c).T @ z / max(counts.mean(), 1e-9) + self.ridge * np.eye(z.shape[1])
            r = np.linalg.solve(left, (z * c).T @ v / max(counts.mean(), 1e-9)).astype(np.float32)
            v[~met] = data.features[~met] @ r
        else:
            v[~met] = 0.0
        return FittedFactors(v, np.asarray(v[met].T @ v[met], np.float32), r, self.reg, self.alpha)


@dataclass(frozen=True)
class FittedFactors:
    """Item factors and what folding in needs."""

    v: np.ndarray
    gram: np.ndarray
    r: np.ndarray
    reg: float
    alpha: float

    def users(self, histories: Histories) -> np.ndarray:
        """Factors of the askers: float32, shape (n_queries, dim)."""
        out = np.zeros((len(histories), self.v.shape[1]), np.float32)
        base = self.gram + self.reg * np.eye(len(self.gram), dtype=np.float32)
        for q in np.flatnonzero(histories.lengths > 0):
            h = self.v[np.unique(histories.row(q))]
            out[q] = np.linalg.solve(base + self.alpha * (h.T @ h), (1.0 + self.alpha) * h.sum(0))
        return out

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        scores = self.users(histories) @ self.v.T
        scores[histories.lengths == 0] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items take the factors their features predict."""
        if not len(self.r):
            return replace(self, v=np.vstack([self.v, np.zeros((len(features), self.v.shape[1]), np.float32)]))
        return replace(self, v=np.vstack([self.v, features @ self.r]))
