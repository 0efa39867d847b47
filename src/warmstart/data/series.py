"""Columns of any Python values to columns of one type: the answer to mixed types."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from warmstart.errors import DataError

JOIN = "|"
WHOLE = 2**53  # floats below it that are whole numbers are shown without ".0"
INT64 = 2**63
Cell = Any


def is_missing(value: Cell) -> bool:
    """None, NaN, and the missing marks of pandas.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing(""), is_missing(0)
    (True, True, False, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, float) and math.isnan(value)


def text_of(value: Cell) -> str:
    """One value as text: whole floats without ``.0``, lists joined by ``|``, mappings as JSON.

    Examples
    --------
    >>> text_of(12.0), text_of(["Drama", "Crime"]), text_of({"a": 1}), text_of("x")
    ('12', 'Drama|Crime', '{"a": 1}', 'x')
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")  # lone surrogates are no UTF-8
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE:
        return str(int(value))
    if isinstance(value, Mapping):
        return text_of(json.dumps(value, ensure_ascii=False, default=str))
    if isinstance(value, Iterable) and not hasattr(value, "isoformat"):
        return JOIN.join(text_of(v) for v in value if not is_missing(v))
    return text_of(str(value))


def series_of(name: str, values: Sequence[Cell]) -> pl.Series:
    """A column of one type: whole numbers, numbers, truth values or times if all are; else text.

    Examples
    --------
    >>> series_of("a", [1, None, 2.5]).to_list(), series_of("b", [1, "x", None]).to_list()
    ([1.0, None, 2.5], ['1', 'x', None])
    """
    clean = [None if is_missing(v) else v for v in values]
    known = [v for v in clean if v is not None]
    if not known:
        return pl.Series(name, clean, dtype=pl.String)
    for fits, build in KINDS:
        if all(fits(v) for v in known):
            return build(name, clean)
    return _texts(name, clean)


def tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows with plain columns only: numbers, text, truth values, dates; NaN becomes null.

    Examples
    --------
    >>> tidy(pl.DataFrame({"g": [["a", "b"], None], "x": [1.0, float("nan")]})).rows()
    [('a|b', 1.0), (None, None)]
    """
    try:
        return pl.DataFrame([_plain(column) for column in frame.get_columns()])
    except pl.exceptions.PolarsError as error:
        raise DataError(f"a column has a type that cannot be used ({error}); turn it into text or numbers") from error


def _plain(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind.is_float():
        return column.cast(pl.Float64).fill_nan(None)
    if kind.is_integer() or kind in (pl.String, pl.Boolean, pl.Date) or isinstance(kind, pl.Datetime):
        return column
    if kind.is_decimal():
        return column.cast(pl.Float64)
    if isinstance(kind, pl.Categorical | pl.Enum) or kind in (pl.Null, pl.Time):
        return column.cast(pl.String)
    if isinstance(kind, pl.List) and kind.inner == pl.String:
        return column.list.drop_nulls().list.join(JOIN)
    return series_of(column.name, column.to_list())


def _texts(name: str, values: Sequence[Cell]) -> pl.Series:
    return pl.Series(name, [None if v is None else text_of(v) for v in values], dtype=pl.String)


def _integers(name: str, values: Sequence[Cell]) -> pl.Series:
    if any(v is not None and not -INT64 <= v < INT64 for v in values):
        return _texts(name, values)
    return pl.Series(name, [None if v is None else int(v) for v in values], dtype=pl.Int64)


def _numbers(name: str, values: Sequence[Cell]) -> pl.Series:
    try:
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64).fill_nan(None)
    except OverflowError:
        return _texts(name, values)


def _times(name: str, values: Sequence[Cell]) -> pl.Series:
    return pl.Series(name, [None if v is None else _utc(v) for v in values], dtype=pl.Datetime("us"))


def _utc(value: dt.date) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    plain = value.replace(tzinfo=None, fold=0)
    offset = value.utcoffset()
    try:
        return plain - offset if offset else plain
    except OverflowError:  # the first or last day there is
        return plain


def _is_integer(value: Cell) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Cell) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


KINDS: tuple[tuple[Callable[[Cell], bool], Callable[[str, Sequence[Cell]], pl.Series]], ...] = (
    (lambda v: isinstance(v, str), _texts),
    (lambda v: isinstance(v, bool), lambda name, values: pl.Series(name, values, dtype=pl.Boolean)),
    (_is_integer, _integers),
    (_is_number, _numbers),
    (lambda v: isinstance(v, dt.date), _times),
)
