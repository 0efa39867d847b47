"""Smoothed EASE: what people did, carried over to items nobody has met by what the items are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import NotFitted
from warmstart.experts.base import EVERY
from warmstart.experts.linear import FittedPriorMeanEASE, PriorMeanEASE
from warmstart.experts.products import appended, projected


@dataclass(frozen=True)
class SmoothedEASE:
    """Ridge from item features to the columns of prior-mean EASE, read off for every item.

    With ``B`` the weights of ``people`` and ``Z`` the features of items with events, column j becomes
    ``R z_j`` with ``R = B Z (Z'Z + ridge I)^-1``; ``score = (x R) z_j``. History items count by who they are,
    candidates by what they are: the content map knows both by their content only.

    Parameters
    ----------
    ridge
        In items, for features of unit length.
    people
        The expert whose columns are smoothed.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(6, 6).with_features(np.eye(2, dtype=np.float32)[np.arange(6) % 2])
    >>> scores = SmoothedEASE().fit(data).score(Histories.of([[3]], 6))
    >>> sorted(np.argsort(-scores[0])[:3].tolist())
    [1, 3, 5]
    """

    ridge: float = 10.0
    people: PriorMeanEASE = field(default_factory=PriorMeanEASE)

    def fit(self, data: Dataset) -> FittedSmoothedEASE:
        """Solve (or take over) the columns, and the ridge."""
        if data.features is None:
            raise NotFitted("smoothed EASE needs item features; attach them with dataset.with_features(Z)")
        b = self.people.fit(data)
        met = data.interactions.item_counts() > 0
        z = np.where(met[:, None], data.features, 0.0).astype(np.float32)
        left = z.T @ z + self.ridge * np.eye(z.shape[1], dtype=np.float32)
        carry = np.linalg.solve(left, z.T).T.astype(np.float32)
        rows = np.asarray((sp.csr_matrix(b.data) if sp.issparse(b.data) else b.data) @ carry)
        for bucket, semantic in enumerate(b.semantic):
            mine = b.bucket == bucket
            rows += semantic @ (b.z[mine].T @ carry[mine])
        return FittedSmoothedEASE(rows, data.features, self._new_rows(b, carry))

    @staticmethod
    def _new_rows(b: FittedPriorMeanEASE, carry: np.ndarray) -> np.ndarray:
        """From the features of an item without events to its row: float32, shape (d, d)."""
        d = carry.shape[1]
        return b.w @ (b.z.T @ carry) if b.z.shape[1] else np.zeros((d, d), np.float32)


@dataclass(frozen=True)
class FittedSmoothedEASE:
    """Rows of history items, features of candidates.

    Parameters
    ----------
    rows
        float32, shape (m, d), m <= n: ``R``; the row of an item added later is made when it is asked for.
    z
        float32, shape (n, d).
    w
        float32, shape (d, d): gives the row of an item that is added later.
    """

    seeks: ClassVar[bool] = True

    rows: np.ndarray
    z: np.ndarray
    w: np.ndarray

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        return self.heard(histories, projected(self.said(histories), self.z))

    def said(self, histories: Histories) -> np.ndarray:
        """What histories say in feature space: float32, shape (1, n_queries, d)."""
        m = len(self.rows)
        taste = histories.sets_of(m) @ self.rows
        if histories.n_items > m:
            taste = taste + (histories.sets[:, m:] @ self.z[m:]) @ self.w
        return np.asarray(taste, np.float32)[None]

    def beside(self, histories: Histories) -> None:
        """Nothing beside the features."""

    def heard(
        self, histories: Histories, found: np.ndarray, beside: None = None, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Scores as they are; NaN for an empty history."""
        scores: np.ndarray = found[0]
        scores[histories.lengths == 0] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items are scored by their content, and count in a history by their content."""
        return replace(self, z=appended(self.z, np.asarray(features, np.float32)))
