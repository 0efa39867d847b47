"""Gram matrix and neighbours of all items on Spark: a join of histories with the blocks of rows they add to.

Every history goes to each block of items that it touches, once; a task then holds all that its rows need, so sums and
tops are made where the rows are, and nothing is added up twice or on the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.errors import ConfigError, require
from warmstart.scale.cooccurrence import Histories, gram_rows, strongest
from warmstart.scale.spark_clean import Batches, arrow

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PAIRS = "item int, other int, people bigint"
HEIGHT = 1_000  # rows of a block, about


def gram(events: DataFrame, n_items: int) -> sp.csr_matrix:
    """``X'X`` of all events, brought to the driver: float32 (whole numbers), shape (n_items, n_items).

    Parameters
    ----------
    events
        ``user`` and ``item``, integer codes; repeated pairs count once.
    """
    found = pl.DataFrame(pl.from_arrow(pairs(events, n_items, 0).toArrow()))
    where = (found["item"].to_numpy(), found["other"].to_numpy())
    return sp.csr_matrix((found["people"].to_numpy().astype(np.float32), where), shape=(n_items, n_items))


def neighbours(events: DataFrame, n_items: int, n: int) -> DataFrame:
    """The ``n`` items that most people of each item took, too: ``item``, ``other``, ``people``, on Spark.

    Ties go to the lower code.

    Raises
    ------
    ConfigError
        If n is below 1.
    """
    if n < 1:
        raise ConfigError(f"n={n} neighbours are none; ask for at least 1")
    return pairs(events, n_items, n)


def pairs(events: DataFrame, n_items: int, n: int) -> DataFrame:
    """Entries of ``X'X``: all that are not 0, or (n > 0) the n largest of each row without the diagonal."""
    functions = require("pyspark.sql.functions", extra="spark")
    blocks = max(2 * events.sparkSession.sparkContext.defaultParallelism, -(-n_items // HEIGHT))
    items = functions.sort_array(functions.collect_set("item")).alias("items")
    histories = events.groupBy("user").agg(items).select("items")
    touched = functions.array_distinct(functions.transform("items", lambda item: item % blocks))
    sent = histories.select(functions.explode(touched).alias("block"), "items")
    sent = sent.repartition(blocks, "block").sortWithinPartitions("block")
    return sent.mapInArrow(rows_of_blocks(blocks, n_items, n), PAIRS)


def rows_of_blocks(blocks: int, n_items: int, n: int) -> Callable[[Batches], Batches]:
    """What makes rows of the matrix of histories sorted by block (runs on executors)."""

    def made(batches: Batches) -> Batches:
        for block, parts in groupby(stretches(batches), key=lambda part: part[0]):
            rows = gram_rows((histories for _, histories in parts), block, blocks, n_items)
            own = np.arange(rows.shape[0]) * blocks + block
            entries = rows.tocoo()
            row, other, people = strongest(rows, own, n) if n else (entries.row, entries.col, entries.data)
            told = {"item": own[row].astype(np.int32), "other": other.astype(np.int32), "people": people.astype(int)}
            yield from arrow(pl.DataFrame(told))

    return made


def stretches(batches: Batches) -> Iterator[tuple[int, Histories]]:
    """Histories of one block after the other, as arrays; a block may come in several parts."""
    for batch in batches:
        block = batch.column("block").to_numpy()
        items = batch.column("items")
        offsets, values = items.offsets.to_numpy(), items.values.to_numpy()
        bounds = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(block)]
        for start, end in pairwise(bounds):
            if end > start:
                at = offsets[start : end + 1]
                yield int(block[start]), (at - at[0], values[at[0] : at[-1]])
