"""Lists for everybody on Spark: histories are gathered by person, each worker process loads the engine once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from warmstart.batch import Lists
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.ingest import RATED_SHARE
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary
from warmstart.engine import Engine
from warmstart.errors import require
from warmstart.scale.spark_clean import Batches, SparkEvents, arrow
from warmstart.scale.spark_ship import loaded, shipped
from warmstart.scale.spark_source import address
from warmstart.scale.spark_tables import SparkTables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LISTS = "user_id string, item_id string, score double, rank bigint, source string"
TASKS = 4  # a core: a lost one costs a quarter of its core's work, and slow ones even out
EVENT = ("time", "order", "place", "row", "item_id", "weight", "kind")  # sorts into a history's order


def write_all(spark: SparkSession, folder: Path, tables: SparkTables, asked: Lists, out: str) -> tuple[int, int]:
    """Lists of everybody in the tables, as Parquet parts; how many people got one, and how many rows there are.

    A part is written whole or not at all, whatever fails and is tried again: the folder is complete when it holds
    ``_SUCCESS``.

    Parameters
    ----------
    folder
        Of a saved engine.
    asked
        What is asked for everybody.
    out
        A folder that all executors can write to; it must not exist.
    """
    engine = Engine.load(folder)
    asked.answer(engine, Histories.of([[]], len(engine.fitted.catalog)))  # a mistake shows before Spark begins
    events = tables.clean(spark)
    try:
        people = histories(spark, events, tables.people())
        recommend_all(people, shipped(spark, folder), events.kinds, asked).write.parquet(address(out))
    finally:
        events.close()
    written = spark.read.parquet(address(out))
    return written.where("rank = 1").count(), written.count()


def histories(spark: SparkSession, events: SparkEvents, users: pl.DataFrame | None) -> DataFrame:
    """One row a person: ``user_id``, ``events`` (sorted structs), and ``known`` (a struct: the row of the users table).

    Parameters
    ----------
    users
        The users table in shape, ``user_id`` first; people without events come too. None = there is none.
    """
    functions = require("pyspark.sql.functions", extra="spark")
    rating = functions.col("rating") if rated(events) else functions.lit(None).cast("double")
    event = functions.struct(*EVENT, rating.alias("rating"))
    people = events.frame.groupBy("user_id").agg(functions.sort_array(functions.collect_list(event)).alias("events"))
    if users is None or users.width < 2:
        return people if users is None else people.join(_frame(spark, users), "user_id", "full_outer")
    told = functions.struct(*(functions.col(f"`{name}`") for name in users.columns[1:])).alias("known")
    return people.join(_frame(spark, users).select("user_id", told), "user_id", "full_outer")


def rated(events: SparkEvents) -> bool:
    """Whether the ratings count, as ``data.ingest.kept_ratings`` decides on one machine."""
    functions = require("pyspark.sql.functions", extra="spark")
    rating = functions.col("rating")
    told = [functions.count("*"), functions.count(rating), functions.min(rating), functions.max(rating)]
    rows, known, low, high = events.frame.agg(*told).collect()[0]
    return bool(known > 0 and known >= RATED_SHARE * rows and (low < high or known == 1))


def _frame(spark: SparkSession, table: pl.DataFrame) -> DataFrame:
    pyarrow = require("pyarrow", extra="spark")
    return spark.createDataFrame(pyarrow.Table.from_batches(list(arrow(table))))


def recommend_all(people: DataFrame, name: str, kinds: tuple[str, ...], asked: Lists) -> DataFrame:
    """Lists of all people, as ``asked`` gives them on one machine, with ``user_id`` in place of ``query``.

    Parameters
    ----------
    people
        As ``histories`` gives them.
    name
        Of the engine's folder, as ``shipped`` gave it.
    kinds
        Names of the kinds of event.
    asked
        What is asked for everybody.
    """
    slots = people.sparkSession.sparkContext.defaultParallelism
    return people.repartition(TASKS * slots).mapInArrow(recommending(name, kinds, asked), LISTS)


def recommending(name: str, kinds: tuple[str, ...], asked: Lists) -> Callable[[Batches], Batches]:
    """What makes lists of batches of people (runs on executors)."""

    def recommended(batches: Batches) -> Batches:
        for batch in batches:
            engine: Engine = loaded(name, Engine.load)
            table = pl.DataFrame(pl.from_arrow(batch))
            if table.height:
                yield from arrow(lists(engine, table, kinds, asked))

    return recommended


def lists(engine: Engine, people: pl.DataFrame, kinds: tuple[str, ...], asked: Lists) -> pl.DataFrame:
    """Lists of some people."""
    ids = people["user_id"].to_list()
    found = asked.answer(engine, dataset_of(engine, people, kinds).histories(np.arange(len(ids))))
    who = pl.Series("user_id", ids, dtype=pl.String).gather(found["query"])
    return found.select("item_id", "score", "rank", "source").insert_column(0, who)


def dataset_of(engine: Engine, people: pl.DataFrame, kinds: tuple[str, ...]) -> Dataset:
    """The people's events and attributes over the engine's catalogue; events of items it lacks are left out."""
    catalog, ids = engine.fitted.catalog, people["user_id"].to_list()
    rows = people.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("user"), "events").explode("events")
    rows = rows.drop_nulls("events").unnest("events")
    item = catalog.items.codes(rows["item_id"].to_list())
    rows, item = rows.filter(pl.Series(item >= 0)), item[item >= 0]
    kind = rows["kind"].replace_strict(list(kinds), list(range(len(kinds))), return_dtype=pl.Int8)
    rating = rows["rating"].cast(pl.Float32).fill_null(float("nan"))
    x = Interactions(
        user=rows["user"].to_numpy(),
        item=item,
        weight=rows["weight"].cast(pl.Float32).to_numpy(),
        kind=kind.to_numpy(),
        rating=rating.to_numpy(),
        time=rows["time"].to_numpy().astype(np.int64),
        n_users=len(ids),
        n_items=len(catalog),
        kinds=kinds,
    )
    known = people["known"].struct.unnest() if "known" in people.columns else None
    return Dataset(x, catalog, Vocabulary(ids), user_table=known)
