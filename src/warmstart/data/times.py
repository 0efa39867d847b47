"""Times of any customary form -> seconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from warmstart.data.interactions import NO_TIME

EARLIEST = 631_152_000  # 1990-01-01
LATEST = 4_102_444_800  # 2100-01-01
UNITS = (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))
ISO = (
    r"^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})"
    r"(?:[T ]+(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,]\d+)?)?)?"
    r"\s*(?<zone>[Zz]|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?$"
)
NUMBER = r"^[+-]?[0-9]+(\.[0-9]*)?([eE][+]?[0-9]+)?$"
NO_TEXT = ("", "nan", "NaN", "NaT", "None", "null", "NULL")  # no time, written out
UNREADABLE = "time cannot be read (ISO 8601, seconds or milliseconds are)"
TOO_EARLY = "time before 1990"
TOO_LATE = "time after 2100"


@dataclass(frozen=True)
class Times:
    """A column of times, understood.

    Parameters
    ----------
    seconds
        Int64, seconds since the epoch, UTC; -1 where there is no time or it was refused.
    reason
        String: why the row's time is refused; null where it is not.
    form
        What was found: ``"seconds"``, ``"milliseconds"``, ``"ISO 8601"``, ``"dates"``, ``"order"``, ``"none"`` ...
    """

    seconds: pl.Series
    reason: pl.Series
    form: str


def read_times(column: pl.Series) -> Times:
    """Times of a column, each value judged by itself: no two units overlap between 1990 and 2100.

    Numbers are seconds, milliseconds, microseconds or nanoseconds since the epoch, or days written as 20190131.
    Text is ISO 8601 (with or without time, fraction and zone; without a zone it is UTC) or such a number.
    A column of small numbers that never reach 1990 is an order of events, not a time: nothing is refused, every
    second is -1 and ``form`` is ``"order"`` (``"none"`` if the numbers are all equal).

    Parameters
    ----------
    column
        Any dtype; null = no time.

    Examples
    --------
    >>> read_times(pl.Series(["2019-01-31T12:00:00Z", "2019-01-31 12:00+01:00", "soon", None])).seconds.to_list()
    [1548936000, 1548932400, -1, -1]
    >>> read_times(pl.Series([1548936000, 1548936000123, 7])).reason.to_list()
    [None, None, 'time before 1990']
    """
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return _judged(column.cast(pl.Datetime("us")).dt.epoch("s"), column, "dates")
    if column.dtype == pl.String:
        return _of_text(column)
    if column.dtype.is_numeric():
        return _of_numbers(column.cast(pl.Float64, strict=False), column)
    return _judged(pl.Series([None] * len(column), dtype=pl.Int64), column, "unreadable")


def _of_text(column: pl.Series) -> Times:
    text = column.str.strip_chars()
    text = text.set(text.is_in(NO_TEXT).fill_null(value=False), None)
    if text.null_count() == len(text):
        return _of_numbers(pl.Series([None] * len(text), dtype=pl.Float64), text)
    number = text.set(~text.str.contains(NUMBER).fill_null(value=False), None).cast(pl.Float64, strict=False)
    if number.null_count() == text.null_count():
        return _of_numbers(number, text)
    seconds = _iso(text).zip_with(number.is_null(), _scaled(number)[0])
    return _judged(seconds, text, "ISO 8601")


def _iso(text: pl.Series) -> pl.Series:
    part = text.to_frame("t").select(pl.col("t").str.extract_groups(ISO)).unnest("t")
    padded = [pl.col(c).fill_null("00").str.zfill(2) for c in ("month", "day", "hour", "minute", "second")]
    moment = pl.concat_str(["year", *padded], separator=" ").str.to_datetime("%Y %m %d %H %M %S", strict=False)
    digits = pl.col("zone").str.replace(":", "").str.extract(r"^([+-]\d{2}\d{0,2})$")
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    offset = (sign * (hours * 3600 + minutes * 60)).fill_null(0)
    return part.select((moment.dt.epoch("s") - offset).alias("s"))["s"]


def _of_numbers(number: pl.Series, column: pl.Series) -> Times:
    number = number.set(~number.is_finite().fill_null(value=False), None)
    n = len(number)
    nothing = pl.Series([NO_TIME] * n, dtype=pl.Int64)
    if number.null_count() == n and column.null_count() == n:
        return Times(nothing, pl.Series([None] * n, dtype=pl.String), "none")
    seconds, form = _scaled(number)
    days = days_of(number)
    if days.null_count() == number.null_count() < n:
        return _judged(days, column, "days")
    if (
        seconds is not None
        and bool((number.drop_nulls().is_between(0, EARLIEST, closed="left")).all())
        and len(number.drop_nulls())
    ):
        constant = number.drop_nulls().n_unique() == 1
        return Times(nothing, pl.Series([None] * n, dtype=pl.String), "none" if constant else "order")
    return _judged(seconds, column, form)


def _scaled(number: pl.Series) -> tuple[pl.Series, str]:
    """Seconds of numbers in whatever unit fits each; what fits none is taken as seconds, to be refused."""
    bounded = number.clip(-(2.0**62), 2.0**62)
    out, form = bounded, "seconds"
    for name, per_second in UNITS[1:]:
        fits = bounded.is_between(EARLIEST * per_second, LATEST * per_second, closed="left").fill_null(value=False)
        if fits.any():
            out, form = (bounded / per_second).zip_with(fits, out), name
    return out.floor().cast(pl.Int64), form


def days_of(number: pl.Series) -> pl.Series:
    """Seconds of days written as 20190131; null where the number is no such day."""
    whole = number.set(~number.is_between(19_900_101, 20_991_231).fill_null(value=False), None).cast(pl.Int64)
    return whole.cast(pl.String).str.to_datetime("%Y%m%d", strict=False).dt.epoch("s")


def _judged(seconds: pl.Series, column: pl.Series, form: str) -> Times:
    frame = pl.DataFrame({"s": seconds, "given": column.is_not_null()})
    s = pl.col("s")
    why = pl.when(~pl.col("given")).then(None).when(s.is_null()).then(pl.lit(UNREADABLE))
    why = why.when(s < EARLIEST).then(pl.lit(TOO_EARLY)).when(s >= LATEST).then(pl.lit(TOO_LATE))
    got = frame.select(why.otherwise(None).alias("reason"), s)
    kept = pl.when(pl.col("reason").is_null()).then(s).otherwise(None).fill_null(NO_TIME)
    return Times(got.select(kept.alias("s"))["s"], got["reason"], form)
