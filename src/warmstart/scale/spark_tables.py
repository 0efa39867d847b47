"""The dataset of one machine, its events read, cleaned and coded on Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from warmstart.data.clean import Rules, parse_weights
from warmstart.data.columns import Columns
from warmstart.data.dataset import USER_ID, Dataset
from warmstart.data.folders import find_tables
from warmstart.data.ingest import Weights, check_columns, completed, kept_ratings
from warmstart.data.intake import Intake
from warmstart.data.interactions import Interactions
from warmstart.data.readers import Source, parts_of, read_table
from warmstart.data.report import UNDESCRIBED, IngestReport
from warmstart.data.tables import Part, catalog_of, present, shape_keyed, users_of
from warmstart.data.vocab import Vocabulary
from warmstart.errors import DataError, require
from warmstart.scale.spark_clean import SparkEvents, clean_on_spark
from warmstart.scale.spark_sample import head_gram, sampled
from warmstart.scale.spark_saved import codes_frame, saved_events
from warmstart.scale.spark_source import KEY, read_raw

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROLES = ("items", "graph", "links", "users")


@dataclass(frozen=True)
class SparkTables:
    """What ``warmstart fit`` is given, where the events are Spark's to read.

    Parameters
    ----------
    events
        A Parquet or CSV file, a folder of Parquet parts, an address Spark can read, or a folder that holds all tables.
    items, graph, links, users
        As for ``data.ingest.read``; the driver reads them.
    columns, weights, scale, bots
        As for ``data.ingest.read``.

    Examples
    --------
    >>> SparkTables("s3a://shop/events/", items="items.parquet").sources()["items"]
    'items.parquet'
    """

    events: str
    items: Source = None
    graph: Source = None
    links: Source = None
    users: Source = None
    columns: Columns | None = None
    weights: Weights | None = None
    scale: tuple[float, float] | None = None
    bots: bool = True

    def sources(self) -> dict[str, Any]:
        """Table by role, ``events`` among them; a folder is looked into."""
        given = {"events": self.events} | {role: getattr(self, role) for role in ROLES}
        folder = Path(self.events)
        if "://" in self.events or not folder.is_dir() or parts_of(folder):
            return given
        if self.saved:
            return given
        found = find_tables(folder)
        return given | {role: table for role, table in found.items() if role == "events" or given[role] is None}

    @property
    def saved(self) -> bool:
        """Whether it is what ``Dataset.save`` wrote."""
        return (Path(self.events) / "manifest.json").is_file()

    def people(self) -> pl.DataFrame | None:
        """The table of users in shape, ``user_id`` first; None if there is none."""
        if self.saved:
            return pl.read_parquet(Path(self.events) / "users.parquet")
        if (source := self.sources()["users"]) is None:
            return None
        table = read_table(source)
        frame = shape_keyed(table, "users", present(table, self.columns)).frame
        return frame.select(USER_ID, pl.exclude(USER_ID))

    def clean(self, spark: SparkSession) -> SparkEvents:
        """The events that can be used, as a Spark frame.

        Raises
        ------
        DataError
            If they cannot be read, or none is usable.
        """
        if self.saved:
            return saved_events(spark, Path(self.events))
        check_columns(self.columns)
        rules = Rules(parse_weights(self.weights), self.scale, self.bots)
        return clean_on_spark(read_raw(spark, str(self.sources()["events"]), self.columns), rules)

    def read(self, spark: SparkSession, people: int | None = None) -> tuple[Dataset, IngestReport]:
        """The same dataset and account as ``data.ingest.read_with_report`` gives; refused rows are only counted.

        Parameters
        ----------
        people
            Bring the events of about so many people alone to the driver, chosen by a hash of their ids, and beside them
            the Gram matrix of everybody's events (``Dataset.gram``). None = of all.

        Raises
        ------
        DataError
            As ``clean``; or if a sample of a saved dataset is asked for.
        """
        if self.saved and people is None:
            return Dataset.load(self.events), IngestReport()
        if self.saved:
            raise DataError(
                f"{self.events} is a saved dataset, which comes whole; leave --people out, or give raw tables"
            )
        events, intake = self.clean(spark), Intake(self.columns)
        try:
            sources = {role: self.sources()[role] for role in ROLES}
            data = completed(intake, sources, lambda parts: _dataset(spark, events, parts, intake, people))
        finally:
            events.close()
        return data, _account(intake.report(events.times), events)


def coded(spark: SparkSession, events: SparkEvents, users: Vocabulary, items: Vocabulary) -> DataFrame:
    """Events by codes: ``user``, ``item`` (int), ``weight``, ``rating`` (float), ``kind`` (int), ``time``, and the key.

    Events of unknown users or items are left out.
    """
    functions = require("pyspark.sql.functions", extra="spark")
    frame = events.frame.join(codes_frame(spark, users.ids, "user"), "user_id")
    frame = frame.join(codes_frame(spark, items.ids, "item"), "item_id")
    kinds = functions.array(*(functions.lit(kind) for kind in events.kinds))
    return frame.select(
        "user",
        "item",
        functions.col("weight").cast("float"),
        functions.col("rating").cast("float"),
        (functions.array_position(kinds, functions.col("kind")) - 1).cast("int").alias("kind"),
        "time",
        "order",
        *KEY,
    )


def _dataset(
    spark: SparkSession, events: SparkEvents, parts: Mapping[str, Part], intake: Intake, people: int | None
) -> Dataset:
    catalog, undescribed = catalog_of(parts.get("items"), events.first_seen("item_id"))
    if not len(catalog):
        raise DataError("there is neither an event nor an item; give events, or a table of items by items=")
    if undescribed and "items" in parts:
        intake.repairs[UNDESCRIBED] = undescribed
    gram = None
    if people is not None:
        gram = head_gram(events.frame.join(codes_frame(spark, catalog.items.ids, "item"), "item_id"), len(catalog))
        events = sampled(events, people)
    users, table = users_of(parts.get("users"), events.first_seen("user_id"))
    frame = coded(spark, events, users, catalog.items).orderBy("user", "time", "order", *KEY).drop("order", *KEY)
    rows = pl.DataFrame(pl.from_arrow(frame.toArrow()))
    x = _interactions(rows, kept_ratings(rows["rating"], intake.repairs), len(users), len(catalog), events.kinds)
    return Dataset(x, catalog, users, user_table=table, gram=gram)


def _interactions(
    rows: pl.DataFrame, rating: np.ndarray | None, n_users: int, n_items: int, kinds: tuple[str, ...]
) -> Interactions:
    """Events that come sorted; ``rating`` None = they have none."""
    return Interactions(
        user=rows["user"].to_numpy(),
        item=rows["item"].to_numpy(),
        weight=rows["weight"].to_numpy(),
        kind=rows["kind"].cast(pl.Int8).to_numpy(),
        rating=np.full(rows.height, np.nan, np.float32) if rating is None else rating.astype(np.float32),
        time=rows["time"].to_numpy(),
        n_users=n_users,
        n_items=n_items,
        kinds=kinds,
    )


def _account(account: IngestReport, events: SparkEvents) -> IngestReport:
    """The account of the other tables, with that of the events."""
    refused = {f"events: {why}": n for why, n in events.refused.items()}
    lost = sum(refused.values())
    return replace(
        account,
        rows={"events": events.rows, **account.rows},
        kept={"events": events.rows - lost, **account.kept},
        refused=dict(sorted((refused | dict(account.refused)).items(), key=lambda pair: -pair[1])),
        columns={"events": events.columns, **account.columns},
    )
