"""RecBole's atomic files: tab-separated, no quotes, a header of ``name:type``."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from warmstart.data.decode import decode, unpack
from warmstart.data.table import REFUSED, Table
from warmstart.errors import DataError

ATOMIC = {".inter": "events", ".item": "items", ".user": "users", ".kg": "graph", ".link": "links"}
TYPES = ("token", "token_seq", "float", "float_seq")
SHOWN = 200  # characters of a refused row that are kept


def read_atomic(raw: bytes, origin: str, encoding: str | None = None) -> Table:
    r"""Rows of an atomic file under names without types; sequences are joined by ``|``.

    Raises
    ------
    DataError
        If a column of the header has no type, or the file is empty.

    Examples
    --------
    >>> t = read_atomic(b"user_id:token\titem_id:token\trating:float\n1\ta\t4\n", "x.inter")
    >>> t.frame.rows(), t.frame.columns
    ([('1', 'a', 4.0)], ['user_id', 'item_id', 'rating'])
    """
    got = decode(unpack(raw, origin), origin, encoding)
    lines = [line.rstrip("\r") for line in got.text.split("\n") if line.strip()]
    if not lines:
        raise DataError(f"{origin} is empty; write a header such as user_id:token and at least one row into it")
    header = [name.strip().rpartition(":") for name in lines[0].split("\t")]
    untyped = [whole for name, _, whole in header if not name] or [kind for _, _, kind in header if kind not in TYPES]
    if untyped:
        raise DataError(f"{origin}, line 1: {untyped[0]!r} has no type; write name:type with one of {', '.join(TYPES)}")
    names, types = [name for name, _, _ in header], [kind for _, _, kind in header]
    if len(set(names)) != len(names):
        raise DataError(f"{origin}, line 1: a name occurs twice in {names}; rename one")
    rows = [line.split("\t") for line in lines[1:]]
    return _table(rows, names, types, origin)


def _table(rows: Sequence[list[str]], names: list[str], types: list[str], origin: str) -> Table:
    width = len(names)
    kept = [row for row in rows if len(row) == width]
    refused = [
        (n, f"{len(row)} fields for {width} columns", "\t".join(row)[:SHOWN])
        for n, row in enumerate(rows, 1)
        if len(row) != width
    ]
    columns = list(zip(*kept, strict=True)) or [()] * width
    series = [_column(n, t, c) for n, t, c in zip(names, types, columns, strict=True)]
    return Table(pl.DataFrame(series), origin, refused=pl.DataFrame(refused, schema=REFUSED, orient="row"))


def _column(name: str, kind: str, values: Sequence[str]) -> pl.Series:
    text = pl.Series(name, [v.strip() or None for v in values], dtype=pl.String)
    if kind == "float":
        number = text.cast(pl.Float64, strict=False)
        return number if number.null_count() == text.null_count() else text  # a value that is no number: judged later
    return text.str.replace_all(" ", "|") if kind == "token_seq" and name not in TEXTS else text


TEXTS = ("title", "movie_title", "name", "description", "text", "review")
