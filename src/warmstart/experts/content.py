"""CMAP: a learned map from content to taste; scores items nobody has met, and typed texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import NotFitted


def content_map(gram: sp.csr_matrix, z: np.ndarray, mu: float, iterations: int = 40, tolerance: float = 1e-4) -> np.ndarray:
    """Solve ``min_W ||X - X off(Z W Z')||^2 + mu ||W||^2`` by conjugate gradient; ``off`` zeroes the diagonal.

    The normal equation ``Z' off(G off(Z W Z')) Z + mu W = Z' off(G) Z`` is applied without forming an
    n x n array: with ``m = diag(Z W Z')`` and ``q = diag(G off(Z W Z'))`` the left side is
    ``(Z'GZ) W (Z'Z) - Z'G diag(m) Z - Z' diag(q) Z``, so an iteration costs O(n d^2).

    Parameters
    ----------
    gram
        ``G = X'X``: CSR float32, shape (n, n).
    z
        float32, shape (n, d).
    mu
        Ridge, > 0, in units of G's mean diagonal.

    Returns
    -------
    np.ndarray
        W: float32, shape (d, d).
    """
    z = z.astype(np.float64)
    g = gram.diagonal().astype(np.float64)
    gz = np.asarray(gram @ z)
    zgz, zz = z.T @ gz, z.T @ z
    mu = mu * max(float(g.mean()), 1e-9)

    def apply(w: np.ndarray) -> np.ndarray:
        zw = z @ w
        m = np.einsum("ij,ij->i", zw, z)
        q = np.einsum("ij,ij->i", gz @ w, z) - g * m
        return zgz @ w @ zz - (gz.T * m) @ z - (z.T * q) @ z + mu * w

    w = np.zeros_like(zz)
    r = zgz - (z.T * g) @ z
    p, rs = r.copy(), float((r * r).sum())
    stop = rs * tolerance**2
    for _ in range(iterations):
        if rs <= stop:
            break
        ap = apply(p)
        alpha = rs / float((p * ap).sum())
        w += alpha * p
        r -= alpha * ap
        rs, before = float((r * r).sum()), rs
        p = r + (rs / before) * p
    return w.astype(np.float32)


def gram_matrix(x: sp.csr_matrix, power: float) -> sp.csr_matrix:
    """``G = X' D X`` with ``D = diag(length^-power)``: long histories do not drown short ones."""
    length = np.maximum(np.diff(x.indptr), 1).astype(np.float32)
    return sp.csr_matrix(x.T @ sp.diags(length**-power) @ x, dtype=np.float32)


@dataclass(frozen=True)
class ContentMap:
    """CMAP: score of item j for a history x is ``(x Z + text) W z_j``.

    Parameters
    ----------
    mu
        Ridge of the map, in units of the mean item count.
    power
        Users weigh ``length^-power``.
    text_weight
        How many events a typed text counts as.
    """

    mu: float = 30.0
    power: float = 0.5
    text_weight: float = 1.0

    def fit(self, data: Dataset) -> FittedContentMap:
        """Learn W from events and ``data.features``."""
        if data.features is None:
            raise NotFitted("the content map needs item features; attach them with dataset.with_features(Z)")
        gram = gram_matrix(data.interactions.matrix(), self.power)
        met = gram.diagonal() > 0
        w = content_map(gram[met][:, met], data.features[met], self.mu)
        return FittedContentMap(data.features, w, self.text_weight)


@dataclass(frozen=True)
class FittedContentMap:
    """Features and map; scores are linear in the history."""

    z: np.ndarray
    w: np.ndarray
    text_weight: float

    def taste(self, histories: Histories) -> np.ndarray:
        """What the history says in feature space: float32, shape (n_queries, d)."""
        q = np.asarray(histories.matrix() @ self.z)
        if histories.vectors is not None:
            q = q + self.text_weight * histories.vectors
        return np.asarray(q @ self.w, dtype=np.float32)

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for a query without history and text."""
        scores = self.taste(histories) @ self.z.T
        silent = histories.lengths == 0
        if histories.vectors is not None:
            silent &= ~histories.vectors.any(1)
        scores[silent] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items are scored by the same map."""
        return replace(self, z=np.vstack([self.z, features]))


@dataclass(frozen=True)
class ContentCosine:
    """The plain neighbour rule: mean cosine of an item's features to those of the history."""

    def fit(self, data: Dataset) -> FittedContentMap:
        """Nothing is learned but the length of the features."""
        if data.features is None:
            raise NotFitted("content cosine needs item features; attach them with dataset.with_features(Z)")
        z = data.features - data.features.mean(0)
        z = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-9)
        return FittedContentMap(z.astype(np.float32), np.eye(z.shape[1], dtype=np.float32), 1.0)
