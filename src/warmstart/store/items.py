"""Items of the catalogue; a deleted one stays as an empty row, so that every process learns of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from warmstart.store.part import Part
from warmstart.store.rows import Item
from warmstart.store.tables import ITEMS
from warmstart.store.upsert import put_rows
from warmstart.store.versions import bump

_COLUMNS = (ITEMS.c.item_id, ITEMS.c.fields, ITEMS.c.hidden, ITEMS.c.added_at, ITEMS.c.updated_at)
_THERE = select(*_COLUMNS).where(ITEMS.c.deleted_at == 0)
_ONE = _THERE.where(ITEMS.c.item_id == bindparam("item_id"))
_PAGE = _THERE.where(ITEMS.c.item_id > bindparam("after")).order_by(ITEMS.c.item_id).limit(bindparam("most"))
_SINCE = _THERE.where(ITEMS.c.version > bindparam("version")).order_by(ITEMS.c.version, ITEMS.c.item_id)
_DELETED_SINCE = (
    select(ITEMS.c.item_id)
    .where(ITEMS.c.version > bindparam("version"), ITEMS.c.deleted_at > 0)
    .order_by(ITEMS.c.version, ITEMS.c.item_id)
)
_DELETE = (
    update(ITEMS)
    .where(ITEMS.c.item_id == bindparam("which"), ITEMS.c.deleted_at == 0)
    .values(fields={}, deleted_at=bindparam("now"), updated_at=bindparam("now"), version=bindparam("next"))
)


class Items(Part):
    """Items of the catalogue."""

    def put_items(self, items: Sequence[Item]) -> int:
        """Add items, or replace those of the same id (``added_at`` stays); how many were given."""
        with self.database.write() as connection:
            if not items:
                return 0
            version, now = bump(connection, "items"), int(time.time())
            rows: list[dict[str, object]] = [
                {
                    "item_id": item.item_id,
                    "fields": dict(item.fields),
                    "hidden": item.hidden,
                    "added_at": item.added_at or now,
                    "updated_at": item.updated_at or now,
                    "deleted_at": 0,
                    "version": version,
                }
                for item in items
            ]
            put_rows(connection, ITEMS, rows, kept=("added_at",))
            return len(rows)

    def item(self, item_id: str) -> Item | None:
        """One item; None if there is none."""
        with self.database.read() as connection:
            row = connection.execute(_ONE, {"item_id": item_id}).one_or_none()
            return None if row is None else Item(*row)

    def items(self, after: str = "", limit: int = 1000) -> list[Item]:
        """The next items by id."""
        with self.database.read() as connection:
            return [Item(*row) for row in connection.execute(_PAGE, {"after": after, "most": limit})]

    def items_since(self, version: int) -> list[Item]:
        """Items added or changed after that version of the items, in the order of their last change."""
        with self.database.read() as connection:
            return [Item(*row) for row in connection.execute(_SINCE, {"version": version})]

    def deleted_since(self, version: int) -> list[str]:
        """Ids deleted after that version of the items, and not added again."""
        with self.database.read() as connection:
            return list(connection.execute(_DELETED_SINCE, {"version": version}).scalars())

    def delete_item(self, item_id: str) -> bool:
        """Whether it was there. Its events and the answers that showed it stay."""
        with self.database.write() as connection:
            values = {"which": item_id, "now": int(time.time()), "next": bump(connection, "items")}
            return connection.execute(_DELETE, values).rowcount > 0
