"""A batch of queries: what is known of each asker when the question is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.interactions import NO_TIME, Interactions


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
        users = np.asarray(users, np.int64)
        starts = x.starts[users]  # of -1 the end of all
        return cls.of_rows(x, starts, np.where(users < 0, starts, x.starts[users + 1]))

    @classmethod
    def of_rows(cls, x: Interactions, starts: np.ndarray, ends: np.ndarray) -> Histories:
        """A history from each stretch of events ``starts[q]:ends[q]``, with kinds, ratings and times."""
        lengths = np.maximum(ends - starts, 0).astype(np.int64)
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        at = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        made = cls(indptr, x.item[at], x.weight[at], x.n_items)
        return replace(made, kind=x.kind[at], kinds=x.kinds, rating=x.rating[at], time=x.time[at])

    @classmethod
    def joined(cls, parts: Sequence[Histories]) -> Histories:
        """The queries of all parts, one after another; all about the same catalogue.

        What one part knows of its events and people and another does not is unknown of the other's.

        Examples
        --------
        >>> one = replace(Histories.of([[2]], 3), kind=np.zeros(1, np.int8), kinds=("buy",))
        >>> both = Histories.joined([Histories.of([[0, 1]], 3), one])
        >>> both.lengths.tolist(), both.kinds, both.kind.tolist()
        ([2, 1], ('', 'buy'), [0, 0, 1])
        """
        kinds = tuple(dict.fromkeys(kind for h in parts for kind in (h.kinds if h.kind is not None else ("",))))
        lengths = np.concatenate([h.lengths for h in parts])
        return cls(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([h.item for h in parts]),
            np.concatenate([h.weight for h in parts]),
            parts[0].n_items,
            _attributes(parts),
            _vectors(parts),
            np.concatenate([_recoded(h, kinds) for h in parts]),
            kinds,
            np.concatenate([_or(h.rating, len(h.item), np.float32(np.nan)) for h in parts]),
            np.concatenate([_or(h.time, len(h.item), np.int64(NO_TIME)) for h in parts]),
        )

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @cached_property
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

    @cached_property
    def sets(self) -> sp.csr_matrix:
        """``matrix()``, made once; not to be written into."""
        return self.matrix()

    def sets_of(self, n: int) -> sp.csr_matrix:
        """``sets`` of the first n items alone."""
        return self.sets if n == self.n_items else self.sets[:, :n]

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


def _or(known: np.ndarray | None, n: int, fill: np.generic) -> np.ndarray:
    return np.full(n, fill) if known is None else known


def _recoded(h: Histories, kinds: Sequence[str]) -> np.ndarray:
    """Codes of kinds into another list of names, int8; '' = not known."""
    if h.kind is None:
        return np.full(len(h.item), kinds.index("") if len(h.item) else 0, np.int8)
    code = np.array([kinds.index(kind) for kind in h.kinds] or [0], np.int8)
    recoded: np.ndarray = code[h.kind]
    return recoded


def _attributes(parts: Sequence[Histories]) -> pl.DataFrame | None:
    """Rows of all parts; nulls for those that have none; None where none has."""
    if all(h.attributes is None for h in parts):
        return None
    rows = [row for h in parts for row in ([{}] * len(h) if h.attributes is None else h.attributes.to_dicts())]
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame({name: pl.Series([row.get(name) for row in rows], strict=False) for name in names})


def _vectors(parts: Sequence[Histories]) -> np.ndarray | None:
    """Vectors of all parts; zeros for those that have none; None where none has."""
    dim = next((h.vectors.shape[1] for h in parts if h.vectors is not None), None)
    if dim is None:
        return None
    return np.concatenate([np.zeros((len(h), dim), np.float32) if h.vectors is None else h.vectors for h in parts])
