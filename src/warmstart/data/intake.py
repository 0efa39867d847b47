"""Tables put into shape one after the other, with an account of what happened to their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from warmstart.data.clean import Rules, clean_events
from warmstart.data.columns import Columns, map_columns, rename
from warmstart.data.duplicates import Cleaned
from warmstart.data.graph_links import read_links
from warmstart.data.graph_shape import ShapedGraph, shape_graph
from warmstart.data.long_files import LongTable
from warmstart.data.report import IngestReport, write_rejects
from warmstart.data.streamed import Progress, clean_long
from warmstart.data.table import Table
from warmstart.data.tables import Part, present, shape_keyed
from warmstart.errors import DataError

REFUSED = {"table": pl.String, "row": pl.Int64, "reason": pl.String}


class Intake:
    """Shapes one table after the other and keeps the account.

    Parameters
    ----------
    columns
        Canonical name -> own name, as for ``ingest.read``.
    rejects
        Where refused rows are written to; None = they are only counted.

    Examples
    --------
    >>> intake = Intake(None)
    >>> _ = intake.events(Table(pl.DataFrame({"user": ["u", None], "item": ["i", "j"]}), "t"), Rules())
    >>> intake.report("none").kept
    {'events': 1}
    """

    def __init__(self, columns: Columns | None, rejects: str | Path | None = None) -> None:
        self.columns, self.target = columns, rejects
        self.rows: dict[str, int] = {}
        self.repairs: Counter[str] = Counter()
        self.names: dict[str, dict[str, str]] = {}
        self.rejects: list[pl.DataFrame] = []

    def events(self, table: Table, rules: Rules) -> Cleaned:
        """The usable events."""
        self.names["events"] = map_columns(table, "events", self.columns)
        cleaned = clean_events(rename(table, "events", self.columns), rules)
        self.note("events", table, cleaned.refused)
        self._usable(cleaned, table.origin)
        return cleaned

    def long_events(self, table: LongTable, rules: Rules, progress: Progress | None = None) -> Cleaned:
        """The usable events of a table that is not held as a whole, the same as ``events`` gives.

        Raises
        ------
        Irregular
            If it has to be read whole.
        """
        self.names["events"] = names = map_columns(table.head, "events", self.columns)
        cleaned = clean_long(table, names, rules, progress)
        self.rows["events"] = cleaned.events.height + cleaned.refused.height
        self._keep("events", cleaned.refused, table.texts)
        self.rejects.append(table.head.refused.with_columns(table=pl.lit("events")))
        self._usable(cleaned, table.origin)
        return cleaned

    def _usable(self, cleaned: Cleaned, origin: str) -> None:
        if self.rows["events"] and not cleaned.events.height:
            reason = cleaned.refused["reason"].value_counts(sort=True)["reason"][0]
            raise DataError(
                f"none of {self.rows['events']:,} rows of {origin} is usable, most often because {reason} "
                f"(columns read as {self.names['events']}); correct the column or name another by columns="
            )

    def others(self, tables: Mapping[str, Table]) -> dict[str, Part]:
        """Items and users in shape."""
        parts = {name: shape_keyed(tables[name], name, self.columns) for name in ("items", "users") if name in tables}
        for name, part in parts.items():
            self.shaped(name, tables[name], part.refused, part.repairs)
        return parts

    def graph(self, tables: Mapping[str, Table], items: pl.Series | None) -> ShapedGraph:
        """The graph, its links worked in; ``items`` are the ids of the catalogue."""
        links = None
        if "links" in tables:
            links = read_links(tables["links"], present(tables["links"], self.columns))
            self.shaped("links", tables["links"], links.refused, links.repairs)
        found = shape_graph(tables["graph"], present(tables["graph"], self.columns), links, items)
        self.shaped("graph", tables["graph"], found.refused, found.repairs)
        return found

    def shaped(self, name: str, table: Table, refused: pl.DataFrame, repairs: Mapping[str, int]) -> None:
        """Note a table that was put into shape: its columns, its refused rows, its repairs."""
        self.names[name] = map_columns(table, name, present(table, self.columns))
        self.note(name, table, refused)
        self.repairs.update({f"{name}: {what}": n for what, n in repairs.items()})

    def note(self, name: str, table: Table, refused: pl.DataFrame) -> None:
        """Count the table's rows and what was put right, and keep the refused rows."""
        self.rows[name] = table.frame.height + table.refused.height
        self.repairs.update({f"{name}: {what}": n for what, n in table.repairs.items()})
        self._keep(name, refused, lambda places: table.frame[places].cast(pl.String))
        self.rejects.append(table.refused.with_columns(table=pl.lit(name)))

    def _keep(self, name: str, refused: pl.DataFrame, texts: Callable[[list[int]], pl.DataFrame]) -> None:
        """Keep refused rows, with their own columns as text where they will be written."""
        rows = refused.with_columns(table=pl.lit(name))
        if self.target is not None:
            own = texts((refused["row"] - 1).to_list())
            own = own.rename({c: f"{c}_" for c in own.columns if c in ("table", "row", "reason")})
            rows = pl.concat([rows, own], how="horizontal")
        self.rejects.append(rows)

    def report(self, times: str) -> IngestReport:
        """The account; writes the refused rows if asked to."""
        refused = pl.concat([pl.DataFrame(schema=REFUSED), *self.rejects], how="diagonal")
        refused = refused.select("table", "row", "reason", pl.exclude("table", "row", "reason"))
        if self.target is not None:
            write_rejects(refused, self.target)
        counts = refused.select(why=pl.col("table") + ": " + pl.col("reason"))["why"].value_counts(sort=True)
        kept = {name: n - refused.filter(pl.col("table") == name).height for name, n in self.rows.items()}
        return IngestReport(
            rows=self.rows,
            kept=kept,
            refused=dict(counts.rows()),
            repairs=dict(self.repairs),
            columns=self.names,
            times=times,
            rejects=None if self.target is None else str(self.target),
        )
