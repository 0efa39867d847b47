"""JSON Lines, or one JSON array of objects."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from warmstart.data.decode import decode, unpack
from warmstart.data.foreign import read_frame
from warmstart.data.table import REFUSED, Table
from warmstart.errors import DataError

SHOWN = 200  # characters of a refused line that are kept
Row = dict[str, Any]


def read_json(raw: bytes, origin: str, encoding: str | None = None) -> Table:
    r"""One object a line; lines that are no objects are refused and kept.

    Raises
    ------
    DataError
        If the file is empty, is no text, or holds no object at all.

    Examples
    --------
    >>> t = read_json(b'{"user": 1, "item": "a"}\nnonsense\n', "x.jsonl")
    >>> t.frame.rows(), t.refused.rows()
    ([(1, 'a')], [(2, 'not a JSON object', 'nonsense')])
    """
    got = decode(unpack(raw, origin), origin, encoding)
    if not got.text.strip():
        raise DataError(f"{origin} is empty; write one JSON object a line into it")
    repairs = {f"characters replaced that are no {got.encoding}": got.replaced} if got.replaced else {}
    rows, refused = _array(got.text) or _lines(got.text)
    if not rows:
        raise DataError(f"{origin} holds no JSON object ({refused[0][2][:60]!r}); write one object a line")
    frame = read_frame(rows).frame
    if frame.width == 0:
        raise DataError(f"{origin} holds only empty JSON objects; write one object with named values a line")
    return Table(frame, origin, repairs, pl.DataFrame(refused, schema=REFUSED, orient="row"))


def _array(text: str) -> tuple[list[Row], list[tuple[int, str, str]]] | None:
    if not text.lstrip().startswith("["):
        return None
    found = _parse(text)
    if not isinstance(found, list):
        return None
    bad = [(n, "not a JSON object", str(row)[:SHOWN]) for n, row in enumerate(found, 1) if not isinstance(row, dict)]
    return [row for row in found if isinstance(row, dict)], bad or [(0, "", "[]")] * (not found)


def _lines(text: str) -> tuple[list[Row], list[tuple[int, str, str]]]:
    rows, refused = [], []
    lines = (line for line in text.split("\n") if line.strip())
    for n, line in enumerate(lines, 1):
        row = _parse(line)
        if isinstance(row, dict):
            rows.append(row)
        else:
            refused.append((n, "not a JSON object", line.strip()[:SHOWN].encode("utf-8", "replace").decode()))
    return rows, refused


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
