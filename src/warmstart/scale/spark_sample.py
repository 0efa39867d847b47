"""What a driver learns from where it cannot hold all events: some people's, and the Gram matrix of everybody's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import scipy.sparse as sp

from warmstart.errors import ConfigError, require
from warmstart.experts.linear import PriorMeanEASE
from warmstart.scale.spark_clean import SparkEvents
from warmstart.scale.spark_gram import gram

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

HASHES = 2**31  # places of the hash by which people are chosen
HEAD = PriorMeanEASE().head  # items whose columns are learned from people


def sampled(events: SparkEvents, people: int) -> SparkEvents:
    """The events of about so many people: those whose ids' hashes are smallest, the same ones every time.

    Raises
    ------
    ConfigError
        If it is less than one.
    """
    if people < 1:
        raise ConfigError(f"--people {people} leaves nobody; take 1 at least, 100000 is usual")
    functions = require("pyspark.sql.functions", extra="spark")
    everybody = events.frame.select("user_id").distinct().count()
    if people >= everybody:
        return events
    place = functions.pmod(functions.xxhash64("user_id"), functions.lit(HASHES))
    return replace(events, frame=events.frame.where(place < int(HASHES * people / everybody)))


def head_gram(events: DataFrame, n_items: int) -> sp.csr_matrix:
    """``X'X`` of the ``HEAD`` items that most people met, over all items: CSR float32, shape (n_items, n_items)."""
    functions = require("pyspark.sql.functions", extra="spark")
    met = events.groupBy("item").agg(functions.countDistinct("user_id").alias("n"))
    head = met.orderBy(functions.desc("n"), "item").limit(HEAD).select("item")
    kept = events.join(functions.broadcast(head), "item")
    return gram(kept.select(functions.col("user_id").alias("user"), "item"), n_items)
