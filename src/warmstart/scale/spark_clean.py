"""Events checked row by row on Spark, by the code that checks them on one machine; then duplicates and bots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from warmstart.data.clean import NO_KIND, Rules, check_kinds
from warmstart.data.duplicates import BOT_EVENTS, BOT_QUANTILE, DUPLICATE, SAME, bot_limit, bot_reason
from warmstart.data.series import tidy
from warmstart.data.times import read_times
from warmstart.data.witnesses import judged_beside, witnesses
from warmstart.errors import DataError, require
from warmstart.scale.spark_source import KEY, RawEvents

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

Batches = Iterator["pa.RecordBatch"]
JUDGED = (
    "user_id string, item_id string, kind string, weight double, rating double, time bigint, `order` double, "
    "reason string, place bigint, row bigint"
)
VALUES = ("weight", "rating")


@dataclass(frozen=True)
class SparkEvents:
    """Events that can be used, on a cluster; the same as ``clean.clean_events`` gives on one machine.

    Parameters
    ----------
    frame
        ``user_id``, ``item_id``, ``kind`` (strings), ``weight``, ``rating`` (double, null = none), ``time`` (seconds
        since the epoch, -1 = none), and ``order``, ``place``, ``row``, by which they sort into their order.
    kinds
        Names of the kinds of event, in order of appearance.
    rows
        Rows read.
    refused
        Rows refused, by reason.
    times, columns, origin
        As in ``data.report.IngestReport``; what an error message names.
    kept
        What is held in the cluster's memory for it; let go by ``close``.
    """

    frame: DataFrame
    kinds: tuple[str, ...]
    rows: int
    refused: dict[str, int]
    times: str
    columns: dict[str, str]
    origin: str
    kept: DataFrame

    def close(self) -> None:
        """Let go of what is held."""
        self.kept.unpersist()

    @cached_property
    def key(self) -> Any:
        """Sorts events into the order they have on one machine."""
        return require("pyspark.sql.functions", extra="spark").struct("order", *KEY)

    def first_seen(self, column: str) -> pl.Series:
        """Values of a column, each once, in order of appearance."""
        functions = require("pyspark.sql.functions", extra="spark")
        seen = self.frame.groupBy(column).agg(functions.min(self.key).alias("first")).orderBy("first").select(column)
        return pl.Series(pl.from_arrow(seen.toArrow()).to_series(), dtype=pl.String)  # type: ignore[union-attr]


def clean_on_spark(raw: RawEvents, rules: Rules) -> SparkEvents:
    """Judge every row, then refuse duplicates and bots; the first reason found counts.

    Raises
    ------
    DataError
        If no row is usable, or there are more than 127 kinds of event.
    """
    functions = require("pyspark.sql.functions", extra="spark")
    known = survey(raw)
    judged = raw.frame.mapInArrow(judging(known, rules), JUDGED)
    first = functions.min(functions.struct(*KEY, *VALUES)).alias("first")
    unique = judged.groupBy(*SAME, "reason").agg(functions.count("*").alias("n"), first).persist()
    counts = unique.groupBy("reason").agg(functions.sum("n").alias("rows"), functions.count("*").alias("groups"))
    found = {row["reason"]: (row["rows"], row["groups"]) for row in counts.collect()}
    refused = {why: rows for why, (rows, _) in found.items() if why is not None}
    rows, good = found.get(None, (0, 0))
    if rows > good:
        refused[DUPLICATE] = rows - good
    columns = [*SAME, *(functions.col(f"first.{name}").alias(name) for name in (*KEY, *VALUES))]
    frame = unique.where("reason is null").select(*columns)
    if rules.bots and good > BOT_EVENTS:
        frame = without_bots(frame, refused)
    total = sum(n for n, _ in found.values())
    _check(raw, total, good, refused)
    form = read_times(known["time"]).form if "time" in known.columns else "none"
    events = SparkEvents(frame, (), total, refused, form, raw.columns, raw.origin, unique)
    return _with_kinds(events)


def survey(raw: RawEvents) -> pl.DataFrame:
    """Rows that decide how the columns of the whole are read (``witnesses``), tidied."""
    names = list(raw.columns)
    found = raw.frame.select(*names).mapInArrow(witnessing, raw.frame.select(*names).schema)
    rows = tidy(pl.DataFrame(pl.from_arrow(found.toArrow())))
    return rows[witnesses(rows)]


def witnessing(batches: Batches) -> Batches:
    """Of each batch the rows that count (runs on executors)."""
    for batch in batches:
        rows = witnesses(tidy(pl.DataFrame(pl.from_arrow(batch))))
        yield batch.take(rows)


def judging(known: pl.DataFrame, rules: Rules) -> Callable[[Batches], Batches]:
    """What judges batches on executors: each together with the witnesses of the whole."""

    def judged(batches: Batches) -> Batches:
        for batch in batches:
            table = pl.DataFrame(pl.from_arrow(batch))
            yield from arrow(judged_rows(table, known, rules))

    return judged


def judged_rows(table: pl.DataFrame, known: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Rows of a part as ``JUDGED`` has them; of those refused only the reason is kept.

    Examples
    --------
    >>> part = pl.DataFrame({"user_id": ["1.0"], "item_id": [5], "place": [0], "row": [0]})
    >>> judged_rows(part, pl.DataFrame({"user_id": ["x"], "item_id": [5]}), Rules())["user_id"].to_list()
    ['1.0']
    """
    rows = tidy(table.select(known.columns))
    work = judged_beside(rows, known, rules)
    good = pl.col("reason").is_null()
    values = [pl.when(good).then(pl.col(name)).alias(name) for name in ("user_id", "item_id", "kind", *VALUES)]
    more = [pl.when(good).then(pl.col(name)).alias(name) for name in ("time", "order")]
    return work.select(*values, *more, "reason").with_columns(table.select(*KEY))


def arrow(frame: pl.DataFrame) -> Batches:
    """Record batches of a frame with the plain types that Spark takes."""
    import pyarrow as pa

    table = frame.to_arrow()
    plain = {pa.large_string(): pa.string(), pa.string_view(): pa.string()}
    fields = [pa.field(field.name, plain.get(field.type, field.type)) for field in table.schema]
    yield from table.cast(pa.schema(fields)).to_batches()


def without_bots(frame: DataFrame, refused: dict[str, int]) -> DataFrame:
    """Events of people who have no more of them than a human has; the others are counted."""
    functions = require("pyspark.sql.functions", extra="spark")
    people = frame.groupBy("user_id").agg(functions.count("*").alias("n"))
    sizes = pl.DataFrame(pl.from_arrow(people.groupBy("n").agg(functions.count("*").alias("people")).toArrow()))
    sizes = sizes.sort("n")
    limit = limit_of(sizes["n"], sizes["people"])
    many = sizes.filter(pl.col("n") > limit)
    if not many.height:
        return frame
    refused[bot_reason(limit)] = int((many["n"] * many["people"]).sum())
    bots = people.where(functions.col("n") > limit).select("user_id")
    return frame.join(functions.broadcast(bots), "user_id", "left_anti")


def limit_of(sizes: pl.Series, people: pl.Series) -> float:
    """``clean.bot_limit`` of so many people with each number of events, ascending; no row a person is needed.

    Examples
    --------
    >>> limit_of(pl.Series([20, 90_000]), pl.Series([99, 1]))
    1000.0
    """
    if not len(sizes):
        return bot_limit(sizes)
    at = int(BOT_QUANTILE * (int(people.sum()) - 1))
    typical = sizes.filter(people.cum_sum() > at)[:1]
    return bot_limit(typical)


def _check(raw: RawEvents, rows: int, good: int, refused: dict[str, int]) -> None:
    if rows and not good:
        reason = max(refused, key=lambda why: refused[why])
        raise DataError(
            f"none of {rows:,} rows of {raw.origin} is usable, most often because {reason} (columns read as "
            f"{raw.columns}); correct the column or name another by columns="
        )


def _with_kinds(events: SparkEvents) -> SparkEvents:
    named = events.first_seen("kind").to_list() if "kind" in events.columns else []
    kinds = tuple(named) or (NO_KIND,)
    check_kinds(pl.Series(kinds))
    return replace(events, kinds=kinds)
