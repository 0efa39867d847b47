"""Users: what is known of them beside their events."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import bindparam, select

from warmstart.store.part import Part
from warmstart.store.rows import User
from warmstart.store.tables import USERS
from warmstart.store.upsert import put_rows
from warmstart.store.versions import bump

_ALL = select(USERS.c.user_id, USERS.c.attributes, USERS.c.added_at, USERS.c.updated_at)
_ONE = _ALL.where(USERS.c.user_id == bindparam("user_id"))
_PAGE = _ALL.where(USERS.c.user_id > bindparam("after")).order_by(USERS.c.user_id).limit(bindparam("most"))


class Users(Part):
    """Users."""

    def put_users(self, users: Sequence[User]) -> int:
        """Add users, or replace those of the same id (``added_at`` stays); how many were given."""
        with self.database.write() as connection:
            if not users:
                return 0
            bump(connection, "users")
            now = int(time.time())
            rows: list[dict[str, object]] = [
                {
                    "user_id": user.user_id,
                    "attributes": dict(user.attributes),
                    "added_at": user.added_at or now,
                    "updated_at": user.updated_at or now,
                }
                for user in users
            ]
            put_rows(connection, USERS, rows, kept=("added_at",))
            return len(rows)

    def user(self, user_id: str) -> User | None:
        """One user; None if nothing is known beside events."""
        with self.database.read() as connection:
            row = connection.execute(_ONE, {"user_id": user_id}).one_or_none()
            return None if row is None else User(*row)

    def users(self, after: str = "", limit: int = 1000) -> list[User]:
        """The next users by id."""
        with self.database.read() as connection:
            return [User(*row) for row in connection.execute(_PAGE, {"after": after, "most": limit})]
