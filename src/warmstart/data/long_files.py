"""Files with more rows than are held as text: read some rows at a time."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from warmstart.data.delimited import blank_to_null, is_plain_header, sniff
from warmstart.data.readers import UNREADABLE, File, damaged, parts_of
from warmstart.data.series import tidy
from warmstart.data.sql import SQL
from warmstart.data.table import Table
from warmstart.errors import DataError

LONG = 1_000_000  # rows of Parquet
LONG_BYTES = 2**25  # of delimited text
BATCH = 250_000  # rows at a time
PIECE = 2**24  # bytes looked at together
HEAD = 2**16  # bytes that hold a first line
SEPARATORS = {".csv": None, ".txt": None, ".dat": None, ".data": None, ".tsv": "\t", ".tab": "\t"}


class Irregular(DataError):
    """A long file that has to be read whole: text that polars may read otherwise, columns of no plain values."""


@dataclass(frozen=True)
class LongTable:
    """A file of many rows, or a folder of Parquet parts.

    Parameters
    ----------
    origin
        The place an error message names.
    rows
        All rows, not read yet.
    count
        Rows of Parquet; None for delimited text, whose values are all text, "" for none.
    parts
        Files it consists of.
    """

    origin: str
    rows: pl.LazyFrame
    count: int | None = None
    parts: int = 1

    @property
    def delimited(self) -> bool:
        """Whether it is text."""
        return self.count is None

    @cached_property
    def head(self) -> Table:
        """A table of the same columns without any row."""
        return Table(pl.DataFrame(schema=self.rows.collect_schema()), self.origin)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """All rows in their order, ``BATCH`` at a time, as ``read_table`` gives them; of some columns, or of all.

        Raises
        ------
        Irregular
            If delimited text turns out to have rows of different lengths.
        DataError
            If Parquet is damaged.
        """
        seen = 0
        for part in self._raw(self.rows if columns is None else self.rows.select(columns)):
            if self.delimited and columns is None and part.to_series(-1).null_count():
                raise Irregular(f"{self.origin} has short rows")
            seen += part.height
            yield blank_to_null(part) if self.delimited else tidy(part)
        if self.count not in (None, seen):
            raise damaged(self.origin, ValueError(f"{seen:,} of {self.count:,} rows can be read"), self.parts)

    def _raw(self, rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
        try:
            yield from rows.collect_batches(chunk_size=BATCH, maintain_order=True)
        except UNREADABLE as error:
            if not self.delimited:
                raise damaged(self.origin, error, self.parts) from error
            raise Irregular(f"{self.origin} has rows of different lengths, or stray quotes") from error

    def texts(self, places: Sequence[int]) -> pl.DataFrame:
        """Rows at some places (ascending, 0 = first), all their columns as text."""
        none = self.head.frame if self.delimited else tidy(self.head.frame)
        wanted, found, start = pl.Series(places, dtype=pl.Int64), [none.cast(pl.String)], 0
        for part in self.batches() if len(wanted) else ():
            here = wanted.filter(wanted.is_between(start, start + part.height, closed="left"))
            found.append(part[(here - start).to_list()].cast(pl.String))
            start += part.height
        return pl.concat(found)


def long_table(source: Any) -> LongTable | None:
    """The table of a source that is read some rows at a time; None of any other: small, or no file.

    Raises
    ------
    Irregular
        If it is long, but has to be read whole.

    Examples
    --------
    >>> long_table({"user": ["u1"], "item": ["i1"]}) is None
    True
    """
    if isinstance(source, str) and SQL.parse(source):
        return None
    file = File(source) if isinstance(source, str | Path) else source
    if not isinstance(file, File):
        return None
    path = Path(file.path)
    suffix, there = path.suffix.lower(), path.is_file()
    if parts := parts_of(path):
        return _parquet(parts, path.name)
    if suffix in (".parquet", ".pq"):
        return _parquet([path], path.name) if there else None
    plain = there and suffix in SEPARATORS and not file.encoding
    return _delimited(path, file.separator or SEPARATORS[suffix]) if plain else None


def _parquet(paths: list[Path], origin: str) -> LongTable | None:
    try:
        rows = pl.scan_parquet(paths, glob=False)
        count, kinds = rows.select(pl.len()).collect().item(), rows.collect_schema()
    except UNREADABLE:
        return None  # what is wrong with it is told where it is read whole
    names = [n for n, kind in kinds.items() if isinstance(kind, pl.Categorical | pl.Enum) or kind == pl.Null]
    rows = rows.with_columns(pl.col(names).cast(pl.String))
    return LongTable(origin, rows, count, len(paths)) if count >= LONG else None


def _delimited(path: Path, separator: str | None) -> LongTable | None:
    """A long text that polars reads as ``read_delimited`` does, as far as its first line and its bytes tell."""
    try:
        if path.stat().st_size < LONG_BYTES:
            return None
        with path.open("rb") as file:
            first = file.read(HEAD).removeprefix(codecs.BOM_UTF8).split(b"\n", 1)[0].decode()
        between = separator or sniff(first)
        plain = bool(first.strip()) and is_plain_header(first, between) and _regular(path)
    except UnicodeDecodeError:
        plain = False
    except OSError:
        return None  # why is told where it is read whole
    if not plain:
        raise Irregular(f"{path.name} is not UTF-8 with plain names in its first line and customary ends of lines")
    return LongTable(path.name, pl.scan_csv(path, separator=between, infer_schema=False, glob=False))


def _regular(path: Path) -> bool:
    """Whether it is UTF-8 without zero bytes, and no line ends by a carriage return alone."""
    decoder, before = codecs.getincrementaldecoder("utf-8")(), b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            decoder.decode(piece)
            ends = before[-1:] + piece
            if b"\0" in piece or ends.removesuffix(b"\r").count(b"\r") > ends.count(b"\r\n"):
                return False
            before = piece
    decoder.decode(b"", final=True)
    return not before.endswith(b"\r")
