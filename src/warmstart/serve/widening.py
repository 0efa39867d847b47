"""New columns of the catalogue: as many as may be, however many requests bring them at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from warmstart.errors import Busy, DataError
from warmstart.serve.service import Service

COLUMNS = 500  # of the whole catalogue: each takes memory for every item
LOCK = "columns"
HELD, WAIT, AGAIN = 60.0, 10.0, 0.02  # seconds a request may hold the lock, waits for it, and looks again


@contextmanager
def widening(service: Service) -> Iterator[None]:
    """Only one request at a time looks what columns there are and brings others, in all processes of a store.

    Raises
    ------
    Busy
        If others do so for too long.
    """
    holder, end = uuid4().hex, time.monotonic() + WAIT
    if not service.widening.acquire(timeout=WAIT):
        raise _busy()
    try:
        while not service.store.lock(LOCK, holder, HELD):
            if time.monotonic() >= end:
                raise _busy()
            time.sleep(AGAIN)
        try:
            yield
        finally:
            service.store.unlock(LOCK, holder)
    finally:
        service.widening.release()


def _busy() -> Busy:
    return Busy("other requests bring new columns of items just now; send it again in a second")


def widen(columns: set[str], fields: Mapping[str, Any]) -> None:
    """Add what an item brings to the columns of the catalogue, unless they would be too many.

    Raises
    ------
    DataError
        If they would.
    """
    new = sorted(fields.keys() - columns)
    if new and len(columns) + len(new) > COLUMNS:
        named = ", ".join(f"{name!r:.40}" for name in new[:2]) + (", ..." if len(new) > 2 else "")
        why = f"bring new columns ({named}), and the catalogue would have {len(columns) + len(new)} of them"
        raise DataError(f"fields {why}, more than {COLUMNS}; leave out what is new, or join columns")
    columns.update(new)
