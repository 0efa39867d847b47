"""Files of events as a Spark frame: customary names for columns, and for every row its place in file order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from warmstart.data.columns import Columns, map_columns
from warmstart.data.readers import parts_of
from warmstart.data.table import Table
from warmstart.errors import DataError, require

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEY = ("place", "row")  # of a row: its file and where in it the piece begins; its number within the piece
BLOCK = 2**40  # bytes of a file, at most
SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
FORMATS = ".parquet, .csv, .tsv, the latter also as .gz, or a folder of part-*.parquet"


@dataclass(frozen=True)
class RawEvents:
    """Events as they stand in the files.

    Parameters
    ----------
    frame
        Canonical columns as far as there are any, then ``place`` and ``row`` (bigint), by which rows sort into file
        order.
    columns
        Canonical name -> the files' own name.
    origin
        What an error message names.
    """

    frame: DataFrame
    columns: dict[str, str]
    origin: str


def read_raw(spark: SparkSession, source: str, columns: Columns | None) -> RawEvents:
    """Parquet or CSV (with a header, UTF-8), a folder of Parquet parts, or an address such as ``s3a://...``.

    Raises
    ------
    DataError
        If there is nothing, it is of another format, or a column that is needed is missing.
    """
    functions = require("pyspark.sql.functions", extra="spark")
    frame = _opened(spark, source)
    names = map_columns(Table(pl.DataFrame(schema=frame.columns), source), "events", columns)
    chosen = [functions.col(f"`{own}`").alias(name) for name, own in names.items()]
    path = functions.regexp_replace("_metadata.file_path", "^[a-z0-9]+:/+", "/").alias("file")
    start, row = functions.col("_metadata.file_block_start"), functions.monotonically_increasing_id()
    rows = frame.select(*chosen, path, start.alias("start"), row.alias("row"))
    files = sorted({_plain(name) for name in frame.inputFiles()})
    order = spark.createDataFrame([(name, at) for at, name in enumerate(files)], "file string, number long")
    rows = rows.join(functions.broadcast(order), "file")
    place = (functions.col("number") * BLOCK + functions.col("start")).alias("place")
    return RawEvents(rows.select(*names, place, "row"), names, source)


def _opened(spark: SparkSession, source: str) -> Any:
    """The files under their own column names; text of CSV stays text."""
    paths, suffix = _paths(source)
    if suffix in SEPARATORS:
        options = {"header": True, "sep": SEPARATORS[suffix], "escape": '"', "multiLine": False}
        return spark.read.options(**options).csv(paths)
    return spark.read.parquet(*paths)


def _paths(source: str) -> tuple[list[str], str]:
    """Addresses for Spark, and the suffix that tells the format."""
    suffix = Path(source.lower().rstrip("/").removesuffix(".gz")).suffix
    if "://" in source:
        if suffix not in ("", ".parquet", *SEPARATORS):
            raise DataError(
                f"{source} has the suffix {suffix!r}, which Spark is not asked to read here; give {FORMATS}"
            )
        return [source], suffix
    path = Path(source)
    if parts := parts_of(path):
        return [address(part) for part in parts], ".parquet"
    if not path.is_file():
        raise DataError(f"'{source}' is neither a file nor a folder of Parquet parts; give {FORMATS}")
    if suffix not in (".parquet", *SEPARATORS):
        raise DataError(f"'{source}' has the suffix {suffix!r}, which is not read on Spark here; give {FORMATS}")
    return [address(path)], suffix


def address(place: str | Path) -> str:
    """A path as Spark needs it, whatever its default file system is; an address stays what it is.

    Examples
    --------
    >>> address("s3a://shop/lists"), address("/data/lists")
    ('s3a://shop/lists', 'file:///data/lists')
    """
    return str(place) if "://" in str(place) else f"file://{Path(place).resolve()}"


def _plain(name: str) -> str:
    """An address without its scheme, as ``read_raw`` makes those of rows."""
    scheme, sign, rest = name.partition(":")
    return "/" + rest.lstrip("/") if sign and scheme.isalnum() else name
