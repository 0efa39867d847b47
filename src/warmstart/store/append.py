"""Appending events: many rows in one statement."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ARRAY, Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql

from warmstart.store.rows import Event
from warmstart.store.tables import EVENTS
from warmstart.store.upsert import COUNTED, add_rows

NAMES = ("event_id", "user_id", "item_id", "kind", "time", "value", "weight", "recommendation_id")
APPENDING = 0x6576656E  # number of PostgreSQL's lock that lets one transaction append at a time
_LOCK = select(func.pg_advisory_xact_lock(APPENDING))
_ARRAYS = [bindparam(name, type_=ARRAY(EVENTS.c[name].type)) for name in NAMES]
_GIVEN = func.unnest(*_ARRAYS).table_valued(*NAMES, name="given").render_derived()
_APPEND = (
    postgresql.insert(EVENTS)
    .from_select(NAMES, select(*(_GIVEN.c[name] for name in NAMES)))
    .on_conflict_do_nothing(index_elements=["event_id"])
)


def append(connection: Connection, rows: Sequence[dict[str, object]]) -> int:
    """Append rows whose ``event_id`` is not there yet, within the caller's transaction; how many are new.

    On PostgreSQL appending transactions wait for each other: else a number could become visible after a larger one,
    and who reads "all after the last number I saw" would miss it. SQLite has one writer anyway.
    """
    if not rows:
        return 0
    if connection.dialect.name != "postgresql":
        return add_rows(connection, EVENTS, rows)
    connection.execute(_LOCK)
    columns = {name: [row[name] for row in rows] for name in NAMES}
    return connection.execute(_APPEND, columns, execution_options=COUNTED).rowcount


def rows_of(events: Sequence[Event]) -> list[dict[str, object]]:
    """Events as rows of their table, without numbers."""
    return [
        {
            "event_id": event.event_id,
            "user_id": event.user_id,
            "item_id": event.item_id,
            "kind": event.kind,
            "time": event.time,
            "value": _number(event.value),
            "weight": _number(event.weight),
            "recommendation_id": event.recommendation_id,
        }
        for event in events
    ]


def _number(value: float | None) -> float | None:
    """NaN is no number to SQLite."""
    return None if value is None or value != value else value
