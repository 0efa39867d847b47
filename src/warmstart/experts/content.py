"""CMAP: a learned map from content to taste; scores items nobody has met, and typed texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import NotFitted
from warmstart.experts.base import EVERY
from warmstart.experts.centred import Centred
from warmstart.experts.features import unit
from warmstart.experts.memo import once, remembered, summed
from warmstart.experts.products import appended, centre_of, mapped, projected

USERS = 65_536  # looked at at once


def content_map(
    gram: Gram | sp.csr_matrix, z: np.ndarray, mu: float, iterations: int = 20, tolerance: float = 1e-3
) -> np.ndarray:
    """Solve ``min_W ||X - X off(Z W Z')||^2 + mu ||W||^2`` by conjugate gradient; ``off`` zeroes the diagonal.

    The normal equation ``Z' off(G off(Z W Z')) Z + mu W = Z' off(G) Z`` is applied without forming an
    n x n array: with ``m = diag(Z W Z')`` and ``q = diag(G off(Z W Z'))`` the left side is
    ``(Z'GZ) W (Z'Z) - Z'G diag(m) Z - Z' diag(q) Z``, so an iteration costs O(n d^2).

    Parameters
    ----------
    gram
        ``G = X'X``: float32, shape (n, n), formed or not.
    z
        float32, shape (n, d).
    mu
        Ridge, > 0, in units of G's mean diagonal.
    iterations, tolerance
        When to stop: after so many steps, or when the residual has fallen by this factor.

    Returns
    -------
    np.ndarray
        W: float32, shape (d, d).

    Examples
    --------
    >>> gram = sp.csr_matrix(np.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> content_map(gram, np.ones((2, 1)), mu=1.0).tolist()  # (2 + 2) W + 2 W = 2
    [[0.3333333432674408]]
    """
    z = z.astype(np.float32)
    g = gram.diagonal().astype(np.float32)
    gz = np.asarray(gram @ z, dtype=np.float32)
    zgz, zz = (z.T @ gz).astype(np.float64), (z.T @ z).astype(np.float64)
    mu = mu * max(float(g.mean()) if len(g) else 0.0, 1e-9)

    def apply(w: np.ndarray) -> np.ndarray:
        small = w.astype(np.float32)
        m = np.einsum("ij,ij->i", z @ small, z)
        q = np.einsum("ij,ij->i", gz @ small, z) - g * m
        diagonal = (gz * m[:, None] + z * q[:, None]).T @ z
        out: np.ndarray = zgz @ w @ zz - diagonal + mu * w
        return out

    right = zgz - ((z * g[:, None]).T @ z).astype(np.float64)
    return conjugate_gradient(apply, right, iterations, tolerance).astype(np.float32)


def conjugate_gradient(
    apply: Callable[[np.ndarray], np.ndarray], right: np.ndarray, iterations: int, tolerance: float
) -> np.ndarray:
    """Solve ``apply(w) = right`` for a positive definite ``apply``, until the residual fell by ``tolerance``.

    Examples
    --------
    >>> conjugate_gradient(lambda w: w * [1.0, 2.0], np.array([1.0, 4.0]), 10, 1e-9).round(6).tolist()
    [1.0, 2.0]
    """
    w, r = np.zeros_like(right), right.copy()
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
    return w


@dataclass(frozen=True, eq=False)
class Gram:
    """``G = X' D X`` with ``D = diag(length^-power)``, never formed: long histories do not drown short ones.

    Parameters
    ----------
    x
        CSR float32, shape (n_users, n_items).
    power
        At least 0.

    Examples
    --------
    >>> gram = Gram(sp.csr_matrix([[1.0, 1.0], [0.0, 1.0]], dtype=np.float32), power=1.0)
    >>> gram.diagonal().tolist(), (gram @ np.eye(2, dtype=np.float32)).tolist()
    ([0.5, 1.5], [[0.5, 0.5], [0.5, 1.5]])
    """

    x: sp.csr_matrix
    power: float

    @property
    def weights(self) -> np.ndarray:
        """Of each user: float32, shape (n_users,)."""
        weights: np.ndarray = np.maximum(np.diff(self.x.indptr), 1).astype(np.float32) ** -self.power
        return weights

    def diagonal(self) -> np.ndarray:
        """Weight of each item: float32, shape (n_items,)."""
        return np.asarray(self.x.multiply(self.x).T @ self.weights, np.float32)

    def __matmul__(self, z: np.ndarray) -> np.ndarray:
        """``G z``: float32, shape (n_items, d), a block of users at a time."""
        out, weights = np.zeros(z.shape, np.float32), self.weights
        for start in range(0, self.x.shape[0], USERS):
            rows = self.x[start : start + USERS]
            out += rows.T @ (weights[start : start + USERS, None] * (rows @ z))
        return out


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

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(6, 6).with_features(np.eye(2, dtype=np.float32)[np.arange(6) % 2])
    >>> scores = ContentMap().fit(data).score(Histories.of([[3]], 6))
    >>> sorted(np.argsort(-scores[0])[:3].tolist())
    [1, 3, 5]
    """

    mu: float = 30.0
    power: float = 0.0
    text_weight: float = 1.0

    def fit(self, data: Dataset) -> FittedContentMap:
        """Learn W from events and ``data.features``."""
        if data.features is None:
            raise NotFitted("the content map needs item features; attach them with dataset.with_features(Z)")
        w = remembered(data, ("content_map", self.mu, self.power), lambda: self._solve(data))
        return FittedContentMap(data.features, w, self.text_weight)

    def _solve(self, data: Dataset) -> np.ndarray:
        assert data.features is not None
        x = data.interactions.matrix()
        met = np.flatnonzero(np.bincount(x.indices, minlength=x.shape[1]))
        whole = len(met) == x.shape[1]
        gram = Gram(x if whole else x[:, met], self.power)
        return content_map(gram, data.features if whole else data.features[met], self.mu)


@dataclass(frozen=True)
class FittedContentMap:
    """Features and map; scores are linear in the history."""

    seeks: ClassVar[bool] = True

    z: np.ndarray
    w: np.ndarray
    text_weight: float

    def taste(self, histories: Histories) -> np.ndarray:
        """What the history says in feature space: float32, shape (n_queries, d)."""
        q = summed(histories, self.z)
        if histories.vectors is not None:
            q = q + self.text_weight * histories.vectors
        return np.asarray(mapped(q, self.w), dtype=np.float32)

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for a query without history and text."""
        return self.heard(histories, projected(self.said(histories), self.z))

    def said(self, histories: Histories) -> np.ndarray:
        """``taste`` as one part: float32, shape (1, n_queries, d)."""
        return self.taste(histories)[None]

    def beside(self, histories: Histories) -> None:
        """Nothing beside the features."""

    def heard(
        self, histories: Histories, found: np.ndarray, beside: None = None, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Scores as they are; NaN where nothing was said."""
        scores: np.ndarray = found[0]
        silent = histories.lengths == 0
        if histories.vectors is not None:
            silent &= ~histories.vectors.any(1)
        scores[silent] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items are scored by the same map."""
        return replace(self, z=appended(self.z, np.asarray(features, np.float32)))


@dataclass(frozen=True)
class ContentCosine:
    """The plain neighbour rule: mean cosine of an item's features to those of the history; nothing is learned.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(2, 4).with_features(np.eye(2, dtype=np.float32)[[0, 1, 0, 1]])
    >>> ContentCosine().fit(data).score(Histories.of([[2]], 4)).round(6).tolist()
    [[1.0, -1.0, 1.0, -1.0]]
    """

    def fit(self, data: Dataset) -> FittedContentCosine:
        """Centre the features and scale them to length 1."""
        if data.features is None:
            raise NotFitted("content cosine needs item features; attach them with dataset.with_features(Z)")
        z: np.ndarray = data.features
        return FittedContentCosine(remembered(data, "centred", lambda: Centred.of(z, centre_of(z))))


@dataclass(frozen=True)
class FittedContentCosine:
    """Features as directions from their centre; a typed text counts as one event."""

    seeks: ClassVar[bool] = False

    directions: Centred

    @property
    def z(self) -> np.ndarray:
        """Item features: float32, shape (n_items, d)."""
        return self.directions.z

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items), in [-1, 1]; NaN for a query without history and text."""
        return self.heard(histories, projected(self.said(histories), self.z))

    def events(self, histories: Histories) -> np.ndarray:
        """Items and words that speak: int64, shape (n_queries,)."""
        items: np.ndarray = np.diff(histories.sets.indptr)
        return items if histories.vectors is None else items + histories.vectors.any(1)

    def said(self, histories: Histories) -> np.ndarray:
        """Mean of what speaks: float32, shape (1, n_queries, d)."""
        return once(histories, self, lambda: self._said(histories))

    def _said(self, histories: Histories) -> np.ndarray:
        said = self.directions.summed(histories.sets)
        if histories.vectors is not None:
            said = said + unit(histories.vectors)
        mean: np.ndarray = (said / np.maximum(self.events(histories), 1)[:, None]).astype(np.float32)
        return mean[None]

    def beside(self, histories: Histories) -> None:
        """Nothing beside the features."""

    def heard(
        self, histories: Histories, found: np.ndarray, beside: None = None, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Cosines as they are; NaN where nothing was said."""
        scores = self.directions.heard(self.said(histories)[0], found[0], items)
        scores[self.events(histories) == 0] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items are centred and scaled like the old ones."""
        return replace(self, directions=self.directions.grown(features))
