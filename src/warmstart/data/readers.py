"""Anything that holds a table -> a polars frame."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from warmstart.data.atomic import ATOMIC, read_atomic
from warmstart.data.decode import unpack
from warmstart.data.delimited import read_delimited
from warmstart.data.foreign import is_frame, read_frame
from warmstart.data.jsonlines import read_json
from warmstart.data.series import tidy
from warmstart.data.sql import SQL, read_sql
from warmstart.data.table import Table
from warmstart.errors import DataError

Source = Any  # a path, a File, a SQL, or a frame
FORMATS = ".csv, .tsv, .txt, .dat, .parquet, .jsonl, .ndjson, .json, RecBole atomic files, each also as .gz"
PARQUET_MAGIC = b"PAR1"
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)  # what polars may raise


@dataclass(frozen=True)
class File:
    """A file whose format has to be told.

    Parameters
    ----------
    path
        Where it is.
    encoding
        A codec name such as ``"big5"``; None = guessed (UTF-8, UTF-16, GB 18030, Windows-1252).
    separator
        Of a delimited file; None = found out.

    Examples
    --------
    >>> File("ratings.csv", encoding="big5").separator is None
    True
    """

    path: str | Path
    encoding: str | None = None
    separator: str | None = None


def read_table(source: Source) -> Table:
    """A table from a path, a ``File``, ``sql:URL::QUERY``, a ``SQL``, or a frame of any library.

    Raises
    ------
    DataError
        If there is no such file, it is empty, or it is not what its name says.

    Examples
    --------
    >>> read_table({"user": ["u1"], "item": ["i1"]}).frame.rows()
    [('u1', 'i1')]
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str) and (query := SQL.parse(source)):
        return read_sql(query)
    if isinstance(source, SQL):
        return read_sql(source)
    if isinstance(source, str | Path):
        return read_file(File(source))
    if isinstance(source, File):
        return read_file(source)
    if is_frame(source):
        return read_frame(source)
    raise DataError(
        f"a {type(source).__name__} is no table; give a path, a pandas, polars or Arrow frame, or SQL(url, query)"
    )


def read_file(file: File) -> Table:
    """The table in a file, by its suffix, or in a folder of Parquet parts; gzip is seen through.

    Raises
    ------
    DataError
        If the file is missing, empty, unreadable, or of no known format.

    Examples
    --------
    >>> read_file(File("nowhere.csv"))
    Traceback (most recent call last):
    ...
    warmstart.errors.DataError: there is no file 'nowhere.csv'; check the path
    """
    path = Path(file.path)
    if parts := parts_of(path):
        return _parts(parts, path.name)
    if not path.is_file():
        what = "is a folder, not a table; give one of its files" if path.is_dir() else None
        raise DataError(f"'{path}' {what}" if what else f"there is no file '{path}'; check the path")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"'{path}' cannot be read ({error.strerror}); check its permissions") from error
    return read_bytes(raw, path.name, encoding=file.encoding, separator=file.separator)


def read_bytes(raw: bytes, name: str, *, encoding: str | None = None, separator: str | None = None) -> Table:
    r"""The table in the bytes of a file called ``name``.

    Raises
    ------
    DataError
        Whatever is wrong with the bytes.

    Examples
    --------
    >>> read_bytes(b"user,item\n1,a\n", "x.csv").frame.rows()
    [('1', 'a')]
    """
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    if not raw:
        raise DataError(f"{name} is empty; write a header line and at least one row into it")
    if suffix in (".parquet", ".pq"):
        return _parquet(unpack(raw, name), name)
    if suffix in (".jsonl", ".ndjson", ".json"):
        return read_json(raw, name, encoding)
    if suffix in ATOMIC:
        return read_atomic(raw, name, encoding)
    if suffix in (".tsv", ".tab"):
        return read_delimited(raw, name, separator=separator or "\t", encoding=encoding)
    if suffix in (".csv", ".txt", ".dat", ".data", ".item", ""):
        return read_delimited(raw, name, separator=separator, encoding=encoding)
    raise DataError(f"{name} has the suffix {suffix!r}, which is no known format; known are {FORMATS}")


def parts_of(folder: Path) -> list[Path]:
    """The files ``part-*.parquet`` of a folder that is one table in parts; none of any other."""
    return sorted(folder.glob("part-*.parquet")) if folder.is_dir() else []


def _parts(paths: list[Path], name: str) -> Table:
    try:
        frame = pl.read_parquet(paths, glob=False)
    except UNREADABLE as error:
        raise damaged(name, error, len(paths)) from error
    return Table(tidy(frame), name)


def damaged(name: str, error: BaseException, parts: int = 1) -> DataError:
    """What is said of Parquet that cannot be read."""
    why = " ".join(str(error).split())[:100]
    if parts == 1:
        return DataError(f"{name} is a damaged Parquet file ({why}); write it again")
    return DataError(
        f"{name} has {parts} Parquet parts that cannot be read as one table ({why}); "
        "give all of them the same columns, or write them again"
    )


def _parquet(raw: bytes, name: str) -> Table:
    if not (raw.startswith(PARQUET_MAGIC) and raw.endswith(PARQUET_MAGIC)):
        raise DataError(f"{name} is no Parquet file (its first and last bytes say so); name it by its true format")
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except UNREADABLE as error:
        raise damaged(name, error) from error
    return Table(tidy(frame), name)
