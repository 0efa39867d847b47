"""Keys of the API, as hashes."""

from __future__ import annotations

import time

from sqlalchemy import bindparam, select, update

from warmstart.store.part import Part
from warmstart.store.rows import Key
from warmstart.store.tables import KEYS
from warmstart.store.upsert import put_rows
from warmstart.store.versions import bump

_ALL = select(KEYS).order_by(KEYS.c.created_at, KEYS.c.key_id)
_REVOKE = (
    update(KEYS).where(KEYS.c.key_id == bindparam("which"), KEYS.c.revoked_at == 0).values(revoked_at=bindparam("now"))
)


class Keys(Part):
    """Keys of the API."""

    def put_key(self, key: Key) -> None:
        """Add a key, or replace what is known of it."""
        with self.database.write() as connection:
            bump(connection, "keys")
            row: dict[str, object] = {
                "key_id": key.key_id,
                "name": key.name,
                "digest": key.digest,
                "scopes": list(key.scopes),
                "created_at": key.created_at or int(time.time()),
                "revoked_at": key.revoked_at,
            }
            put_rows(connection, KEYS, [row], kept=() if key.created_at else ("created_at",))

    def keys(self) -> list[Key]:
        """All keys, revoked ones too, oldest first."""
        with self.database.read() as connection:
            return [
                Key(row.key_id, row.name, row.digest, tuple(row.scopes), row.created_at, row.revoked_at)
                for row in connection.execute(_ALL)
            ]

    def revoke(self, key_id: str) -> bool:
        """Whether there was such a key in use."""
        with self.database.write() as connection:
            bump(connection, "keys")
            return connection.execute(_REVOKE, {"which": key_id, "now": int(time.time())}).rowcount > 0
