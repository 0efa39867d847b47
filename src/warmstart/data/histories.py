"""A batch of queries: what is known of each asker when the question is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.interactions import Interactions


@dataclass(frozen=True)
class Histories:
    """Histories as ragged rows, each oldest to newest; the empty row is a new user.

    Parameters
    ----------
    indptr
        int64, shape (n_queries + 1,): row q holds events ``indptr[q]:indptr[q + 1]``.
    item
        int32 item codes, shape (n_events,).
    weight
        float32 > 0, shape (n_events,).
    n_items
        Size of the catalogue.
    attributes
        Raw user attributes, one row a query (null = unknown), or None.
    vectors
        float32, shape (n_queries, dim): typed texts in item-feature space; a zero row = no text. Or None.
    kind, kinds
        int8, shape (n_events,): kind of each event, a code into the names ``kinds``; None = not known.
    rating
        float32, shape (n_events,): NaN where an event carries none; None = not known.
    time
        int64 seconds since the epoch, UTC, shape (n_events,); -1 where unknown; None = not known.

    Examples
    --------
    >>> h = Histories.of([[2, 0], []], n_items=3)
    >>> len(h), h.lengths.tolist(), h.matrix().toarray().tolist()
    (2, [2, 0], [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    """

    indptr: np.ndarray
    item: np.ndarray
    weight: np.ndarray
    n_items: int
    attributes: pl.DataFrame | None = None
    vectors: np.ndarray | None = None
    kind: np.ndarray | None = None
    kinds: tuple[str, ...] = ()
    rating: np.ndarray | None = None
    time: np.ndarray | None = None

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | np.ndarray], n_items: int) -> Histories:
        """From lists of item codes, each oldest to newest."""
        lengths = np.array([len(r) for r in rows], dtype=np.int64)
        item = np.concatenate([np.asarray(r, dtype=np.int32) for r in rows]) if lengths.sum() else np.empty(0, np.int32)
        return cls(np.concatenate([[0], np.cumsum(lengths)]), item, np.ones(len(item), np.float32), n_items)

    @classmethod
    def of_users(cls, x: Interactions, users: np.ndarray) -> Histories:
        """The stored histories of user codes; -1 (unknown) gives an empty history."""
        counts = np.append(x.user_counts(), 0)  # the last one is found by -1
        ends, users = np.cumsum(counts), np.asarray(users, np.int64)
        return cls.of_rows(x, (ends - counts)[users], ends[users])

    @classmethod
    def of_rows(cls, x: Interactions, starts: np.ndarray, ends: np.ndarray) -> Histories:
        """A history from each stretch of events ``starts[q]:ends[q]``, with kinds, ratings and times."""
        lengths = np.maximum(ends - starts, 0).astype(np.int64)
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        at = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        made = cls(indptr, x.item[at], x.weight[at], x.n_items)
        return replace(made, kind=x.kind[at], kinds=x.kinds, rating=x.rating[at], time=x.time[at])

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Events per query: int64, shape (n_queries,)."""
        return np.diff(self.indptr)

    def row(self, q: int) -> np.ndarray:
        """Item codes of query q, oldest to newest."""
        return self.item[self.indptr[q] : self.indptr[q + 1]]

    def matrix(self, *, binary: bool = True) -> sp.csr_matrix:
        """Queries by items: float32 CSR, shape (n_queries, n_items)."""
        x = sp.csr_matrix((self.weight.copy(), self.item.copy(), self.indptr.copy()), shape=(len(self), self.n_items))
        x.sum_duplicates()
        if binary:
            x.data[:] = 1.0
        return x

    def take(self, queries: np.ndarray) -> Histories:
        """The queries at the given positions, in that order."""
        rows = [np.arange(self.indptr[q], self.indptr[q + 1]) for q in queries]
        at = np.concatenate(rows) if rows else np.empty(0, np.int64)
        return replace(
            self,
            indptr=np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64),
            item=self.item[at],
            weight=self.weight[at],
            attributes=None if self.attributes is None else self.attributes[np.asarray(queries, dtype=np.int64)],
            vectors=None if self.vectors is None else self.vectors[queries],
            kind=None if self.kind is None else self.kind[at],
            rating=None if self.rating is None else self.rating[at],
            time=None if self.time is None else self.time[at],
        )

    def newest(self, n: int) -> Histories:
        """The same people with their newest ``n`` events alone.

        Examples
        --------
        >>> Histories.of([[2, 0], []], n_items=3).newest(1).item.tolist()
        [0]
        """
        starts = np.maximum(self.indptr[:-1], self.indptr[1:] - n)
        return self.keep(np.arange(self.indptr[-1]) >= np.repeat(starts, self.lengths))

    def keep(self, kept: np.ndarray) -> Histories:
        """The same people with some of their events: bool, shape (n_events,).

        Examples
        --------
        >>> Histories.of([[2, 0], [1]], n_items=3).keep(np.array([False, True, False])).lengths.tolist()
        [1, 0]
        """
        before = np.concatenate([[0], np.cumsum(kept)])
        return replace(
            self,
            indptr=before[self.indptr],
            item=self.item[kept],
            weight=self.weight[kept],
            kind=None if self.kind is None else self.kind[kept],
            rating=None if self.rating is None else self.rating[kept],
            time=None if self.time is None else self.time[kept],
        )

    def recent(self, lag: int) -> np.ndarray:
        """Item code of the ``lag``-th newest event (1 = newest): int32, shape (n_queries,), -1 = none."""
        at = self.indptr[1:] - lag
        known = at >= self.indptr[:-1]
        out = np.full(len(self), -1, np.int32)
        out[known] = self.item[at[known]]
        return out
