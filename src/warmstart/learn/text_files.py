"""Texts of a file, found again by their place, so that a file may be larger than memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from warmstart.errors import DataError

LONGEST = 1 << 20  # bytes of a line
_PLAIN = (".txt", ".text", ".md")
_JSON = (".jsonl", ".ndjson")
_TABLES = (".csv", ".tsv", ".parquet")


class Part(Protocol):
    """Some of the texts of a corpus."""

    def scan(self) -> Iterator[tuple[int, str]]:
        """Place and text of each, one after the other; blank ones are left out."""
        ...

    def read(self, place: int) -> str:
        """The text of a place that ``scan`` gave."""
        ...


class Listed:
    """Texts that are in memory.

    Examples
    --------
    >>> list(Listed(["a  film", " "]).scan())
    [(0, 'a film')]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def scan(self) -> Iterator[tuple[int, str]]:
        """As ``Part`` says; a place is a position."""
        return ((i, text) for i in range(len(self.texts)) if (text := self.read(i)))

    def read(self, place: int) -> str:
        """The text of a position."""
        return " ".join(self.texts[place].split())


class Lines:
    """A UTF-8 file with a text a line, or with a JSON object a line.

    Parameters
    ----------
    path
        The file.
    field
        Which field of the object is the text; None = the line is.
    name
        What to call the file in messages; None = by its path.
    """

    def __init__(self, path: Path, field: str | None = None, name: str | None = None) -> None:
        self.path, self.field, self.name = path, field, name or str(path)

    def scan(self) -> Iterator[tuple[int, str]]:
        """As ``Part`` says; a place is the offset of a line in bytes.

        Raises
        ------
        DataError
            If the file cannot be read as what its name says, a line is longer than a megabyte, or no line has a text.
        """
        place, number, found = 0, 0, False
        try:
            with self.path.open("rb") as file:
                while line := file.readline(LONGEST + 1):
                    number += 1
                    if text := self._text(line, f"line {number}"):
                        found = True
                        yield place, text
                    place += len(line)
        except OSError as error:
            raise DataError(f"'{self.name}' cannot be read ({error.strerror}); give a file of texts") from error
        if not found:
            where = "" if self.field is None else f" in column {self.field!r}"
            remedy = "give a file with a text a line" if self.field is None else "name another column (--column)"
            raise DataError(f"'{self.name}' holds no text{where}; {remedy}")

    def read(self, place: int) -> str:
        """The text of the line that begins at an offset."""
        with self.path.open("rb") as file:
            file.seek(place)
            return self._text(file.readline(LONGEST + 1), f"byte {place}")

    def _text(self, line: bytes, place: str) -> str:
        if len(line) > LONGEST:
            raise DataError(f"'{self.name}', {place}: longer than {LONGEST:,} bytes; write one paragraph a line")
        try:
            text = line.decode("utf-8")
            text = text if self.field is None else self._value(json.loads(text.strip("\ufeff \r\n") or "{}"))
        except UnicodeDecodeError as error:
            raise DataError(f"'{self.name}', {place}: not UTF-8 ({error.reason}); save the file as UTF-8") from error
        except (TypeError, ValueError) as error:
            raise DataError(f"'{self.name}', {place}: no JSON object ({error}); write one a line") from error
        if "\x00" in text:
            raise DataError(f"'{self.name}', {place}: not UTF-8 but another coding, or no text; save it as UTF-8")
        return " ".join(text.lstrip("\ufeff").split())

    def _value(self, row: Any) -> str:
        if not isinstance(row, dict):
            raise TypeError(f"a {type(row).__name__}")
        value = row.get(str(self.field))
        return value if isinstance(value, str) else ""


def open_texts(path: Path, column: str, spool: Path) -> Lines:
    """The texts of a file: ``.txt`` and ``.md`` have one a line, ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet`` a column.

    Parameters
    ----------
    path
        The file.
    column
        Column of a table, field of JSON objects.
    spool
        Folder into which the column of a table is written as lines, a piece at a time: rows of such files cannot be
        found by their place.

    Raises
    ------
    DataError
        If the kind of file is not known, there is no such column, or it cannot be read.
    """
    kind = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"'{path}' is no file; give a file of texts")
    if kind in _PLAIN:
        return Lines(path)
    if kind in _JSON:
        return Lines(path, column)
    if kind not in _TABLES:
        raise DataError(f"'{path}' is of no known kind; give {', '.join((*_PLAIN, *_JSON, *_TABLES))}")
    target = spool / f"{len(list(spool.iterdir()))}.jsonl"
    try:
        _spool(path, kind, column, target)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"'{path}' cannot be read as {kind} ({reason}); save it again, in UTF-8") from error
    return Lines(target, column, str(path))


def _spool(path: Path, kind: str, column: str, target: Path) -> None:
    """Write a column of a table as JSON lines, in bounded memory."""
    separator = "\t" if kind == ".tsv" else ","
    table = pl.scan_parquet(path) if kind == ".parquet" else pl.scan_csv(path, separator=separator, infer_schema=False)
    names = table.collect_schema().names()
    if column not in names:
        raise DataError(f"'{path}' has no column {column!r}; it has {names}; name one of them (--column)")
    values = table.select(pl.col(column).cast(pl.String)).filter(pl.col(column).str.strip_chars() != "")
    values.sink_ndjson(target)
