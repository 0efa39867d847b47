"""Times at the edge: seconds, milliseconds or ISO 8601 in, seconds since the epoch inside."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime

import polars as pl

from warmstart.data.times import EARLIEST, LATEST, read_times
from warmstart.errors import DataError

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
AHEAD = 86_400  # seconds by which a client's clock may be ahead of ours


class Clock:
    """Seconds since the epoch that never go back, whatever the machine's clock does."""

    def __init__(self) -> None:
        self._last, self._lock = 0, threading.Lock()

    def now(self) -> int:
        """The present second, or the last one that was told if the clock went back."""
        with self._lock:
            self._last = max(self._last, int(time.time()))
            return self._last


def seconds(value: str | float, place: str) -> int:
    """Seconds since the epoch, UTC, of a time as a client writes it.

    Raises
    ------
    DataError
        If it cannot be read, or is before 1990, or more than a day ahead.

    Examples
    --------
    >>> seconds(1_700_000_000_123, "time"), seconds("2023-11-14T22:13:20Z", "time")
    (1700000000, 1700000000)
    """
    found = _usual(value)
    if found is None:
        read = read_times(pl.Series([value], strict=False))
        found = int(read.seconds[0])
        if found < 0:
            why = read.reason[0] or "no time"
            raise DataError(f"{place} is {str(value)[:40]!r}: {why}; give seconds, milliseconds or ISO 8601")
    if found > time.time() + AHEAD:
        raise DataError(f"{place} is {str(value)[:40]!r}, more than a day ahead of this server's clock; mend the clock")
    return found


def _usual(value: str | float) -> int | None:
    """What most clients send, as ``read_times`` reads it but a hundred times as fast; None = let that read it.

    Examples
    --------
    >>> _usual(1_700_000_000_123), _usual("2023-11-14T23:13:20.5+01:00"), _usual("14 November")
    (1700000000, 1700000000, None)
    """
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value) if MOMENT.match(value) else None
        except ValueError:
            return None
        value = -1 if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if EARLIEST <= value < LATEST:
        return int(value)
    return int(value // 1000) if EARLIEST * 1000 <= value < LATEST * 1000 else None


def iso(at: int) -> str:
    """ISO 8601 of seconds since the epoch.

    Examples
    --------
    >>> iso(1_700_000_000)
    '2023-11-14T22:13:20Z'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
