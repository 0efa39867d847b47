"""Amazon's reviews of 2014 (one JSON object a line) and product descriptions (one Python literal a line)."""

from __future__ import annotations

import ast
import gzip
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from warmstart.data.readers import read_table
from warmstart.data.series import series_of

ITEM_COLUMNS = ("asin", "title", "brand", "categories", "description")
LONGEST = 5_000  # characters of a description that are kept


def shape_amazon(folder: Path) -> None:
    """Write ``interactions.parquet`` and ``items.parquet`` from ``reviews_*`` and ``meta_*`` in the folder."""
    reviews = read_table(next(folder.glob("reviews_*.json.gz"))).frame
    events = reviews.select(
        pl.col("reviewerID").alias("user_id"),
        pl.col("asin").alias("item_id"),
        pl.col("overall").alias("rating"),
        pl.col("unixReviewTime").alias("time"),
    )
    events.write_parquet(folder / "interactions.parquet")
    wanted = set(events["item_id"].to_list())
    rows = [row for row in _descriptions(next(folder.glob("meta_*.json.gz"))) if row.get("asin") in wanted]
    items = pl.DataFrame([series_of(c, [_flat(row.get(c)) for row in rows]) for c in ITEM_COLUMNS])
    items.rename({"asin": "item_id"}).write_parquet(folder / "items.parquet")


def _descriptions(path: Path) -> Iterator[dict[str, object]]:
    """Lines that are literals; ``literal_eval`` runs no code, lines it refuses are passed over."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                row = ast.literal_eval(line)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            if isinstance(row, dict):
                yield row


def _flat(value: object) -> str | None:
    """Categories come as paths, a list of lists: every name once, joined by a bar."""
    if isinstance(value, list):
        names = [str(name) for path in value for name in (path if isinstance(path, list) else [path])]
        return "|".join(dict.fromkeys(names)) or None
    return None if value is None else str(value)[:LONGEST]
