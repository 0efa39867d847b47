"""An engine's own data into the store, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Table

from warmstart.data.catalog import ITEM_ID
from warmstart.data.dataset import Dataset
from warmstart.data.series import is_missing, text_of
from warmstart.store.append import append
from warmstart.store.learned import RATE
from warmstart.store.part import Part
from warmstart.store.tables import ITEMS, STATES, USERS
from warmstart.store.upsert import add_rows, put_rows
from warmstart.store.versions import bump

PAGE = 20_000  # rows of one transaction
SEEDED = "seeded"
Rows = list[dict[str, object]]


class Seeded(Part):
    """Beginnings."""

    def seed(self, data: Dataset) -> dict[str, int]:
        """Add the items, users and events of a dataset where they are not there; how many of each are new.

        Nothing is replaced, and a deleted item stays deleted. Events have ids made of the data's fingerprint and their
        row, so an interrupted call can be repeated; data that was seeded to the end is not read again, so who was
        erased since does not come back. An event with a rating becomes one of kind ``rate`` and that value. Events
        keep their weights; where all weigh 1, they have none, and weigh as their kind does. A graph has no place here.

        Parameters
        ----------
        data
            What an engine was fitted on at first; not what ``Store.dataset`` gave, whose events are here already.
        """
        name = f"{SEEDED} {data.fingerprint()}"
        with self.database.read() as connection:
            if connection.execute(STATES.select().where(STATES.c.name == name)).one_or_none():
                return {"items": 0, "users": 0, "events": 0}
        now = int(time.time())
        new = {
            "items": self._add("items", ITEMS, _items(data, now)),
            "users": self._add("users", USERS, _users(data, now)),
            "events": 0,
        }
        for rows in _pages(_events(data)):
            with self.database.write() as connection:
                new["events"] += append(connection, rows)
        with self.database.write() as connection:
            put_rows(connection, STATES, [{"name": name, "document": {"at": now, **new}}])
        return new

    def _add(self, name: str, table: Table, rows: Iterator[dict[str, object]]) -> int:
        new = 0
        for page in _pages(rows):
            with self.database.write() as connection:
                extra = {"version": bump(connection, name)} if "version" in table.columns else {}
                new += add_rows(connection, table, [row | extra for row in page])
                if not extra:
                    bump(connection, name)
        return new


def _items(data: Dataset, now: int) -> Iterator[dict[str, object]]:
    at = {"hidden": False, "added_at": now, "updated_at": now, "deleted_at": 0}
    for row in data.catalog.table.iter_rows(named=True):
        name = row.pop(ITEM_ID)
        yield {"item_id": name, "fields": _known(row), **at}


def _users(data: Dataset, now: int) -> Iterator[dict[str, object]]:
    table = pl.DataFrame() if data.user_table is None else data.user_table
    for name, row in zip(data.users.ids, table.iter_rows(named=True), strict=False):
        if attributes := _known(row):
            yield {"user_id": name, "attributes": attributes, "added_at": now, "updated_at": now}


def _events(data: Dataset) -> Iterator[dict[str, object]]:
    """In the order they happened, so that users appear in the order they came."""
    x, prefix = data.interactions, f"seed-{data.fingerprint()[:16]}"
    own = bool((x.weight != 1).any())
    for row in np.argsort(x.time, kind="stable").tolist():
        rating = float(x.rating[row])
        rated = not np.isnan(rating)
        yield {
            "event_id": f"{prefix}-{row}",
            "user_id": data.users.ids[x.user[row]],
            "item_id": data.catalog.items.ids[x.item[row]],
            "kind": RATE if rated else x.kinds[x.kind[row]],
            "time": int(x.time[row]),
            "value": rating if rated else None,
            "weight": float(x.weight[row]) if own else None,
            "recommendation_id": None,
        }


def _pages(rows: Iterator[dict[str, object]]) -> Iterator[Rows]:
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
