"""Order-aware transitions: what is taken soon after what, smoothed by content for new items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.experts.base import EVERY
from warmstart.experts.beside import Entries, entry_sums
from warmstart.experts.columns import strongest
from warmstart.experts.memo import once
from warmstart.experts.products import appended, mapped, projected
from warmstart.experts.set_sums import sums
from warmstart.experts.transition_counts import counted, followed


@dataclass(frozen=True)
class Transitions:
    """Markov chain over several lags, recency-weighted, popularity-discounted.

    ``S = T / (rowsum + shrink) / colsum^beta`` and ``score = sum_l decay^(l-1) S[h_-l] + content part``, where
    the content part is the ridge fit ``Z C Z'`` of S, and stands alone for items never followed.

    Parameters
    ----------
    lags
        How many events apart still count.
    decay
        Weight of one more event apart, in (0, 1].
    beta
        Popularity discount of the target, in [0, 1].
    shrink
        Pseudo-count of a row.
    ridge
        Of the content part.
    keep
        Entries of S kept of each row, the largest. The content part is fitted to all of them.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> data = example()
    >>> Transitions().fit(data).score(data.histories(np.array([0]))).shape == (1, data.n_items)
    True
    """

    lags: int = 8
    decay: float = 0.85
    beta: float = 0.3
    shrink: float = 10.0
    ridge: float = 10.0
    keep: int = 1_000

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ConfigError(f"keep={self.keep} leaves no transition; 1000 of a row is usual")

    def fit(self, data: Dataset) -> FittedTransitions:
        """Count, normalise, and fit the content part."""
        x = data.interactions
        into = followed(x, self.lags, self.decay)
        rare = np.where(into > 0, np.maximum(into, 1.0) ** -self.beta, 0.0)
        z = np.empty((data.n_items, 0), np.float32) if data.features is None else data.features
        rows, first, pulled = [], 0, np.zeros((z.shape[1], z.shape[1]))
        for t in counted(x, self.lags, self.decay):
            out = np.asarray(t.sum(1)).ravel()
            s = sp.csr_matrix(sp.diags(1.0 / (out + self.shrink)) @ t @ sp.diags(rare), dtype=np.float32)
            pulled += z[first : first + len(out)].T @ np.asarray(s @ z)
            rows.append(strongest(s, self.keep))
            first += len(out)
        left = np.linalg.inv(z.T @ z + self.ridge * np.eye(z.shape[1]))
        c = (left @ pulled @ left).astype(np.float32)
        return FittedTransitions(sp.csr_matrix(sp.vstack(rows)), z, c, into > 0, self.lags, self.decay)


@dataclass(frozen=True)
class FittedTransitions:
    """Transition weights, and their content part for items never followed."""

    seeks: ClassVar[bool] = False

    s: sp.csr_matrix
    z: np.ndarray
    c: np.ndarray
    met: np.ndarray
    lags: int
    decay: float

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for an empty history."""
        return self.heard(histories, projected(self.said(histories), self.z), self.beside(histories))

    def newest(self, histories: Histories) -> sp.csr_matrix:
        """``decay^(lag - 1)`` of the newest events, lag 1 = the newest: CSR float32, shape (n_queries, n_items)."""
        return once(histories, self, lambda: self._newest(histories))

    def _newest(self, histories: Histories) -> sp.csr_matrix:
        ends = np.repeat(histories.indptr[1:], histories.lengths)
        lag = ends - np.arange(len(ends))
        near = lag <= 2 * self.lags
        weight = (self.decay ** (lag[near] - 1.0)).astype(np.float32)
        kept = np.concatenate([[0], np.cumsum(np.minimum(histories.lengths, 2 * self.lags))])
        return sp.csr_matrix((weight, histories.item[near], kept), shape=(len(histories), len(self.z)))

    def said(self, histories: Histories) -> np.ndarray:
        """What the newest events say in feature space of items nobody took up: float32, shape (1, n_queries, d)."""
        return mapped(sums(self.newest(histories), self.z), self.c)[None]

    def beside(self, histories: Histories) -> np.ndarray:
        """Transitions to every item: float32, shape (n_queries, n_items)."""
        return np.asarray(sums(self.newest(histories), self.s), np.float32)

    def entries(self, histories: Histories) -> Entries:
        """Transitions, where there are any."""
        return entry_sums(self.newest(histories), self.s, len(self.z))

    def heard(
        self, histories: Histories, found: np.ndarray, beside: np.ndarray, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Transitions to items that were met, content for the others; NaN for an empty history."""
        scores: np.ndarray = found[0]
        np.copyto(scores, beside, where=self.met[items])
        scores[histories.lengths == 0] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items are scored by the content part."""
        n, m = len(self.z), len(features)
        indptr = np.append(self.s.indptr, np.full(m, self.s.nnz))
        s = type(self.s)((self.s.data, self.s.indices, indptr), shape=(n + m, n + m))  # also one of eight bits
        z = appended(self.z, np.asarray(features if self.z.shape[1] else np.empty((m, 0)), np.float32))
        return replace(self, s=s, z=z, met=np.append(self.met, np.zeros(m, bool)))
