"""Events: appended once, never changed, numbered in the order they arrive."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from warmstart.store.append import NAMES, append, rows_of
from warmstart.store.part import Part
from warmstart.store.rows import Event
from warmstart.store.tables import EVENTS

_ALL = select(*(EVENTS.c[name] for name in (*NAMES, "seq")))
_NEWEST = _ALL.where(EVENTS.c.user_id == bindparam("user_id")).order_by(EVENTS.c.time.desc(), EVENTS.c.seq.desc())
_HISTORY = _NEWEST.limit(bindparam("most"))
_DONE = _NEWEST.where(EVENTS.c.kind != "impression").limit(bindparam("most"))
_PAGE = _ALL.where(EVENTS.c.seq > bindparam("after")).order_by(EVENTS.c.seq).limit(bindparam("most"))
_LAST = select(func.coalesce(func.max(EVENTS.c.seq), 0))
_COUNTS = (
    select(EVENTS.c.item_id, func.count())
    .where(EVENTS.c.seq > bindparam("after"), EVENTS.c.seq <= bindparam("last"))
    .group_by(EVENTS.c.item_id)
)
_COUNTS_OF = _COUNTS.where(EVENTS.c.kind.in_(bindparam("kinds", expanding=True)))


class Events(Part):
    """The log of what people did."""

    def add_events(self, events: Sequence[Event]) -> int:
        """Append events whose id is not there yet; how many those are. They are on the disk when it returns."""
        with self.database.write() as connection:
            return append(connection, rows_of(events))

    def history(self, user_id: str, limit: int = 1000, impressions: bool = True) -> list[Event]:
        """The newest events of somebody, at most so many, oldest first; without impressions: what they did alone."""
        query = _HISTORY if impressions else _DONE
        with self.database.read() as connection:
            rows = connection.execute(query, {"user_id": user_id, "most": limit}).all()
            return [Event(*row) for row in reversed(rows)]

    def events(self, after_seq: int = 0, limit: int = 1000) -> list[Event]:
        """The next events in the order of arrival."""
        with self.database.read() as connection:
            return [Event(*row) for row in connection.execute(_PAGE, {"after": after_seq, "most": limit})]

    def last_seq(self) -> int:
        """The number of the newest event; 0 = there is none."""
        with self.database.read() as connection:
            value: int = connection.execute(_LAST).scalar_one()
            return value

    def item_counts(self, after_seq: int = 0, kinds: Sequence[str] | None = None) -> tuple[dict[str, int], int]:
        """Events of each item after that number, and the number to ask after next.

        Parameters
        ----------
        kinds
            Only these; None = all.
        """
        with self.database.read() as connection:
            last = max(connection.execute(_LAST).scalar_one(), after_seq)
            values: dict[str, object] = {"after": after_seq, "last": last}
            if kinds is None:
                found = connection.execute(_COUNTS, values)
            else:
                found = connection.execute(_COUNTS_OF, values | {"kinds": list(kinds)})
            return {item: count for item, count in found}, last
