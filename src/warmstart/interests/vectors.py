"""One vector an item, of what it is about and of who takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from warmstart.data.dataset import Dataset
from warmstart.errors import NotFitted
from warmstart.experts.factors import factor_map
from warmstart.text.whiten import unit_rows

DIM = 32  # directions of who takes what
SMOOTH = 5.0  # events added to a count before it divides
RIDGE = 10.0  # of the map from features to these directions


@dataclass(frozen=True, eq=False)
class FusedSpace:
    """Content and people side by side: ``[sqrt(1 - p) z_j / |z_j|, sqrt(p) v_j / |v_j|]``, both centred.

    v are singular vectors, times their singular values, of who took what, people and items divided by the roots of
    their counts; of an item nobody met, what its features predict. Nothing is drawn: equal data give equal vectors.

    Parameters
    ----------
    centre
        float32, shape (d,): mean of the features.
    middle
        float32, shape (dim,): mean of v over the items that were met.
    predict
        float32, shape (d, dim): from features to v.
    people
        p, the share of who takes what, in [0, 1].
    """

    centre: np.ndarray
    middle: np.ndarray
    predict: np.ndarray
    people: float

    @classmethod
    def fit(cls, data: Dataset, people: float = 0.5, dim: int = DIM) -> tuple[FusedSpace, np.ndarray]:
        """Learn the space, and the catalogue's vectors in it: float32, shape (n_items, d + dim).

        Raises
        ------
        NotFitted
            If the data carry no features.
        """
        if data.features is None:
            raise NotFitted("the items have no features; encode their texts first (Engine.fit does)")
        z, counts = data.features, np.asarray(data.interactions.matrix().sum(0)).ravel()
        v, met = people_vectors(data, dim), counts > 0
        predict = factor_map(z, v, counts, RIDGE)
        v[~met] = z[~met] @ predict
        middle = v[met].mean(0) if met.any() else np.zeros(v.shape[1], np.float32)
        space = cls(z.mean(0), middle, predict, people)
        return space, space._joined(z, v)

    def place(self, features: np.ndarray) -> np.ndarray:
        """Vectors of items that nobody met: float32, shape (n, d + dim)."""
        return self._joined(features, features @ self.predict)

    def content(self, features: np.ndarray) -> np.ndarray:
        """The half of the vectors that tells what items are about: float32, shape (n, d)."""
        half: np.ndarray = np.sqrt(1 - self.people) * unit_rows(features - self.centre)
        return half.astype(np.float32)

    def _joined(self, z: np.ndarray, v: np.ndarray) -> np.ndarray:
        taken = np.sqrt(self.people) * unit_rows(v - self.middle)
        return np.hstack([self.content(z), taken.astype(np.float32)])


def people_vectors(data: Dataset, dim: int = DIM) -> np.ndarray:
    """Where items lie by who takes them: float32, shape (n_items, at most dim); zero where nobody does."""
    x = data.interactions.matrix()
    counts = np.asarray(x.sum(0)).ravel()
    dim = min(dim, min(x.shape) - 1, int((counts > 0).sum()) - 1)
    if dim < 1:
        return np.zeros((data.n_items, 1), np.float32)
    active = np.asarray(x.sum(1)).ravel()
    scaled = sp.diags(1 / np.sqrt(np.maximum(active, 1))) @ x @ sp.diags(1 / np.sqrt(counts + SMOOTH))
    _, s, vt = svds(sp.csr_matrix(scaled), k=dim, v0=np.ones(min(x.shape)), solver="arpack")
    order = np.argsort(-s)
    sign = np.sign(vt[order, np.abs(vt[order]).argmax(1)])
    v: np.ndarray = (vt[order] * (s[order] * sign)[:, None]).T.astype(np.float32)
    v[counts == 0] = 0.0
    return v
