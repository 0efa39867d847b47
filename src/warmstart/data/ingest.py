"""Raw tables in, a dataset out, and an account of what happened."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.clean import Rules, parse_weights
from warmstart.data.columns import ALIASES, Columns
from warmstart.data.dataset import Dataset
from warmstart.data.duplicates import Cleaned
from warmstart.data.folders import find_tables
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_files import read_triples
from warmstart.data.graph_shape import check_links
from warmstart.data.intake import Intake
from warmstart.data.interactions import Interactions
from warmstart.data.long_files import Irregular, long_table
from warmstart.data.readers import Source, read_table
from warmstart.data.report import EQUAL, RARE, UNDESCRIBED, IngestReport
from warmstart.data.streamed import Progress
from warmstart.data.tables import Part, catalog_of, users_of
from warmstart.data.vocab import Vocabulary
from warmstart.errors import DataError

LOG = logging.getLogger(__name__)
RATED_SHARE = 0.5  # a rating column filled less than this is left out
Weights = str | Mapping[str, float]


def read(  # noqa: PLR0913 - the tables, how they are read, and who is told
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
    progress: Progress | None = None,
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
        Whether to leave out users with more events than a human has (see ``duplicates.bot_limit``).
    rejects
        A .csv, .parquet or .jsonl file for refused rows, with their reason; None = they are only counted.
    progress
        Called with (stage, done, total) while a file of a million events and more is read, some rows at a time.

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
        progress=progress,
    )
    if account.unrated:
        LOG.warning(account.unrated)
    return data


def read_with_report(  # noqa: PLR0913 - as ``read``
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
    progress: Progress | None = None,
) -> tuple[Dataset, IngestReport]:
    """As ``read``, with the account of rows read, refused and repaired.

    Examples
    --------
    >>> data, report = read_with_report({"user": ["u", None], "item": ["i", "j"]})
    >>> report.refused
    {'events: user id is missing': 1}
    """
    check_columns(columns)
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
    intake = Intake(columns, rejects)
    cleaned = _events(intake, interactions, rules, progress)
    data = completed(intake, given, lambda parts: _dataset(cleaned, parts, intake.repairs))
    return data, intake.report(cleaned.times)


def _events(intake: Intake, source: Source, rules: Rules, progress: Progress | None) -> Cleaned:
    """The usable events: of a long file some rows at a time, of any other at once."""
    try:
        if (long := long_table(source)) is not None:
            return intake.long_events(long, rules, progress)
    except Irregular as error:
        LOG.warning("%s: read whole, which takes more memory", error)
    return intake.events(read_table(source), rules)


def completed(intake: Intake, given: Mapping[str, Source], made: Callable[[Mapping[str, Part]], Dataset]) -> Dataset:
    """What ``made`` makes of the events and the tables of items and users, with the graph where one is given.

    Parameters
    ----------
    given
        ``items``, ``graph``, ``links``, ``users``; None where there is none.
    """
    readers = {"graph": read_triples}
    tables = {name: readers.get(name, read_table)(source) for name, source in given.items() if source is not None}
    data = made(intake.others(tables))
    if "graph" in tables:
        ids = pl.Series(data.catalog.items.ids, dtype=pl.String)
        known = intake.graph(tables, ids).graph
        check_links(known, ids)
        data = replace(data, graph=known)
    return data


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
    check_columns(columns)
    intake = Intake(columns, rejects)
    part = intake.others({"items": read_table(items)})["items"]
    return catalog_of(part, pl.Series([], dtype=pl.String))[0], intake.report("none")


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
    check_columns(columns)
    intake = Intake(columns, rejects)
    tables = {"graph": read_triples(graph)} | ({} if links is None else {"links": read_table(links)})
    ids = None if items is None else pl.Series(items.items.ids, dtype=pl.String)
    found = intake.graph(tables, ids)
    return found.graph, intake.report("none")


def _dataset(cleaned: Cleaned, parts: Mapping[str, Part], repairs: Counter[str]) -> Dataset:
    events = cleaned.events
    catalog, undescribed = catalog_of(parts.get("items"), events["item_id"])
    if not len(catalog):
        raise DataError("there is neither an event nor an item; give events, or a table of items by items=")
    if undescribed and "items" in parts:
        repairs[UNDESCRIBED] = undescribed
    users, table = users_of(parts.get("users"), events["user_id"])
    kinds = tuple(events["kind"].unique(maintain_order=True).cast(pl.String).to_list()) or ("interaction",)
    x = Interactions.of(
        users.codes_of(events["user_id"]),
        catalog.items.codes_of(events["item_id"]),
        n_users=len(users),
        n_items=len(catalog),
        weight=events["weight"].to_numpy(),
        rating=kept_ratings(events["rating"], repairs),
        time=events["time"].to_numpy(),
        kind=Vocabulary(kinds).codes_of(events["kind"]),
        kinds=kinds,
    )
    return Dataset(x, catalog, users, user_table=table)


def kept_ratings(column: pl.Series, repairs: Counter[str]) -> np.ndarray | None:
    """Ratings with NaN for none; None if too few rows have one, or all are the same and say nothing."""
    known = column.drop_nulls().cast(pl.Float32)
    if not len(known):
        return None
    if len(known) < RATED_SHARE * len(column):
        repairs[f"events: {RARE}"] = len(known)
        return None
    if known.n_unique() == 1 and len(known) > 1:
        repairs[f"events: {EQUAL}"] = len(known)
        return None
    return column.cast(pl.Float32).fill_null(float("nan")).to_numpy()


def check_columns(columns: Columns | None) -> None:
    """Refuse a mapping whose keys are no columns that mean anything."""
    known = sorted({name for names in ALIASES.values() for name in names})
    aliases = {alias for names in ALIASES.values() for group in names.values() for alias in group}
    for name in columns or {}:
        if name not in known and name not in aliases:
            raise DataError(f"columns has the key {name!r}, which is no column warmstart knows; known are {known}")
