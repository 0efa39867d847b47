"""Data that an engine is fitted on into the store: what is there already is known by what it says."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.series import is_missing, text_of
from warmstart.store.append import append
from warmstart.store.learned import RATE
from warmstart.store.marks import Marks, lasting
from warmstart.store.part import Part
from warmstart.store.tables import ITEMS, STATES, USERS
from warmstart.store.upsert import add_rows, put_rows
from warmstart.store.versions import bump

PAGE = 20_000  # rows of one transaction
SEEDED = "seeded"
SAID = ("user_id", "item_id", "kind", "time", "value")
Rows = list[dict[str, Any]]


class Seeded(Part):
    """Beginnings."""

    def seed(self, data: Dataset) -> dict[str, int]:
        """Add the items, users and events of a dataset where they are not there; how many of each are new.

        Nothing is replaced, and a deleted item stays deleted. An event is known by what it says (``said``), so data
        with more rows adds those, and data that was read with other weights, or in another order, adds nothing. Data
        that was seeded to the end is not read again, so what was removed by its age since does not come back. Who was
        erased does not come back: of them, events after that count, others and attributes do not.

        An event with a rating becomes one of kind ``rate`` and that value. Events keep their weights; where all weigh
        1, they have none, and weigh as their kind does. A graph has no place here.

        Parameters
        ----------
        data
            What an engine was fitted on at first; not what ``Store.dataset`` gave, whose events are here already.
        """
        name = f"{SEEDED} {data.fingerprint()}"
        with self.database.read() as connection:
            if connection.execute(STATES.select().where(STATES.c.name == name)).one_or_none():
                return {"items": 0, "users": 0, "events": 0}
        marks = Marks(self.database)
        new = {"items": self.seed_items(data.catalog), "users": 0, "events": 0}
        for rows in _pages(_users(data, int(time.time()))):
            with marks.write({row["user_id"] for row in rows}) as (connection, erased):
                bump(connection, "users")
                new["users"] += add_rows(connection, USERS, [row for row in rows if row["user_id"] not in erased])
        for rows in _pages(_events(data)):
            with marks.write({row["user_id"] for row in rows}) as (connection, erased):
                new["events"] += append(connection, lasting(rows, erased, "time"))
        with self.database.write() as connection:
            put_rows(connection, STATES, [{"name": name, "document": {"at": int(time.time()), **new}}])
        return new

    def seed_items(self, catalog: Catalog) -> int:
        """Add the items of a catalogue that are not there, nor were deleted; how many are new."""
        new = 0
        for rows in _pages(_items(catalog, int(time.time()))):
            with self.database.write() as connection:
                version = bump(connection, "items")
                new += add_rows(connection, ITEMS, [{**row, "version": version} for row in rows])
        return new


def said(row: dict[str, Any], occurrence: int) -> str:
    """The id of an event that has none: 128 bits of BLAKE2b of whose it is, of what, its kind, time and value.

    Of rows that say the same the first has the occurrence 1, the second 2, and so on. The weight has no part in it: it
    is not what happened but how the data was read (``weights``), and would make another event of each.

    Examples
    --------
    >>> said({"user_id": "u", "item_id": "i", "kind": "view", "time": 5, "value": None, "weight": 2.0}, 1)
    'data-ec793f21d5f9f09f927da3f3bb4d3cbf'
    """
    parts = [row[name] for name in SAID]
    text = json.dumps([*parts, occurrence], separators=(",", ":"))
    return "data-" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _items(catalog: Catalog, now: int) -> Iterator[dict[str, Any]]:
    at = {"hidden": False, "added_at": now, "updated_at": now, "deleted_at": 0}
    for row in catalog.table.iter_rows(named=True):
        name = row.pop(ITEM_ID)
        yield {"item_id": name, "fields": _known(row), **at}


def _users(data: Dataset, now: int) -> Iterator[dict[str, Any]]:
    table = pl.DataFrame() if data.user_table is None else data.user_table
    for name, row in zip(data.users.ids, table.iter_rows(named=True), strict=False):
        if attributes := _known(row):
            yield {"user_id": name, "attributes": attributes, "added_at": now, "updated_at": now}


def _events(data: Dataset) -> Iterator[dict[str, Any]]:
    """In the order they happened, so that users appear in the order they came; of a moment, user by user."""
    x, before = data.interactions, (0, "")
    own = bool((x.weight != 1).any())
    counts: Counter[tuple[object, ...]] = Counter()
    for code in np.argsort(x.time, kind="stable").tolist():
        rating = float(x.rating[code])
        rated = not np.isnan(rating)
        row = {
            "user_id": data.users.ids[x.user[code]],
            "item_id": data.catalog.items.ids[x.item[code]],
            "kind": RATE if rated else x.kinds[x.kind[code]],
            "time": int(x.time[code]),
            "value": rating if rated else None,
            "weight": float(x.weight[code]) if own else None,
            "recommendation_id": None,
        }
        if before != (row["time"], row["user_id"]):  # rows that say the same are among those of one user and moment
            before = (row["time"], row["user_id"])
            counts.clear()
        key = (row["item_id"], row["kind"], row["value"])
        counts[key] += 1
        yield {"event_id": said(row, counts[key]), **row}


def _pages(rows: Iterator[dict[str, Any]]) -> Iterator[Rows]:
    page: Rows = []
    for row in rows:
        page.append(row)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _known(row: dict[str, Any]) -> dict[str, object]:
    """Without what is missing; what JSON does not know becomes text."""
    return {name: _plain(value) for name, value in row.items() if not is_missing(value)}


def _plain(value: Any) -> object:
    if isinstance(value, list):
        return [_plain(part) for part in value if not is_missing(part)]
    return value if isinstance(value, str | bool | int | float) else text_of(value)
