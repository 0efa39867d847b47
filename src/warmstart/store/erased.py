"""Who was erased of late: answers that still waited in some process then are not written afterwards.

A receipt cannot be tested against each answer, for its scrypt hash takes tens of milliseconds. So for a day a quick
hash of the id stands in the table of states, with a salt of its own. Whoever writes answers removes older ones.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from warmstart.store.rows import Answer
from warmstart.store.tables import STATES, VERSIONS
from warmstart.store.upsert import put_rows

DAY = 86_400  # seconds an answer may wait to be written, at most
LAST = "erased:9"  # after every name: times have 12 digits, the first of which is 0
_SINCE = select(STATES.c.name, STATES.c.document).where(
    STATES.c.name >= bindparam("first"), STATES.c.name < bindparam("last")
)
_OLD = delete(STATES).where(STATES.c.name >= bindparam("first"), STATES.c.name < bindparam("last"))
_HELD = select(VERSIONS.c.value).where(VERSIONS.c.name == "erased").with_for_update(read=True)


def remember(connection: Connection, user_id: str, at: int) -> None:
    """That a person was erased, within the transaction that erases."""
    salt = secrets.token_bytes(16)
    document = {"salt": salt.hex(), "digest": _digest(user_id, salt)}
    put_rows(connection, STATES, [{"name": _name(at) + secrets.token_hex(8), "document": document}])


def without_erased(connection: Connection, answers: Iterable[Answer]) -> list[Answer]:
    """The answers but those of persons who were erased after they were given, or within the same second.

    Times are those of the processes that answer and erase: clocks of several machines must agree. On PostgreSQL no
    erasure ends between this look and the end of the transaction; SQLite has one writer anyway.
    """
    given = list(answers)
    if not given:
        return []
    connection.execute(_HELD)
    oldest, now = min(answer.time for answer in given), int(time.time())
    erased = connection.execute(_SINCE, {"first": _name(max(oldest, now - DAY)), "last": LAST}).all()
    connection.execute(_OLD, {"first": _name(0), "last": _name(now - DAY)})
    if not erased:
        return given
    hashes = [(row.name, bytes.fromhex(row.document["salt"]), row.document["digest"]) for row in erased]
    return [answer for answer in given if not _is_erased(answer, hashes)]


def _is_erased(answer: Answer, hashes: Sequence[tuple[str, bytes, str]]) -> bool:
    if answer.user_id is None:
        return False
    since = _name(answer.time)
    return any(name >= since and _digest(answer.user_id, salt) == digest for name, salt, digest in hashes)


def _name(at: int) -> str:
    """A name of a state, in the order of time.

    Examples
    --------
    >>> _name(1_700_000_000)
    'erased:001700000000:'
    """
    return f"erased:{max(at, 0):012d}:"


def _digest(user_id: str, salt: bytes) -> str:
    return hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=16, salt=salt).hexdigest()
