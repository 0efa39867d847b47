"""Who was ever erased: data from elsewhere, such as a file or an older copy, does not bring back what was theirs.

A receipt has a salt of its own, so looking a user up costs a hash for every receipt. A mark is the hash of an erased
id with the salt of the store, and costs one. Who has the database can test ids against it, as this module does.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select

from warmstart.store.database import Database
from warmstart.store.tables import ERASED
from warmstart.store.upsert import put_rows
from warmstart.store.versions import bump, held

NAME = "erased"  # of the version that grows with every mark
_ALL = select(ERASED.c.digest, ERASED.c.salt, ERASED.c.erased_at)
_SALT = select(func.min(ERASED.c.salt))
Rows = list[dict[str, Any]]


def digest(user_id: str, salt: str) -> str:
    """Scrypt (RFC 7914), 1 MiB: some milliseconds, so all users of a file can be looked up.

    Examples
    --------
    >>> digest("ann", "00" * 16) == digest("ann", "00" * 16) != digest("ann", "01" * 16)
    True
    """
    name = user_id.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(name, salt=bytes.fromhex(salt), n=2**10, r=8, p=1, dklen=16).hex()


def mark(connection: Connection, user_id: str, at: int) -> None:
    """That a person was erased, for good, within the transaction that erases and has bumped ``erased``."""
    salt = connection.execute(_SALT).scalar_one() or secrets.token_hex(16)
    put_rows(connection, ERASED, [{"digest": digest(user_id, salt), "salt": salt, "erased_at": at}])


def take_over(connection: Connection, rows: Rows) -> None:
    """Marks of another store, or of an older copy of this one; of two marks of one person the later counts."""
    known = {row.digest: row.erased_at for row in connection.execute(_ALL)}
    later = [row for row in rows if row["erased_at"] > known.get(row["digest"], -1)]
    if later:
        bump(connection, NAME)
        put_rows(connection, ERASED, later)


def lasting(rows: Rows, erased: Mapping[str, int], time: str) -> Rows:
    """The rows but those of a user who was erased after them, or within the same second.

    Parameters
    ----------
    rows
        Each has ``user_id``, which may be None.
    erased
        When users were erased, by id.
    time
        The column that says when a row came to be.
    """
    return [row for row in rows if row["user_id"] not in erased or row[time] > erased[row["user_id"]]]


class Marks:
    """The marks of a store, for one who writes much; each user is hashed once, and none where nobody was erased.

    Parameters
    ----------
    database
        Of the store.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._version = -1  # none seen yet
        self._marks: dict[str, dict[str, int]] = {}  # by salt: when, by digest
        self._digests: dict[tuple[str, str], str] = {}  # by salt and user

    @contextmanager
    def write(self, users: Collection[str]) -> Iterator[tuple[Connection, dict[str, int]]]:
        """A transaction; and which of the users were erased, and when, so that nobody is erased until it ends.

        Hashing is done before: a transaction that waits for it would keep all other writers waiting.
        """
        while True:
            erased = self._erased(users)
            with self.database.write() as connection:
                version = held(connection, NAME)
                if version == self._version:
                    yield connection, erased
                    return
                self._version, self._marks = version, _by_salt(connection.execute(_ALL).all())

    def _erased(self, users: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for salt, marks in self._marks.items():
            for user in users:
                at = marks.get(self._digest(user, salt))
                if at is not None:
                    found[user] = max(at, found.get(user, at))
        return found

    def _digest(self, user: str, salt: str) -> str:
        known = self._digests.get((salt, user))
        if known is None:
            known = self._digests[salt, user] = digest(user, salt)
        return known


def _by_salt(rows: Sequence[Any]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.salt, {})[row.digest] = row.erased_at
    return found
