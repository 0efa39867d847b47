"""Erasing a person: everything goes, and a receipt says what went without saying whose it was."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, exists, func, select

from warmstart.store.erased import DAY, remember
from warmstart.store.marks import mark
from warmstart.store.part import Part
from warmstart.store.rows import Receipt
from warmstart.store.tables import ANSWERS, EVENTS, MODELS, RECEIPTS, USERS
from warmstart.store.upsert import put_rows
from warmstart.store.versions import bump

_FIRST = select(func.min(EVENTS.c.seq)).where(EVENTS.c.user_id == bindparam("who"))
_FITTED = select(MODELS.c.version).where(MODELS.c.until >= bindparam("first")).order_by(MODELS.c.version)
_LED_TO = select(EVENTS.c.recommendation_id).where(EVENTS.c.user_id == bindparam("who"))
_WAITING = (  # answers to nobody by name that the person's events refer to, and that are not written yet
    select(EVENTS.c.recommendation_id)
    .where(EVENTS.c.user_id == bindparam("who"), EVENTS.c.time >= bindparam("since"))
    .where(EVENTS.c.recommendation_id.is_not(None))
    .where(~exists().where(ANSWERS.c.recommendation_id == EVENTS.c.recommendation_id))
    .distinct()
)
_ERASE = {  # in this order: events tell which anonymous answers were the person's
    "answers": delete(ANSWERS).where(ANSWERS.c.user_id == bindparam("who")),
    "anonymous answers": delete(ANSWERS).where(
        ANSWERS.c.user_id.is_(None), ANSWERS.c.recommendation_id.in_(_LED_TO.scalar_subquery())
    ),
    "events": delete(EVENTS).where(EVENTS.c.user_id == bindparam("who")),
    "users": delete(USERS).where(USERS.c.user_id == bindparam("who")),
}
_RECEIPTS = select(RECEIPTS).order_by(RECEIPTS.c.erased_at, RECEIPTS.c.receipt_id)


class Erasure(Part):
    """The right to be forgotten."""

    def erase_user(self, user_id: str) -> Receipt:
        """Remove a person's row, events and answers, in one transaction, and keep a receipt without the id.

        Answers given to nobody by name go too if an event of the person refers to them. Models that were fitted on the
        events are named in the receipt: fit them anew, or remove them, to be rid of what they learned. On SQLite the
        bytes are overwritten and the log is emptied (unless a reader holds it back: then as soon as it is written on);
        PostgreSQL frees them by VACUUM. Copies and exports made before are not reached. Answers of the person that
        still wait to be written, in this process or another, are dropped when their turn comes. A mark stays by which
        ``seed`` and ``import_parquet`` know the id again (see ``store.marks``).

        Returns
        -------
        Receipt
            Of nothing (counts of 0), if nothing was known of the person.
        """
        with self.database.write() as connection:
            bump(connection, "erased")  # first: answers that are being written now are waited for, and found
            first = connection.execute(_FIRST, {"who": user_id}).scalar_one_or_none()
            fitted = () if first is None else tuple(connection.execute(_FITTED, {"first": first}).scalars())
            waiting = (
                connection.execute(_WAITING, {"who": user_id, "since": int(time.time()) - 2 * DAY}).scalars().all()
            )
            counts = {name: connection.execute(gone, {"who": user_id}).rowcount for name, gone in _ERASE.items()}
            counts["answers"] += counts.pop("anonymous answers")
            receipt = _receipt(user_id, counts, fitted)
            _keep(connection, receipt)
            remember(connection, user_id, waiting, receipt.erased_at)
            mark(connection, user_id, receipt.erased_at)
            bump(connection, "users")
        self.database.empty_log()
        return receipt

    def receipts(self) -> list[Receipt]:
        """All receipts, oldest first."""
        with self.database.read() as connection:
            return [
                Receipt(row.receipt_id, row.erased_at, row.salt, row.digest, row.counts, tuple(row.models))
                for row in connection.execute(_RECEIPTS)
            ]


def is_of(receipt: Receipt, user_id: str) -> bool:
    """Whether a receipt is that of this person.

    Examples
    --------
    >>> receipt = _receipt("ann", {"events": 3}, ())
    >>> is_of(receipt, "ann"), is_of(receipt, "bob")
    (True, False)
    """
    return secrets.compare_digest(_digest(user_id, receipt.salt), receipt.digest)


def _receipt(user_id: str, counts: dict[str, int], models: Sequence[str]) -> Receipt:
    salt = secrets.token_hex(16)
    return Receipt(uuid4().hex, int(time.time()), salt, _digest(user_id, salt), counts, tuple(models))


def _digest(user_id: str, salt: str) -> str:
    """Scrypt (RFC 7914), 16 MiB: trying all ids against a receipt takes long."""
    name = user_id.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(name, salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32).hex()


def _keep(connection: Connection, receipt: Receipt) -> None:
    row: dict[str, object] = {
        "receipt_id": receipt.receipt_id,
        "erased_at": receipt.erased_at,
        "salt": receipt.salt,
        "digest": receipt.digest,
        "counts": dict(receipt.counts),
        "models": list(receipt.models),
    }
    put_rows(connection, RECEIPTS, [row])
