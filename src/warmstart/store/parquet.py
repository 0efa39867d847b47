"""The whole store as a folder of Parquet, and back, while it is used."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, Select, Table, Text, cast, select

from warmstart.errors import ArtefactError, DataError
from warmstart.store.columns import VectorColumn
from warmstart.store.frames import pages
from warmstart.store.part import Part
from warmstart.store.tables import ANSWERS, ERASED, EVENTS, EXPERIMENTS, ITEMS, MODELS, RECEIPTS, USERS, VECTORS

FORMAT = 1
PAGE = 100_000  # rows of a file
MANIFEST = "manifest.json"
EXPORTED = (ERASED, ITEMS, USERS, EVENTS, ANSWERS, MODELS, EXPERIMENTS, VECTORS, RECEIPTS)
INTERNAL = ("version", "deleted_at")  # of items: how processes hear of changes
Kinds = dict[str, pl.DataType]


class Exported(Part):
    """Copies."""

    def export_parquet(self, folder: str | Path) -> dict[str, int]:
        """Write every table as ``folder/<table>/00000.parquet`` and on, all of one moment; how many rows of each.

        Columns are those of the tables, JSON as text. Keys of the API, locks, documents and deleted items stay behind.
        Writers go on meanwhile. ``manifest.json`` is written last: without it a folder is no export.

        Parameters
        ----------
        folder
            Made by this; must not exist, or be empty.

        Raises
        ------
        DataError
            If the folder holds something already, or cannot be written.
        """
        target = Path(folder)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise DataError(f"{target} holds something already; export into a new folder")
        try:
            target.mkdir(parents=True, exist_ok=True)
            rows = self._write(target)
            manifest = {"format": FORMAT, "made_at": int(time.time()), "rows": rows}
            (target / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
        except BaseException as error:
            shutil.rmtree(target, ignore_errors=True)
            if isinstance(error, OSError | pl.exceptions.PolarsError):
                raise DataError(f"{target} cannot be written: {error}; export to another disk or folder") from error
            raise
        return rows

    def _write(self, folder: Path) -> dict[str, int]:
        rows: dict[str, int] = {}
        with self.database.snapshot() as connection:
            for table in EXPORTED:
                (folder / table.name).mkdir()
                rows[str(table.name)] = 0
                for number, page in enumerate(pages(connection, _query(table), kinds_of(table), PAGE)):
                    page.write_parquet(folder / table.name / f"{number:05}.parquet")
                    rows[table.name] += page.height
        return rows


def exported(folder: Path) -> dict[str, int]:
    """Rows of each table, as the manifest of an export says.

    Raises
    ------
    ArtefactError
        If the folder is no export, or one of a newer format.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        rows = {ERASED.name: 0} | manifest["rows"]  # which the first exports lack
        rows = {str(table.name): int(rows[table.name]) for table in EXPORTED}
        format_ = int(manifest["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{folder} is no export of a store ({MANIFEST}: {error}); name one that is") from error
    if format_ > FORMAT:
        raise ArtefactError(f"{folder} has format {format_}, and this warmstart knows none after {FORMAT}; upgrade it")
    return rows


def read_pages(folder: Path, table: Table, rows: int) -> Iterator[pl.DataFrame]:
    """The files of a table, one after the other, with the columns and types it must have.

    Raises
    ------
    ArtefactError
        If a file cannot be read, lacks a column, holds a wrong type or a null where none may be; or rows are missing.
    """
    found, kinds = 0, kinds_of(table)
    required = [name for name in kinds if not table.columns[name].nullable]
    for path in sorted((folder / table.name).glob("*.parquet")):
        try:
            page = pl.read_parquet(path).select(pl.col(name).cast(kind) for name, kind in kinds.items())
        except (OSError, pl.exceptions.PolarsError) as error:
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ArtefactError(f"{path} cannot be used: {line}; export anew") from error
        if empty := [name for name in required if page[name].null_count()]:
            raise ArtefactError(f"{path} has a row without {empty[0]}; export anew")
        found += page.height
        yield page
    if found != rows:
        raise ArtefactError(f"{folder / table.name} has {found:,} rows, the manifest says {rows:,}; export anew")


def kinds_of(table: Table) -> Kinds:
    """Columns of the Parquet files of a table, and their types."""
    return {column.name: _kind(column) for column in table.columns if not _internal(column)}


def _internal(column: Column) -> bool:
    return column.table is ITEMS and column.name in INTERNAL


def _kind(column: Column) -> pl.DataType:
    if isinstance(column.type, VectorColumn):
        return pl.List(pl.Float32())
    if isinstance(column.type, Boolean):
        return pl.Boolean()
    if isinstance(column.type, BigInteger | Integer):
        return pl.Int64()
    return pl.Float64() if isinstance(column.type, Float) else pl.String()


def _query(table: Table) -> Select:
    columns = [
        cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column
        for column in table.columns
        if not _internal(column)
    ]
    query = select(*columns).order_by(*table.primary_key)
    return query.where(ITEMS.c.deleted_at == 0) if table is ITEMS else query
