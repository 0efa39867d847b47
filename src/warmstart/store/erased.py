"""Who was erased of late: answers that still waited in some process then are not written afterwards.

Neither a receipt nor a mark can be tested against each answer, for scrypt takes milliseconds. So for a day a quick hash
of the id stands in the table of states, with a salt of its own, beside those of the answers without a name that the
person's events referred to and that were not written yet. Whoever writes answers removes older ones.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, bindparam, delete, select

from warmstart.store.rows import Answer
from warmstart.store.tables import STATES
from warmstart.store.upsert import put_rows
from warmstart.store.versions import held

DAY = 86_400  # seconds an answer may wait to be written, at most
LAST = "erased:9"  # after every name: times have 12 digits, the first of which is 0
_SINCE = select(STATES.c.name, STATES.c.document).where(
    STATES.c.name >= bindparam("first"), STATES.c.name < bindparam("last")
)
_OLD = delete(STATES).where(STATES.c.name >= bindparam("first"), STATES.c.name < bindparam("last"))


def remember(connection: Connection, user_id: str, waiting: Sequence[str], at: int) -> None:
    """That a person was erased, and answers that are theirs without their name; within the transaction that erases."""
    salt = secrets.token_bytes(16)
    answers = [_digest(name, salt) for name in waiting]
    document = {"salt": salt.hex(), "digest": _digest(user_id, salt), "answers": answers}
    put_rows(connection, STATES, [{"name": _name(at) + secrets.token_hex(8), "document": document}])


def without_erased(connection: Connection, answers: Iterable[Answer]) -> list[Answer]:
    """The answers but those of persons who were erased after they were given, or within the same second.

    An answer without a name is a person's if an event of theirs referred to it when they were erased.

    Times are those of the processes that answer and erase: clocks of several machines must agree. On PostgreSQL no
    erasure ends between this look and the end of the transaction; SQLite has one writer anyway.
    """
    given = list(answers)
    if not given:
        return []
    held(connection, "erased")
    oldest, now = min(answer.time for answer in given), int(time.time())
    erased = connection.execute(_SINCE, {"first": _name(max(oldest, now - DAY)), "last": LAST}).all()
    connection.execute(_OLD, {"first": _name(0), "last": _name(now - DAY)})
    if not erased:
        return given
    told = [_Told.of(row.name, row.document) for row in erased]
    return [answer for answer in given if not any(one.names(answer) for one in told)]


@dataclass(frozen=True)
class _Told:
    """What is remembered of one erasure."""

    name: str
    salt: bytes
    digest: str
    answers: frozenset[str]

    @classmethod
    def of(cls, name: str, document: Mapping[str, Any]) -> Self:
        answers = frozenset(document.get("answers", ()))  # none where an earlier version wrote it
        return cls(name, bytes.fromhex(document["salt"]), document["digest"], answers)

    def names(self, answer: Answer) -> bool:
        if answer.user_id is None:
            return bool(self.answers) and _digest(answer.recommendation_id, self.salt) in self.answers
        return self.name >= _name(answer.time) and _digest(answer.user_id, self.salt) == self.digest


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
