"""What a reader hands over: a frame, where it came from, and what had to be put right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

REFUSED = {"row": pl.Int64, "reason": pl.String, "text": pl.String}


def no_refusals() -> pl.DataFrame:
    """An empty list of refused rows: ``row`` (1-based), ``reason``, ``text``."""
    return pl.DataFrame(schema=REFUSED)


@dataclass(frozen=True)
class Table:
    """A table as read, before any meaning is given to its columns.

    Parameters
    ----------
    frame
        The rows that could be read; missing values are null, never NaN.
    origin
        A file name or ``"a pandas frame"``: the place an error message names.
    repairs
        What was put right while reading, by description, with the number of places.
    refused
        Rows that could not be read at all: ``row`` (1-based, the header not counted), ``reason``, ``text``.

    Examples
    --------
    >>> Table(pl.DataFrame({"a": [1]}), "a frame").repairs
    {}
    """

    frame: pl.DataFrame
    origin: str
    repairs: Mapping[str, int] = field(default_factory=dict)
    refused: pl.DataFrame = field(default_factory=no_refusals)
