"""What a whole column looks like, in a few of its rows.

Some columns are read by what all their values look like: ids written ``12.0`` lose the ``.0`` only where every one is
written so, small numbers are an order of events only where no time is among them. A part of the table cannot know. So
each part is read together with rows that decide such questions, taken from the whole: its witnesses.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from warmstart.data.clean import Rules, judge
from warmstart.data.ids import FLOAT_ID, MISSING_WORDS
from warmstart.data.times import EARLIEST, LATEST, NO_TEXT, NUMBER, UNITS, days_of

IDS = ("user_id", "item_id", "kind")


def witnesses(frame: pl.DataFrame) -> list[int]:
    """Positions of rows that decide as all rows do how the columns are read, ascending.

    Parameters
    ----------
    frame
        Events under canonical names.

    Examples
    --------
    >>> witnesses(pl.DataFrame({"user_id": ["1.0", "x", "y"], "item_id": [1, 2, 3], "time": [9, 5, 7]}))
    [0, 1]
    """
    found = [_first(_unlike_floats(frame[name])) for name in IDS if name in frame.columns]
    if "time" in frame.columns:
        found += _of_times(frame["time"])
    return sorted({at for at in found if at is not None})


def judged_beside(rows: pl.DataFrame, known: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Rows of a part, judged (``clean.judge``) as they are among all.

    Parameters
    ----------
    rows
        Events under canonical names.
    known
        The witnesses of the whole, with the same columns.

    Examples
    --------
    >>> known = pl.DataFrame({"user_id": ["x"], "item_id": ["9"]})
    >>> judged_beside(pl.DataFrame({"user_id": ["1.0"], "item_id": ["5"]}), known, Rules())["user_id"].to_list()
    ['1.0']
    """
    plain = rows.cast(dict(known.schema))  # type: ignore[arg-type]
    return judge(pl.concat([plain, known]), rules)[0].head(rows.height)


def _unlike_floats(column: pl.Series) -> pl.Series:
    """Where an id is text that does not end in ``.0``."""
    if column.dtype != pl.String:
        return pl.Series([False] * len(column), dtype=pl.Boolean)
    text = column.str.strip_chars()
    return text.is_not_null() & ~text.is_in(MISSING_WORDS) & ~text.str.contains(FLOAT_ID)


def _of_times(column: pl.Series) -> Iterator[int | None]:
    """Some text, the smallest and the largest number, one that is no day, one of each unit."""
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        known = text.is_not_null() & ~text.is_in(NO_TEXT)
        plain = text.str.contains(NUMBER).fill_null(value=False)
        yield _first(known & ~plain)
        number = text.set(~plain, None).cast(pl.Float64, strict=False)
    elif column.dtype.is_numeric():
        number = column.cast(pl.Float64, strict=False)
    else:
        return
    yield _first(~number.is_finite())
    number = number.set(~number.is_finite().fill_null(value=False), None)
    yield number.arg_min()
    yield number.arg_max()
    yield _first(number.is_not_null() & days_of(number).is_null())
    for _, per_second in UNITS:
        yield _first(number.is_between(EARLIEST * per_second, LATEST * per_second, closed="left"))


def _first(mask: pl.Series) -> int | None:
    at = mask.fill_null(value=False).arg_true()
    return int(at[0]) if len(at) else None
