"""Texts encoded on Spark: each worker process loads the encoder once; the vectors go into the text cache."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.encoders import Encoders
from warmstart.errors import require
from warmstart.experts.panel import Progress
from warmstart.experts.space import read_of
from warmstart.recipe import Recipe
from warmstart.scale.spark_clean import Batches, arrow
from warmstart.scale.spark_ship import loaded, shipped
from warmstart.text.cache import CachedEncoder
from warmstart.text.choose import SavedEncoder, encoder_from_spec
from warmstart.text.templates import item_texts
from warmstart.text.weights import cache_home

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AT_ONCE = 200_000  # texts a job: what an interrupted run loses at most
A_TASK = 500  # texts a task, at least


def encode(spark: SparkSession, encoder: SavedEncoder, texts: Sequence[str]) -> np.ndarray:
    """Vectors of texts, as ``encoder.encode`` gives them: float32, shape (len(texts), dim)."""
    return _encoded(spark, _sent(spark, encoder), encoder, texts)


def fill(
    spark: SparkSession, cache: CachedEncoder, encoder: SavedEncoder, texts: Sequence[str], tell: Progress | None = None
) -> int:
    """Encode what the cache does not know, and keep it there; how many texts that were.

    The vectors are written job by job: a run that was interrupted goes on where it was.
    """
    missing = cache.unknown(texts)
    if not missing:
        return 0
    name = _sent(spark, encoder)
    for start in range(0, len(missing), AT_ONCE):
        part = missing[start : start + AT_ONCE]
        cache.keep(part, _encoded(spark, name, encoder, part))
        if tell:
            tell("encoding texts on Spark", start + len(part), len(missing))
    return len(missing)


def fill_for(spark: SparkSession, recipe: Recipe, data: Dataset, tell: Progress | None = None) -> int:
    """Encode on Spark what a fit by this recipe will look up in the cache; how many texts that were.

    An encoder that is yet to learn from the events, and TF-IDF, whose vectors cost less than the way, are left to the
    fit.
    """
    if recipe.finetune is not None:
        return 0
    encoders = Encoders.of(recipe, data)
    texts = item_texts(read_of(data.catalog, recipe.space.features.columns), recipe.space.template)
    return sum(
        fill(spark, CachedEncoder(encoder, cache_home()), encoder, texts, tell)
        for encoder in encoders.saved().values()
        if encoder.spec()["kind"] != "tfidf"
    )


def _sent(spark: SparkSession, encoder: SavedEncoder) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder"
        path.mkdir()
        encoder.save(path)
        return shipped(spark, path)


def _encoded(spark: SparkSession, name: str, encoder: SavedEncoder, texts: Sequence[str]) -> np.ndarray:
    pyarrow = require("pyarrow", extra="spark")
    table = pyarrow.table({"at": pyarrow.array(range(len(texts)), pyarrow.int64()), "text": pyarrow.array(list(texts))})
    slots = spark.sparkContext.defaultParallelism
    tasks = max(1, min(4 * slots, len(texts) // A_TASK))
    frame = spark.createDataFrame(table).repartition(tasks)
    found = frame.mapInArrow(encoding(name, encoder.spec()), "at bigint, vector binary")
    rows = pl.DataFrame(pl.from_arrow(found.toArrow())).sort("at")
    return np.frombuffer(b"".join(rows["vector"]), np.float32).reshape(len(texts), encoder.dim)


def encoding(name: str, spec: dict[str, str]) -> Callable[[Batches], Batches]:
    """What encodes batches of texts (runs on executors): one thread a task, as Spark gives every task a core."""

    def encoded(batches: Batches) -> Batches:
        for batch in batches:
            encoder = loaded(name, lambda folder: encoder_from_spec(spec, folder, threads=1))
            vectors = encoder.encode(batch.column("text").to_pylist()).astype(np.float32)
            told = {"at": batch.column("at").to_numpy(), "vector": [row.tobytes() for row in vectors]}
            yield from arrow(pl.DataFrame(told, schema_overrides={"vector": pl.Binary}))

    return encoded
