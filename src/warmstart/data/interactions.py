"""What people did: one row an event, in order of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from warmstart.errors import DataError

NO_TIME = -1


@dataclass(frozen=True)
class Interactions:
    """Events as parallel columns, sorted by user and, within a user, oldest first.

    Parameters
    ----------
    user, item
        int32 codes, shape (n_events,), into the vocabularies of users and items.
    weight
        float32 > 0, shape (n_events,): how strong a sign of interest the event is.
    kind
        int8 codes, shape (n_events,), into ``kinds``.
    rating
        float32, shape (n_events,); NaN where the event carries no rating.
    time
        int64 seconds since the epoch, UTC, shape (n_events,); -1 where unknown.
    n_users, n_items
        Sizes of the vocabularies.
    kinds
        Names of the kinds of event, e.g. ``("view", "buy")``.
    """

    user: np.ndarray
    item: np.ndarray
    weight: np.ndarray
    kind: np.ndarray
    rating: np.ndarray
    time: np.ndarray
    n_users: int
    n_items: int
    kinds: tuple[str, ...] = ("interaction",)

    def __post_init__(self) -> None:
        if len(self.weight) and not (self.weight > 0).all():
            raise DataError("an event has a weight of 0 or less; drop such events or give them a positive weight")

    @classmethod
    def of(
        cls,
        user: np.ndarray,
        item: np.ndarray,
        n_users: int,
        n_items: int,
        *,
        weight: np.ndarray | None = None,
        rating: np.ndarray | None = None,
        time: np.ndarray | None = None,
        kind: np.ndarray | None = None,
        kinds: tuple[str, ...] = ("interaction",),
    ) -> Interactions:
        """Build from unsorted columns; events of equal time keep their order.

        Examples
        --------
        >>> x = Interactions.of(np.array([1, 0]), np.array([0, 1]), n_users=2, n_items=2)
        >>> x.user.tolist(), x.has_time
        ([0, 1], False)
        """
        n = len(user)
        time = np.full(n, NO_TIME, np.int64) if time is None else time.astype(np.int64)
        order = np.lexsort((time, user))  # stable: file order decides among equals
        return cls(
            user=user[order].astype(np.int32),
            item=item[order].astype(np.int32),
            weight=(np.ones(n) if weight is None else weight)[order].astype(np.float32),
            kind=(np.zeros(n) if kind is None else kind)[order].astype(np.int8),
            rating=(np.full(n, np.nan) if rating is None else rating)[order].astype(np.float32),
            time=time[order],
            n_users=n_users,
            n_items=n_items,
            kinds=kinds,
        )

    def __len__(self) -> int:
        return len(self.user)

    @property
    def has_time(self) -> bool:
        """Whether at least nine tenths of the events carry a time."""
        return len(self) > 0 and bool((self.time != NO_TIME).mean() >= 0.9)

    @property
    def has_rating(self) -> bool:
        """Whether at least nine tenths of the events carry a rating."""
        return len(self) > 0 and bool((~np.isnan(self.rating)).mean() >= 0.9)

    def select(self, rows: np.ndarray) -> Interactions:
        """The events of a boolean mask or of ascending positions; codes and sizes stay."""
        names = ("user", "item", "weight", "kind", "rating", "time")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def matrix(self, *, binary: bool = True) -> sp.csr_matrix:
        """Users by items: float32 CSR, shape (n_users, n_items); 1 or the summed weight of repeated events."""
        x = sp.csr_matrix((self.weight, (self.user, self.item)), shape=(self.n_users, self.n_items), dtype=np.float32)
        x.sum_duplicates()
        if binary:
            x.data[:] = 1.0
        return x

    def item_counts(self) -> np.ndarray:
        """Number of distinct users of each item: int64, shape (n_items,)."""
        return self._item_counts.copy()

    @cached_property
    def _item_counts(self) -> np.ndarray:
        return np.bincount(self.matrix().indices, minlength=self.n_items).astype(np.int64)

    @cached_property
    def starts(self) -> np.ndarray:
        """Where the events of each user begin, and the end of all: int64, shape (n_users + 1,), read-only."""
        counts = np.bincount(self.user, minlength=self.n_users)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        starts.flags.writeable = False
        return starts

    def user_counts(self) -> np.ndarray:
        """Number of events of each user: int64, shape (n_users,)."""
        return np.diff(self.starts)

    def position(self) -> np.ndarray:
        """Position of each event within its user, oldest = 0: int64, shape (n_events,)."""
        position: np.ndarray = np.arange(len(self)) - self.starts[self.user]
        return position
