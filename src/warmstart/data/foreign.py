"""Frames of other libraries to polars, told by how they look: none of those libraries is imported."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from warmstart.data.series import series_of, tidy
from warmstart.data.table import Table
from warmstart.errors import DataError

Frame = Any


def is_frame(source: object) -> bool:
    """Whether the object is a frame this module can turn into polars.

    Examples
    --------
    >>> is_frame(pl.DataFrame()), is_frame({"a": [1]}), is_frame("ratings.csv")
    (True, True, False)
    """
    if isinstance(source, pl.DataFrame | pl.LazyFrame | dict):
        return True
    if isinstance(source, list | tuple):
        return all(isinstance(row, dict) for row in source)
    return _is_pandas(source) or hasattr(source, "__arrow_c_stream__") or hasattr(source, "toPandas")


def read_frame(source: Frame) -> Table:
    """A polars, pandas, Arrow or Spark frame, a mapping of columns, or a list of row mappings.

    pandas needs no pyarrow: columns go through numpy or plain lists, so mixed types become text.

    Raises
    ------
    DataError
        If the columns differ in length or cannot be represented.

    Examples
    --------
    >>> read_frame([{"user": 1, "item": "a"}, {"user": 2}]).frame.rows()
    [(1, 'a'), (2, None)]
    """
    origin = f"a {type(source).__module__.split('.')[0]} {type(source).__name__}".replace("builtins ", "")
    if _is_pandas(source):
        return Table(_from_pandas(source), "a pandas frame")
    if hasattr(source, "toPandas"):
        return Table(_from_pandas(source.toPandas()), "a Spark frame")
    try:
        return Table(tidy(_native(source)), origin)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{origin} is no table ({error}); give columns of equal length") from error


def _native(source: Frame) -> pl.DataFrame:
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, dict):
        return pl.DataFrame([series_of(str(name), list(values)) for name, values in source.items()])
    if isinstance(source, list | tuple):
        names = dict.fromkeys(str(name) for row in source for name in row)
        return pl.DataFrame([series_of(name, [row.get(name) for row in source]) for name in names])
    return pl.DataFrame(source)


def _is_pandas(source: object) -> bool:
    kind = type(source)
    return kind.__module__.split(".")[0] == "pandas" and kind.__name__ == "DataFrame"


def _from_pandas(frame: Frame) -> pl.DataFrame:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"column {twice!r} occurs twice in a pandas frame; rename or drop one")
    return pl.DataFrame([_column(name, frame.iloc[:, at]) for at, name in enumerate(names)])


def _column(name: str, column: Frame) -> pl.Series:
    kind = column.dtype
    if getattr(kind, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "iufb":
        return _plain(pl.Series(name, np.array(column.to_numpy())))
    if isinstance(kind, np.dtype) and kind.kind == "M":
        return pl.Series(name, column.to_numpy().astype("datetime64[us]"))
    values, missing = column.astype(object).tolist(), column.isna().tolist()
    return series_of(name, [None if gone else value for value, gone in zip(values, missing, strict=True)])


def _plain(column: pl.Series) -> pl.Series:
    return column.cast(pl.Float64).fill_nan(None) if column.dtype.is_float() else column
