"""Ratings as arrays: one a person and item, for training; ragged rows of them, for histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import DataError


@runtime_checkable
class Predictor(Protocol):
    """A fitted model of ratings: arrays and numbers; nothing in it refers to a single user."""

    def predict(self, histories: Histories, query: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Expected ratings of pairs: float64, shape (n_pairs,), in the unit of the ratings, never NaN.

        ``query`` holds rows of ``histories``, ``item`` codes of its catalogue; both int, shape (n_pairs,).
        An item added after the fit counts as one without ratings. Values may lie a little outside the scale.
        """
        ...


@dataclass(frozen=True, eq=False)
class Rated:
    """The ratings to learn from: one a user and item.

    Parameters
    ----------
    user, item
        int32 codes, shape (n,), sorted by user.
    value
        float64, shape (n,): the ratings, all finite.
    time
        int64 seconds since the epoch, UTC, shape (n,); -1 where unknown.
    n_users, n_items
        Sizes of the vocabularies.
    left_out
        Events without a finite rating, which are not here.
    repeated
        Ratings given again later, of which only the last is here.

    Examples
    --------
    >>> x = Interactions.of(
    ...     np.zeros(4), np.array([1, 0, 1, 2]), 1, 3, rating=np.array([2.0, 4.0, 5.0, np.nan]), time=np.arange(4)
    ... )
    >>> rated = Rated.of(x)
    >>> rated.item.tolist(), rated.value.tolist(), rated.left_out, rated.repeated
    ([0, 1], [4.0, 5.0], 1, 1)
    """

    user: np.ndarray
    item: np.ndarray
    value: np.ndarray
    time: np.ndarray
    n_users: int
    n_items: int
    left_out: int = 0
    repeated: int = 0

    @classmethod
    def of(cls, x: Interactions) -> Rated:
        """The last rating of each user and item: by time, and by row where times are equal or unknown.

        Events without a rating are left out and counted. Where some times of a pair are unknown, those are the oldest.
        """
        known = np.flatnonzero(np.isfinite(x.rating))
        order = known[np.lexsort((known, x.time[known], x.item[known], x.user[known]))]
        kept = np.sort(order[_last(x.user[order], x.item[order])])
        kept = kept[np.argsort(x.user[kept], kind="stable")]
        return cls(
            user=x.user[kept],
            item=x.item[kept],
            value=x.rating[kept].astype(np.float64),
            time=x.time[kept],
            n_users=x.n_users,
            n_items=x.n_items,
            left_out=len(x) - len(known),
            repeated=len(known) - len(kept),
        )

    def __len__(self) -> int:
        return len(self.value)

    def select(self, rows: np.ndarray) -> Rated:
        """The ratings of a boolean mask or of ascending positions; codes and sizes stay, nothing counts as left out.

        Examples
        --------
        >>> x = Interactions.of(np.array([0, 1]), np.array([0, 0]), 2, 1, rating=np.array([3.0, 4.0]))
        >>> Rated.of(x).select(np.array([False, True])).value.tolist()
        [4.0]
        """
        return Rated(self.user[rows], self.item[rows], self.value[rows], self.time[rows], self.n_users, self.n_items)

    def known(self) -> Known:
        """The same ratings as ragged rows, one row a user code."""
        ends = np.cumsum(np.bincount(self.user, minlength=self.n_users))
        return Known(np.concatenate([[0], ends]), self.item, self.value, self.n_items)


@dataclass(frozen=True, eq=False)
class Known:
    """What histories say in ratings, as ragged rows: one rating a query and item.

    Parameters
    ----------
    indptr
        int64, shape (n_queries + 1,): row q holds ``indptr[q]:indptr[q + 1]``.
    item
        int32 codes, shape (n,).
    value
        float64, shape (n,): the ratings, all finite.
    n_items
        Size of the catalogue.

    Examples
    --------
    >>> from dataclasses import replace
    >>> h = replace(Histories.of([[2, 0, 2], [1]], 3), rating=np.array([1, 4, 5, np.nan], np.float32))
    >>> known = Known.of(h)
    >>> known.indptr.tolist(), known.item.tolist(), known.value.tolist()
    ([0, 2, 2], [0, 2], [4.0, 5.0])
    """

    indptr: np.ndarray
    item: np.ndarray
    value: np.ndarray
    n_items: int

    @classmethod
    def of(cls, histories: Histories) -> Known:
        """The last rating of each item in each history; events without one are dropped, in order of the events."""
        if histories.rating is None:
            return cls(np.zeros(len(histories) + 1, np.int64), np.empty(0, np.int32), np.empty(0), histories.n_items)
        query = np.repeat(np.arange(len(histories)), histories.lengths)
        known = np.flatnonzero(np.isfinite(histories.rating))
        order = known[np.lexsort((known, histories.item[known], query[known]))]
        kept = np.sort(order[_last(query[order], histories.item[order])])
        ends = np.cumsum(np.bincount(query[kept], minlength=len(histories)))
        value = histories.rating[kept].astype(np.float64)
        return cls(np.concatenate([[0], ends]).astype(np.int64), histories.item[kept], value, histories.n_items)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Ratings per query: int64, shape (n_queries,)."""
        return np.diff(self.indptr)

    @property
    def query(self) -> np.ndarray:
        """Row of each rating: int64, shape (n,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over each row of one value a rating: float64, shape (n_queries,)."""
        return np.bincount(self.query, weights=values, minlength=len(self))

    def matrix(self, values: np.ndarray, n_items: int | None = None) -> sp.csr_matrix:
        """One value a rating as queries by items: float64 CSR; of the first ``n_items`` alone, where given."""
        whole = sp.csr_matrix((values, self.item, self.indptr), shape=(len(self), self.n_items), copy=True)
        whole.sort_indices()
        if n_items is None or n_items == self.n_items:
            return whole
        if n_items < self.n_items:
            return whole[:, :n_items]
        whole.resize(len(self), n_items)
        return whole


def of_items(values: np.ndarray, item: np.ndarray) -> np.ndarray:
    """One value an item, read at codes; 0 for items added after the fit.

    Examples
    --------
    >>> of_items(np.array([1.0, 2.0]), np.array([1, 5])).tolist()
    [2.0, 0.0]
    """
    if not len(values):
        return np.zeros(len(item))
    found: np.ndarray = np.where(item < len(values), values[np.minimum(item, len(values) - 1)], 0.0)
    return found


def check_pairs(histories: Histories, query: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two sides of the pairs to predict, as int64.

    Raises
    ------
    DataError
        If they differ in length, or a row or a code is not there.

    Examples
    --------
    >>> check_pairs(Histories.of([[0]], 2), np.array([0]), np.array([7]))
    Traceback (most recent call last):
    ...
    warmstart.errors.DataError: item holds 7, outside 0 to 1; give codes of the catalogue
    """
    query, item = np.asarray(query), np.asarray(item)
    if query.shape != item.shape or query.ndim != 1:
        raise DataError(f"query has shape {query.shape} and item {item.shape}; give one row and one item code a pair")
    sizes = (("query", query, len(histories), "rows of the histories"), ("item", item, histories.n_items, "catalogue"))
    for name, codes, size, of in sizes:
        wrong = codes[(codes < 0) | (codes >= size)]
        if len(wrong):
            remedy = f"give {of}" if name == "query" else f"give codes of the {of}"
            raise DataError(f"{name} holds {wrong[0]}, outside 0 to {size - 1}; {remedy}")
    return query.astype(np.int64), item.astype(np.int64)


def _last(*sorted_keys: np.ndarray) -> np.ndarray:
    """Where a run of equal keys ends: bool."""
    n = len(sorted_keys[0])
    ends = np.ones(n, bool)
    if n:
        ends[:-1] = np.any([k[1:] != k[:-1] for k in sorted_keys], axis=0)
    return ends
