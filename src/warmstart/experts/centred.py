"""Item features as directions from their centre, without a table of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse as sp

from warmstart.experts.base import EVERY
from warmstart.experts.products import BLOCK, appended, split_of
from warmstart.experts.set_sums import sums

NOWHERE = 1e-6  # length, beside that of the centre, below which a row has no direction


@dataclass(frozen=True, eq=False)
class Centred:
    """Unit rows ``c_i = (z_i - centre) / |z_i - centre|``, made when they are asked for.

    A table of them would be as large as the features; products with it follow from products with the features, which
    other experts need anyway: ``q c_i = (q z_i - q centre) / |z_i - centre|``.

    Parameters
    ----------
    z
        float32, shape (n, d): item features.
    centre
        float32, shape (d,): see ``centre_of``.
    inverse
        float32, shape (n,): ``1 / |z_i - centre|``; 0 of an item that lies in the centre, whose row is zero.

    Examples
    --------
    >>> c = Centred.of(np.array([[3.0, 1.0], [1.0, 1.0]], np.float32), np.array([1.0, 1.0], np.float32))
    >>> c.rows(np.array([0, 1])).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """

    z: np.ndarray
    centre: np.ndarray
    inverse: np.ndarray

    @classmethod
    def of(cls, z: np.ndarray, centre: np.ndarray) -> Self:
        """Of features and their centre."""
        starts = range(0, len(z), BLOCK)
        lengths = [np.linalg.norm(z[at : at + BLOCK] - centre, axis=1) for at in starts]
        length = np.concatenate(lengths or [np.empty(0, np.float32)])
        away = length > NOWHERE * max(float(np.linalg.norm(centre)), 1.0)
        return cls(z, centre, np.where(away, 1.0 / np.where(away, length, 1.0), 0.0).astype(np.float32))

    def rows(self, items: np.ndarray) -> np.ndarray:
        """Unit rows of some items: float32, shape (len(items), d)."""
        found: np.ndarray = (self.z[items] - self.centre) * self.inverse[items][:, None]
        return found

    def summed(self, sets: sp.csr_matrix) -> np.ndarray:
        """Sum of the unit rows of each set of items: float32, shape (n_sets, d)."""
        scaled = sp.csr_matrix((sets.data * self.inverse[sets.indices], sets.indices, sets.indptr), shape=sets.shape)
        found = sums(scaled, self.z)
        found -= (sets @ self.inverse)[:, None] * self.centre
        return found

    def heard(self, q: np.ndarray, found: np.ndarray, items: slice | np.ndarray = EVERY) -> np.ndarray:
        """``q c_i`` of all items, or some, written over ``q z_i``: float32, shapes (n_queries, d), (n_queries, m)."""
        found -= (q @ self.centre)[:, None]
        found *= self.inverse[items]
        return found

    def cosines(self, items: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Cosine of each item with each other one: float32, shape (len(items), len(others))."""
        split = split_of(self.z)
        if split is None or self.centre[split.other].any():
            found: np.ndarray = self.rows(items) @ self.rows(others).T
            return found
        middle = self.centre[split.full]
        found = (split.dense[items] - middle) @ (split.dense[others] - middle).T
        found += (split.sparse[items] @ split.sparse[others].T).toarray()
        found *= self.inverse[items][:, None]
        found *= self.inverse[others]
        return found

    def grown(self, features: np.ndarray) -> Self:
        """With new items appended, held against the same centre: float32, shape (m, d)."""
        new = np.asarray(features, np.float32)
        inverse = np.append(self.inverse, Centred.of(new, self.centre).inverse)
        return replace(self, z=appended(self.z, new), inverse=inverse)
