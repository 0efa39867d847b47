"""What a system is given, read from the files of a task; needs numpy and pyarrow only."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Train:
    """The training set: events as parallel columns, sorted by user, within a user oldest first.

    Parameters
    ----------
    folder
        Where its tables lie: ``interactions``, ``items``, ``users``, perhaps ``graph`` (Parquet).
    user, item
        int32 codes, shape (n_events,): places in the tables of users and items.
    rating
        float32, shape (n_events,); NaN = none.
    time
        int64 seconds since the epoch, UTC, shape (n_events,); -1 = unknown.
    n_users, n_items
        Rows of these tables.
    """

    folder: Path
    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray
    time: np.ndarray
    n_users: int
    n_items: int

    @classmethod
    def read(cls, folder: Path) -> Train:
        """From a folder."""
        events = pq.read_table(folder / "interactions.parquet", columns=["user", "item", "rating", "time"])
        columns = [events[c].to_numpy() for c in events.column_names]
        sizes = [pq.read_metadata(folder / f"{name}.parquet").num_rows for name in ("users", "items")]
        return cls(folder, *columns, *sizes)

    def counts(self) -> np.ndarray:
        """Users of each item: int64, shape (n_items,)."""
        pairs = np.unique(self.user.astype(np.int64) * self.n_items + self.item)
        return np.bincount(pairs % self.n_items, minlength=self.n_items)

    def active(self) -> np.ndarray:
        """Who has an event: bool, shape (n_users,)."""
        return np.bincount(self.user, minlength=self.n_users) > 0

    def table(self, name: str) -> pa.Table:
        """``items`` or ``users``, with all columns."""
        return pq.read_table(self.folder / f"{name}.parquet")


@dataclass(frozen=True)
class Queries:
    """A batch of queries.

    Parameters
    ----------
    user
        int32 codes, shape (n_queries,).
    histories
        A row a query: int32 item codes, oldest first.
    allowed
        bool, shape (n_items,): what may be listed, but for the history.
    """

    user: np.ndarray
    histories: list[np.ndarray]
    allowed: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    def take(self, places: np.ndarray) -> Queries:
        """Those at the given places."""
        return replace(self, user=self.user[places], histories=[self.histories[p] for p in places])

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Query and item of every event of the histories: two int64 arrays of one length."""
        lengths = [len(h) for h in self.histories]
        items = np.concatenate([np.empty(0, np.int64), *self.histories]).astype(np.int64)
        return np.repeat(np.arange(len(self)), lengths), items

    def matrix(self) -> np.ndarray:
        """Ones where the history has an item: float32, shape (n_queries, n_items)."""
        ones = np.zeros((len(self), len(self.allowed)), np.float32)
        ones[self.pairs()] = 1.0
        return ones


def read_questions(task: Path, n_items: int) -> dict[str, tuple[Queries, int]]:
    """By name, the queries and how long their lists are."""
    told: dict[str, Any] = json.loads((task / "task.json").read_text(encoding="utf-8"))["questions"]
    return {name: (_queries(task, about, n_items), about["length"]) for name, about in told.items()}


def _queries(task: Path, about: dict[str, Any], n_items: int) -> Queries:
    table = pq.read_table(task / about["file"])
    rows = table["history"].combine_chunks()
    offsets, items = rows.offsets.to_numpy(), rows.values.to_numpy()
    histories = [items[a:b] for a, b in pairwise(offsets)]
    allowed = np.ones(n_items, bool)
    if about["candidates"] is not None:
        allowed[:] = False
        allowed[about["candidates"]] = True
    return Queries(table["user"].to_numpy(), histories, allowed)


def best(scores: np.ndarray, queries: Queries, k: int) -> np.ndarray:
    """Items of the highest scores that may be listed: int32, shape (n_queries, k), -1 = none; -inf is never listed.

    Equal scores: the lower code first, which says nothing, as the items are in random order.
    """
    masked = np.where(queries.allowed, scores, -np.inf)
    masked[queries.pairs()] = -np.inf
    take = min(k, masked.shape[1])
    top = np.argpartition(-masked, take - 1, axis=1)[:, :take]
    top.sort(axis=1)
    top = np.take_along_axis(top, np.argsort(-np.take_along_axis(masked, top, 1), axis=1, kind="stable"), 1)
    out = np.full((len(queries), k), -1, np.int32)
    out[:, :take] = np.where(np.isneginf(np.take_along_axis(masked, top, 1)), -1, top)
    return out
