"""A number a table that grows with each change: one cheap look tells what else to read."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from warmstart.store.part import Part
from warmstart.store.tables import VERSIONS

NAMES = ("items", "users", "models", "experiments", "keys", "erased")
_ALL = select(VERSIONS.c.name, VERSIONS.c.value)
_BUMP = (
    update(VERSIONS)
    .where(VERSIONS.c.name == bindparam("which"))
    .values(value=VERSIONS.c.value + 1)
    .returning(VERSIONS.c.value)
)
_HELD = select(VERSIONS.c.value).where(VERSIONS.c.name == bindparam("which")).with_for_update(read=True)


class Versions(Part):
    """Numbers of changes."""

    def versions(self) -> dict[str, int]:
        """All numbers by name."""
        with self.database.read() as connection:
            return {name: value for name, value in connection.execute(_ALL)}


def bump(connection: Connection, name: str) -> int:
    """The next number; holds the row until the transaction ends, so numbers are seen in the order they are given."""
    value: int = connection.execute(_BUMP, {"which": name}).scalar_one()
    return value


def held(connection: Connection, name: str) -> int:
    """The number as it is until the transaction ends: on PostgreSQL who would bump it waits; SQLite has one writer."""
    value: int = connection.execute(_HELD, {"which": name}).scalar_one()
    return value
