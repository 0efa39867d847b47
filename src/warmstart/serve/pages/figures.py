"""Numbers and times as pages write them."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from urllib.parse import quote

from markupsafe import Markup

from warmstart.serve.metrics import FAST

STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def count(value: float) -> str:
    """A whole number.

    Examples
    --------
    >>> count(12345), count(float("nan"))
    ('12,345', '–')
    """
    return "–" if math.isnan(value) else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """A share.

    Examples
    --------
    >>> percent(0.1234), percent(0.0123), percent(1), percent(None)
    ('12.3 %', '1.23 %', '100 %', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    return f"{100 * value:.3g} %"


def figure(value: float | None) -> str:
    """A number with three digits that count.

    Examples
    --------
    >>> figure(0.01234), figure(12.3456), figure(1234.5), figure(None), figure(0)
    ('0.0123', '12.3', '1,234', '–', '0')
    """
    if value is None or math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def fourth(value: float | None) -> str:
    """A measure between 0 and 1.

    Examples
    --------
    >>> fourth(0.2), fourth(None)
    ('0.2000', '–')
    """
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def milliseconds(value: float | None) -> str:
    """A duration.

    Examples
    --------
    >>> milliseconds(3.21), milliseconds(None), milliseconds(float("inf"))
    ('3.21 ms', '–', '> 10 s')
    """
    if value == math.inf:  # of a histogram, which counts no further
        return f"> {FAST[-1]:g} s"
    return "–" if value is None or math.isnan(value) else f"{figure(value)} ms"


def when(at: int) -> Markup:
    """A time, UTC, to the minute.

    Examples
    --------
    >>> when(1_700_000_000)
    Markup('<time datetime="2023-11-14T22:13:20Z">2023-11-14 22:13</time>')
    """
    if not at:
        return Markup("–")
    told = datetime.fromtimestamp(at, UTC)
    return Markup('<time datetime="{}">{}</time>').format(f"{told:%Y-%m-%dT%H:%M:%SZ}", f"{told:%Y-%m-%d %H:%M}")


def ago(at: int, now: float | None = None) -> str:
    """How long something is past.

    Examples
    --------
    >>> ago(100, 100 + 7_300), ago(100, 130)
    ('2 h', '30 s')
    """
    past = max(0, int((time.time() if now is None else now) - at))
    return next((f"{past // size} {unit}" for size, unit in STEPS if past >= size), f"{past} s")


def in_path(name: str) -> str:
    """An id as one segment of an address.

    Examples
    --------
    >>> in_path("films/alien 3")
    'films%2Falien%203'
    """
    return quote(name, safe="")


FILTERS = {
    "in_path": in_path,
    "count": count,
    "percent": percent,
    "figure": figure,
    "fourth": fourth,
    "milliseconds": milliseconds,
    "when": when,
    "ago": ago,
}
