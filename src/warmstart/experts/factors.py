"""Implicit-feedback factors: alternating least squares by the library ``implicit``; the fold-in is ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.graph_laplacian import held_alike, laplacian
from warmstart.experts.plain import Plain
from warmstart.experts.products import appended, projected


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
    iterations
        Of alternating least squares.
    ridge
        Of the map from features to factors, in items of mean count.
    laplacian
        ``g`` of the graph: factors of items with events become ``(C + g L)^-1 C V``, with C the counts at mean 1 and L
        the Laplacian (see ``graph_laplacian``), before the map is learned; at least 0.
    seed
        Of the first factors.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(8, 8)
    >>> scores = Factors(dim=2, reg=0.1).fit(data).score(data.histories(np.array([0])))
    >>> sorted(np.argsort(-scores[0])[:4].tolist())
    [0, 2, 4, 6]

    References
    ----------
    Y. Hu, Y. Koren, C. Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.
    """

    dim: int = 64
    reg: float = 20.0
    alpha: float = 5.0
    iterations: int = 15
    ridge: float = 10.0
    laplacian: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.laplacian >= 0:
            raise ConfigError(f"laplacian={self.laplacian:g} is not at least 0; 0.5 is a moderate one, 0 takes none")

    def fit(self, data: Dataset) -> FittedFactors:
        """Factorise, hold alike what lies close in the graph, then learn the map from features to factors."""
        x = data.interactions.matrix()
        v = self._factorise(x)
        counts = np.asarray(x.sum(0)).ravel()
        unmet = counts == 0
        graph = laplacian(data) if self.laplacian else None
        if graph is not None:
            v = held_alike(v, np.where(unmet, 1.0, counts / counts[~unmet].mean()), self.laplacian * graph)
        gram = np.asarray(v[~unmet].T @ v[~unmet], np.float32)
        r, v[unmet] = np.zeros((0, self.dim), np.float32), 0.0
        if data.features is not None:
            r = factor_map(data.features, v, counts, self.ridge)
            v[unmet] = data.features[unmet] @ r
        return FittedFactors(v, gram, r, self.reg, self.alpha)

    def _factorise(self, x: sp.csr_matrix) -> np.ndarray:
        """Item factors by the library: float32, shape (n_items, dim)."""
        from implicit.cpu.als import AlternatingLeastSquares

        if not x.nnz:
            return np.zeros((x.shape[1], self.dim), np.float32)
        with threadpool_limits(1, "blas"):  # implicit runs its own threads
            model = AlternatingLeastSquares(
                factors=self.dim,
                regularization=self.reg,
                alpha=1.0 + self.alpha,  # the library's alpha is the whole confidence of an event
                iterations=self.iterations,
                random_state=self.seed,
            )
            model.fit(x, show_progress=False)
        return np.array(model.item_factors, dtype=np.float32)


def factor_map(features: np.ndarray, v: np.ndarray, counts: np.ndarray, ridge: float) -> np.ndarray:
    """R of ``min_R sum_j c_j ||v_j - R' z_j||^2 + ridge ||R||^2``, ``c`` the counts at mean 1: float32, (d, dim).

    Examples
    --------
    >>> factor_map(np.eye(2), np.array([[3.0], [4.0]]), np.array([1.0, 1.0]), ridge=1.0).ravel().tolist()
    [1.5, 2.0]
    """
    met, counts = counts > 0, counts / max(float(counts.mean()), 1e-9)
    if not met.all():  # the others weigh nothing
        features, v, counts = features[met], v[met], counts[met]
    z = features.astype(np.float64)
    weighted = z * counts[:, None]
    return np.linalg.solve(weighted.T @ z + ridge * np.eye(z.shape[1]), weighted.T @ v).astype(np.float32)


@dataclass(frozen=True)
class FittedFactors(Plain):
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
        for q in np.flatnonzero(histories.lengths > 0).tolist():
            h = self.v[np.unique(histories.row(q))]
            out[q] = np.linalg.solve(base + self.alpha * (h.T @ h), (1.0 + self.alpha) * h.sum(0))
        return out

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        return self.heard(histories, projected(self.said(histories), self.v))

    @property
    def z(self) -> np.ndarray:
        """Factors of the items: what histories are held against."""
        return self.v

    def said(self, histories: Histories) -> np.ndarray:
        """``users`` as one part: float32, shape (1, n_queries, dim)."""
        return self.users(histories)[None]

    def grow(self, features: np.ndarray) -> Self:
        """New items take the factors their features predict."""
        if not len(self.r):
            return replace(self, v=appended(self.v, np.zeros((len(features), self.v.shape[1]), np.float32)))
        return replace(self, v=appended(self.v, (features @ self.r).astype(np.float32)))
