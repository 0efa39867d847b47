"""The events of a saved dataset as a Spark frame: cleaned already, their codes turned into ids again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from warmstart.data.catalog import ITEM_ID
from warmstart.data.dataset import USER_ID
from warmstart.errors import require
from warmstart.scale.spark_clean import SparkEvents
from warmstart.scale.spark_source import address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession


def saved_events(spark: SparkSession, folder: Path) -> SparkEvents:
    """What ``Dataset.save`` wrote into a folder that every executor can read."""
    functions = require("pyspark.sql.functions", extra="spark")
    kinds = tuple(json.loads((folder / "manifest.json").read_text())["kinds"])
    rows = spark.read.parquet(address(folder / "interactions.parquet"))
    names = functions.array(*(functions.lit(kind) for kind in kinds))
    rating = functions.col("rating")
    frame = rows.select(
        "user",
        "item",
        functions.get(names, functions.col("kind").cast("int")).alias("kind"),
        functions.col("weight").cast("double").alias("weight"),
        functions.when(~functions.isnan(rating), rating).cast("double").alias("rating"),
        "time",
        functions.lit(0.0).alias("order"),
        functions.col("_metadata.file_block_start").alias("place"),
        functions.monotonically_increasing_id().alias("row"),
    )
    for what, file, column in (("user", "users.parquet", USER_ID), ("item", "items.parquet", ITEM_ID)):
        ids = pl.read_parquet(folder / file, columns=[column])[column].to_list()
        frame = frame.join(codes_frame(spark, ids, what), what).drop(what)
    return SparkEvents(frame, kinds, rows.count(), {}, "none", {}, str(folder), frame)


def codes_frame(spark: SparkSession, ids: Sequence[str], what: str) -> DataFrame:
    """Ids and their positions, ``user_id`` and ``user`` where ``what`` is ``"user"``."""
    arrow = require("pyarrow", extra="spark")
    codes = np.arange(len(ids), dtype=np.int32)
    return spark.createDataFrame(arrow.table({f"{what}_id": arrow.array(ids, arrow.string()), what: codes}))
