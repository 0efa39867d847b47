"""Raw tables in, a dataset out, and an account of what happened."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.clean import Cleaned, Rules, clean_events, parse_weights
from warmstart.data.columns import ALIASES, Columns, map_columns, rename
from warmstart.data.dataset import Dataset
from warmstart.data.folders import find_tables
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_files import read_triples
from warmstart.data.graph_links import read_links
from warmstart.data.graph_shape import ShapedGraph, check_links, shape_graph
from warmstart.data.interactions import Interactions
from warmstart.data.readers import Source, read_table
from warmstart.data.report import EQUAL, RARE, UNDESCRIBED, IngestReport, write_rejects
from warmstart.data.table import Table
from warmstart.data.tables import Part, catalog_of, present, shape_keyed, users_of
from warmstart.errors import DataError

LOG = logging.getLogger(__name__)
RATED_SHARE = 0.5  # a rating column filled less than this is left out
Weights = str | Mapping[str, float]


def read(
    interactions: Source,
    *,
    items: Source = None,
    graph: Source = None,
    links: Source = None,
    users: Source = None,
    columns: Columns | None = None,
    weights: Weights | None = None,
    scale: tuple[float, float] | None = None,
    bots: bool = True,
    rejects: str | Path | None = None,
) -> Dataset:
    """A dataset from tables: paths, frames (pandas, polars, Arrow), SQL, or a folder that holds them all.

    The catalogue is the items table, then items met only in events; users are those with events in order of
    appearance, then those only described. All ids become text.

    Parameters
    ----------
    interactions
        Events: user, item, and where known time, rating, kind, weight. Or a folder: MovieLens, RecBole, what
        ``Dataset.save`` wrote, or one with ``interactions.csv``, ``items.csv``, ``users.csv``, ``kg.csv``.
    items, users
        What describes items and users, or None.
    graph, links
        Triples (a table, RDF as .nt, .ttl or .jsonld, what ``warmstart graph build`` wrote); and which entity is which
        item (``item_id``, ``entity_id``). Or None.
    columns
        Canonical name -> own name, where customary names do not do: ``{"item_id": "sku", "kind": None}``.
    weights
        Of event kinds: ``"view=1,cart=3,buy=5"`` or a mapping; 0 drops a kind. None = every event weighs 1.
    scale
        Smallest and largest rating allowed; None = any.
    bots
        Whether to leave out users with more events than a human has (see ``clean.bot_limit``).
    rejects
        A .csv, .parquet or .jsonl file for refused rows, with their reason; None = they are only counted.

    Raises
    ------
    DataError
        If a table cannot be read, a needed column is not found, no row is usable, or the graph says nothing of any
        item.

    Examples
    --------
    >>> data = read({"userId": [1, 1, 2], "movieId": [10.0, 11.0, 10.0], "rating": [4, 3, 5]})
    >>> data.users.ids, data.catalog.items.ids, data.interactions.has_rating
    (('1', '2'), ('10', '11'), True)
    """
    data, account = read_with_report(
        interactions,
        items=items,
        graph=graph,
        links=links,
        users=users,
        columns=columns,
        weights=weights,
        scale=scale,
        bots=bots,
        rejects=rejects,
    )
    if account.unrated:
        LOG.warning(account.unrated)
    return data


def read_with_report(
    interactions: Source,
    *,
    items: Source = None,
    graph: Source = None,
    links: Source = None,
    users: Source = None,
    columns: Columns | None = None,
    weights: Weights | None = None,
    scale: tuple[float, float] | None = None,
    bots: bool = True,
    rejects: str | Path | None = None,
) -> tuple[Dataset, IngestReport]:
    """As ``read``, with the account of rows read, refused and repaired.

    Examples
    --------
    >>> data, report = read_with_report({"user": ["u", None], "item": ["i", "j"]})
    >>> report.refused
    {'events: user id is missing': 1}
    """
    _check_columns(columns)
    rules = Rules(parse_weights(weights), scale, bots)
    given = {"items": items, "graph": graph, "links": links, "users": users}
    if isinstance(interactions, str | Path) and Path(interactions).is_dir():
        if (Path(interactions) / "manifest.json").is_file():
            if scale is not None:
                raise DataError(f"scale={scale} beside {interactions}, whose rows were checked before; omit it")
            return Dataset.load(interactions), IngestReport()  # it was checked before it was saved
        found = find_tables(Path(interactions))
        interactions = found["events"]
        given = {name: found.get(name) if source is None else source for name, source in given.items()}
    intake = _Intake(columns)
    cleaned = intake.events(read_table(interactions), rules)
    readers = {"graph": read_triples}
    tables = {name: readers.get(name, read_table)(source) for name, source in given.items() if source is not None}
    data = _dataset(cleaned, intake.others(tables), intake.repairs)
    if "graph" in tables:
        ids = pl.Series(data.catalog.items.ids, dtype=pl.String)
        known = intake.graph(tables, ids).graph
        check_links(known, ids)
        data = replace(data, graph=known)
    return data, intake.report(cleaned.times, rejects)


def read_items(
    items: Source, *, columns: Columns | None = None, rejects: str | Path | None = None
) -> tuple[Catalog, IngestReport]:
    """The catalogue of a table of items alone, with the account of its rows; see ``read``.

    Examples
    --------
    >>> catalog, report = read_items({"item_id": ["a", "a"], "title": ["Alien", "Jaws"]})
    >>> catalog.items.ids, report.refused
    (('a',), {'items: item id occurs before': 1})
    """
    _check_columns(columns)
    intake = _Intake(columns)
    part = intake.others({"items": read_table(items)})["items"]
    return catalog_of(part, pl.Series([], dtype=pl.String))[0], intake.report("none", rejects)


def read_graph(
    graph: Source,
    *,
    items: Catalog | None = None,
    links: Source = None,
    columns: Columns | None = None,
    rejects: str | Path | None = None,
) -> tuple[KnowledgeGraph, IngestReport]:
    """A graph alone, with the account of its rows; see ``read``. It need not say anything of any item.

    Examples
    --------
    >>> graph, report = read_graph({"head": ["a", "b"], "relation": ["by", None], "tail": ["Lem", "Lem"]})
    >>> len(graph), report.refused
    (1, {'graph: head, relation or tail is missing': 1})
    """
    _check_columns(columns)
    intake = _Intake(columns)
    tables = {"graph": read_triples(graph)} | ({} if links is None else {"links": read_table(links)})
    ids = None if items is None else pl.Series(items.items.ids, dtype=pl.String)
    found = intake.graph(tables, ids)
    return found.graph, intake.report("none", rejects)


class _Intake:
    """Shapes one table after the other and keeps the account."""

    def __init__(self, columns: Columns | None) -> None:
        self.columns = columns
        self.rows: dict[str, int] = {}
        self.repairs: Counter[str] = Counter()
        self.names: dict[str, dict[str, str]] = {}
        self.rejects: list[pl.DataFrame] = []

    def events(self, table: Table, rules: Rules) -> Cleaned:
        """The usable events."""
        self.names["events"] = map_columns(table, "events", self.columns)
        cleaned = clean_events(rename(table, "events", self.columns), rules)
        self.note("events", table, cleaned.refused)
        if table.frame.height and not cleaned.events.height:
            reason = cleaned.refused["reason"].value_counts(sort=True)["reason"][0]
            raise DataError(
                f"none of {table.frame.height:,} rows of {table.origin} is usable, most often because {reason} "
                f"(columns read as {self.names['events']}); correct the column or name another by columns="
            )
        return cleaned

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
        """Count the table's rows and keep the refused ones with their own columns as text."""
        self.rows[name] = table.frame.height + table.refused.height
        self.repairs.update({f"{name}: {what}": n for what, n in table.repairs.items()})
        texts = table.frame[(refused["row"] - 1).to_list()].cast(pl.String) if refused.height else table.frame.clear()
        own = texts.rename({c: f"{c}_" for c in texts.columns if c in ("table", "row", "reason")})
        rows = pl.concat([refused.with_columns(table=pl.lit(name)), own.cast(pl.String)], how="horizontal")
        self.rejects += [rows, table.refused.with_columns(table=pl.lit(name))]

    def report(self, times: str, rejects: str | Path | None) -> IngestReport:
        """The account; writes the refused rows if asked to."""
        refused = pl.concat(self.rejects, how="diagonal")
        refused = refused.select("table", "row", "reason", pl.exclude("table", "row", "reason"))
        if rejects is not None:
            write_rejects(refused, rejects)
        counts = refused.select(why=pl.col("table") + ": " + pl.col("reason"))["why"].value_counts(sort=True)
        kept = {name: n - refused.filter(pl.col("table") == name).height for name, n in self.rows.items()}
        return IngestReport(
            rows=self.rows,
            kept=kept,
            refused=dict(counts.rows()),
            repairs=dict(self.repairs),
            columns=self.names,
            times=times,
            rejects=None if rejects is None else str(rejects),
        )


def _dataset(cleaned: Cleaned, parts: Mapping[str, Part], repairs: Counter[str]) -> Dataset:
    events = cleaned.events
    catalog, undescribed = catalog_of(parts.get("items"), events["item_id"])
    if not len(catalog):
        raise DataError("there is neither an event nor an item; give events, or a table of items by items=")
    if undescribed and "items" in parts:
        repairs[UNDESCRIBED] = undescribed
    users, table = users_of(parts.get("users"), events["user_id"])
    kinds = tuple(events["kind"].unique(maintain_order=True).to_list()) or ("interaction",)
    x = Interactions.of(
        users.codes(events["user_id"].to_list()),
        catalog.items.codes(events["item_id"].to_list()),
        n_users=len(users),
        n_items=len(catalog),
        weight=events["weight"].to_numpy(),
        rating=_ratings(events["rating"], repairs),
        time=events["time"].to_numpy(),
        kind=events["kind"].replace_strict(list(kinds), list(range(len(kinds))), return_dtype=pl.Int64).to_numpy(),
        kinds=kinds,
    )
    return Dataset(x, catalog, users, user_table=table)


def _ratings(column: pl.Series, repairs: Counter[str]) -> np.ndarray | None:
    """Ratings with NaN for none; None if too few rows have one, or all are the same and say nothing."""
    known = column.drop_nulls()
    if not len(known):
        return None
    if len(known) < RATED_SHARE * len(column):
        repairs[f"events: {RARE}"] = len(known)
        return None
    if known.n_unique() == 1 and len(known) > 1:
        repairs[f"events: {EQUAL}"] = len(known)
        return None
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _check_columns(columns: Columns | None) -> None:
    known = sorted({name for names in ALIASES.values() for name in names})
    aliases = {alias for names in ALIASES.values() for group in names.values() for alias in group}
    for name in columns or {}:
        if name not in known and name not in aliases:
            raise DataError(f"columns has the key {name!r}, which is no column warmstart knows; known are {known}")
