"""Ids of any dtype -> text; and text columns that hold numbers -> numbers."""

from __future__ import annotations

import polars as pl

from warmstart.data.series import WHOLE

MISSING_WORDS = ("", "nan", "NaN", "NaT", "None", "null", "NULL", "<NA>")
FLOAT_ID = r"^-?[0-9]+\.0+$"
NUMBER = r"^[+-]?(0|[1-9][0-9]{0,14})(\.[0-9]+)?$"  # no leading zeros: zip codes and ISBNs stay text


def id_text(column: pl.Series) -> pl.Series:
    """Ids as text, null where missing: 12 and 12.0 give ``"12"``, blanks around go, ``nan`` and ``None`` are missing.

    Text such as ``"12.0"`` becomes ``"12"`` only if every id of the column looks so (a float column written to CSV).

    Examples
    --------
    >>> id_text(pl.Series([12.0, None, 7.5])).to_list(), id_text(pl.Series([" b1 ", "nan"])).to_list()
    (['12', None, '7.5'], ['b1', None])
    """
    if column.dtype.is_float():
        number = column.set(~column.is_finite().fill_null(value=False), None)
        whole = ((number == number.floor()) & (number.abs() < WHOLE)).fill_null(value=False)
        return number.set(~whole, None).cast(pl.Int64).cast(pl.String).zip_with(whole, number.cast(pl.String))
    text = column.cast(pl.String, strict=False).str.strip_chars()
    text = text.set(text.is_in(MISSING_WORDS).fill_null(value=False), None)
    if text.len() > text.null_count() and text.str.contains(FLOAT_ID).all():
        return text.str.replace(r"\.0+$", "")
    return text


def infer_types(frame: pl.DataFrame, keep: tuple[str, ...]) -> pl.DataFrame:
    """Blank text becomes null, and a text column whose every value is a plain number becomes numbers.

    Parameters
    ----------
    frame
        A table of items or users.
    keep
        Columns that stay text whatever they hold (ids, titles).

    Examples
    --------
    >>> infer_types(pl.DataFrame({"age": ["24", ""], "zip": ["02139", "85711"]}), keep=()).rows()
    [(24, '02139'), (None, '85711')]
    """
    return frame.with_columns(
        _typed(column, as_text=column.name in keep) for column in frame.get_columns() if column.dtype == pl.String
    )


def _typed(column: pl.Series, *, as_text: bool) -> pl.Series:
    blank = column.str.strip_chars().is_in(["", "nan", "NaN", "<NA>"]).fill_null(value=False)
    text = column.set(blank, None)
    if as_text or text.null_count() == len(text) or not text.str.contains(NUMBER).all():
        return text
    number = text.cast(pl.Float64)
    return number if text.str.contains(".", literal=True).any() else number.cast(pl.Int64)
