"""Small documents by name, and locks that end by themselves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, or_, select

from warmstart.store.part import Part
from warmstart.store.tables import LOCKS, STATES
from warmstart.store.upsert import COUNTED, put_rows, replace_where

SKEW = 300.0  # seconds the clocks of two machines may differ; a lock taken later than that was taken by a wrong clock
_ONE = select(STATES.c.document).where(STATES.c.name == bindparam("which"))
_UNLOCK = delete(LOCKS).where(LOCKS.c.name == bindparam("which"), LOCKS.c.holder == bindparam("who"))
_FREE = or_(
    LOCKS.c.until <= bindparam("now"),
    LOCKS.c.holder == bindparam("who"),
    LOCKS.c.taken_at > bindparam("future"),
)


class States(Part):
    """Documents and locks."""

    def state(self, name: str) -> dict[str, Any]:
        """A document; empty if there is none."""
        with self.database.read() as connection:
            found = connection.execute(_ONE, {"which": name}).scalar_one_or_none()
            return {} if found is None else dict(found)

    def set_state(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a document, replacing what was there."""
        with self.database.write() as connection:
            put_rows(connection, STATES, [{"name": name, "document": dict(document)}])

    def lock(self, name: str, holder: str, seconds: float) -> bool:
        """Whether the holder has the lock now, for so many seconds.

        It has if the lock was free or has ended, is its own (then prolonged), or was taken by a clock since gone back.
        """
        with self.database.write() as connection:
            now = time.time()
            row: dict[str, object] = {"name": name, "holder": holder, "taken_at": now, "until": now + seconds}
            statement = replace_where(connection, LOCKS, _FREE)
            values = row | {"who": holder, "now": now, "future": now + SKEW}
            return connection.execute(statement, values, execution_options=COUNTED).rowcount > 0

    def unlock(self, name: str, holder: str) -> bool:
        """Whether the holder had it."""
        with self.database.write() as connection:
            return connection.execute(_UNLOCK, {"which": name, "who": holder}).rowcount > 0
