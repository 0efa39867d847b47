"""Smoothed EASE: what people did, carried over to items nobody has met by what the items are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import NotFitted
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.memo import once
from warmstart.experts.plain import Plain
from warmstart.experts.products import appended, projected
from warmstart.experts.row_parts import parted, places
from warmstart.experts.set_sums import sums


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
        met = np.flatnonzero(data.interactions.item_counts())
        z = data.features[met]
        left = z.T @ z + self.ridge * np.eye(z.shape[1], dtype=np.float32)
        carry = np.linalg.solve(left, z.T).T.astype(np.float32)
        columns = sp.csr_matrix(b.data[b.solved])[:, met] if sp.issparse(b.data) else b.data[np.ix_(b.solved, met)]
        rows, known, own = np.asarray(columns @ carry), b.z[met], b.z[b.solved]
        for bucket in range(len(b.semantic) + 1):
            mine = b.bucket[met] == bucket
            said = b.semantic[bucket] if bucket < len(b.semantic) else own @ b.w
            rows += said @ (known[mine].T @ carry[mine])
        w = b.w @ (known.T @ carry) if known.shape[1] else np.zeros((z.shape[1],) * 2, np.float32)
        return FittedSmoothedEASE(rows, b.solved, data.features, w)


@dataclass(frozen=True)
class FittedSmoothedEASE(Plain):
    """Rows of history items, features of candidates.

    Parameters
    ----------
    rows
        float32, shape (a, d): ``R`` of some items; the row of any other is ``w' z``, made when it is asked for.
    solved
        int32, shape (a,), ascending: these items.
    z
        float32, shape (n, d).
    w
        float32, shape (d, d): gives the other rows.
    """

    rows: np.ndarray
    solved: np.ndarray
    z: np.ndarray
    w: np.ndarray

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        return self.heard(histories, projected(self.said(histories), self.z))

    def said(self, histories: Histories) -> np.ndarray:
        """What histories say in feature space: float32, shape (1, n_queries, d)."""
        mine, others = once(histories, self.solved, lambda: parted(histories.sets, self.solved, self._place))
        taste = sums(mine, self.rows)
        if others.nnz:
            taste = taste + sums(others, self.z) @ self.w
        return np.asarray(taste, np.float32)[None]

    @cached_property
    def _place(self) -> np.ndarray:
        return places(self.solved, len(self.z))

    def grow(self, features: np.ndarray) -> Self:
        """New items are scored by their content, and count in a history by their content."""
        return replace(self, z=appended(self.z, np.asarray(features, np.float32)))
