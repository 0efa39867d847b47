"""One vector an item, of what it is about and of who takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.errors import NotFitted
from warmstart.experts.factors import factor_map
from warmstart.experts.people_vectors import DIM, people_vectors
from warmstart.text.whiten import unit_rows

BLOCK = 65_536  # items that are taken up at once
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
        half = np.empty(features.shape, np.float32)
        self._write_content(features, half)
        return half

    def _write_content(self, features: np.ndarray, out: np.ndarray) -> None:
        """A block of items at a time: further tables of all would take more than the features."""
        for at in range(0, len(features), BLOCK):
            part = features[at : at + BLOCK]
            out[at : at + BLOCK] = np.sqrt(1 - self.people) * unit_rows(part - self.centre)

    def _joined(self, z: np.ndarray, v: np.ndarray) -> np.ndarray:
        out = np.empty((len(z), z.shape[1] + v.shape[1]), np.float32)
        self._write_content(z, out[:, : z.shape[1]])
        out[:, z.shape[1] :] = np.sqrt(self.people) * unit_rows(v - self.middle)
        return out
