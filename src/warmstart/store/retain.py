"""Forgetting what is older than it is kept, a page at a time, so that writers wait little."""

from __future__ import annotations

import time

from sqlalchemy import Delete, Select, bindparam, delete, select

from warmstart.store.part import Part
from warmstart.store.rows import Retention
from warmstart.store.tables import ANSWERS, EVENTS

DAY = 86_400
PAGE = 5000  # rows of one transaction
IMPRESSION = "impression"


def _old(which: Select) -> Delete:
    return delete(EVENTS).where(EVENTS.c.seq.in_(which.limit(bindparam("most")).scalar_subquery()))


_PAST = select(EVENTS.c.seq).where(EVENTS.c.time < bindparam("until"))
_ANSWERS = select(ANSWERS.c.recommendation_id).where(ANSWERS.c.time < bindparam("until")).limit(bindparam("most"))
_DELETE = {
    "events": _old(_PAST.where(EVENTS.c.kind != IMPRESSION)),
    "impressions": _old(_PAST.where(EVENTS.c.kind == IMPRESSION)),
    "answers": delete(ANSWERS).where(ANSWERS.c.recommendation_id.in_(_ANSWERS.scalar_subquery())),
}


class Retained(Part):
    """Rows that end."""

    def retain(self, retention: Retention, now: int | None = None) -> dict[str, int]:
        """Remove what is older than it is kept; how many rows of each sort.

        Parameters
        ----------
        retention
            How many days.
        now
            Seconds since the epoch; None = now.
        """
        now = int(time.time()) if now is None else now
        days = {"events": retention.events, "impressions": retention.answers, "answers": retention.answers}
        return {name: self._remove(_DELETE[name], now - int(kept * DAY)) if kept else 0 for name, kept in days.items()}

    def _remove(self, page: Delete, until: int) -> int:
        removed = 0
        while True:
            with self.database.write() as connection:
                rows = connection.execute(page, {"until": until, "most": PAGE}).rowcount
            removed += rows
            if rows < PAGE:
                return removed
