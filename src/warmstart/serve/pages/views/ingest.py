"""A table on its way in: what it is like, which rows are refused and why, and then its rows written."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from warmstart.data.catalog import ITEM_ID
from warmstart.data.dataset import Dataset
from warmstart.data.health import Finding, check
from warmstart.data.ingest import read_with_report
from warmstart.data.interactions import NO_TIME
from warmstart.data.report import IngestReport
from warmstart.serve import catalogue, intake
from warmstart.serve.asker import RATING
from warmstart.serve.intake import Refused, Taken
from warmstart.serve.pages.uploads import Upload
from warmstart.serve.problems import Problem
from warmstart.serve.service import Service

NOTHING: Mapping[str, list[str]] = {"user_id": [], "item_id": []}
UNTOLD = "interaction"  # the kind of events whose table names none
SHOWN, PREVIEW, LONG = 50, 5, 200  # refused rows and first rows that are told, and characters of each
TOLD = {  # findings about a table by itself
    "events": {"density", "repeats", "no_times", "short_span", "tied_times", "future_events", "ratings", "rating_scale"}
    | {"refused", "repair", "items_unmatched", "before_added"},
    "items": {"leakage", "text_coverage", "language", "refused", "repair"},
    "users": {"leakage", "refused", "repair"},
}


@dataclass(frozen=True)
class Row:
    """A row that is refused, by its number in the table (None = as it would be stored), and why."""

    row: int | None
    why: str
    text: str


@dataclass(frozen=True)
class Checked:
    """A table that was looked over.

    Parameters
    ----------
    rows
        As the API would be sent them.
    ready
        How many of them can be written.
    findings
        About the data, worst first.
    refused
        Some of those that are not taken; ``n_refused`` are all.
    """

    key: str
    table: str
    report: IngestReport
    rows: Sequence[Mapping[str, Any]]
    ready: int
    findings: Sequence[Finding]
    refused: Sequence[Row]
    n_refused: int

    @property
    def first(self) -> Sequence[Mapping[str, Any]]:
        """The first rows."""
        return self.rows[:PREVIEW]


def checked(service: Service, upload: Upload) -> Checked:
    """Read a file as data and look it over; nothing is written.

    Raises
    ------
    DataError
        If it cannot be read, or no row is usable.
    Problem
        413 if it has more rows than one request may bring.
    """
    _limit(service, upload)
    data, read, left_out = _read(service, upload)
    rows = rows_of(upload.table, data)
    good, refused = _dry(service, upload.table, rows)
    report = report_of(upload.table, read, refused)
    told = left_out + [Row(None, f"{r.field}: {r.error}", _cells(rows[r.index])) for r in refused]
    return Checked(
        key=upload.key,
        table=upload.table,
        report=report,
        rows=rows,
        ready=good,
        findings=[f for f in check(data, report).findings if f.name in TOLD[upload.table]],
        refused=told[:SHOWN],
        n_refused=report.n_refused,
    )


def written(service: Service, upload: Upload) -> tuple[Taken, int]:
    """Write the rows of a file; how many are left out, as they were told before."""
    data, read, _ = _read(service, upload)
    rows = rows_of(upload.table, data)
    write = {"events": intake.events, "items": intake.items, "users": intake.users}
    taken = write[upload.table](service, rows)
    return taken, report_of(upload.table, read, taken.rejected).n_refused


def report_of(table: str, read: IngestReport, refused: Sequence[Refused]) -> IngestReport:
    """What became of one table alone: what its reader refused, and what the service would."""
    counts = Counter({why: n for why, n in read.refused.items() if why.startswith(f"{table}: ")})
    counts.update(f"{table}: {row.field} {row.error.rpartition('; ')[0] or row.error}" for row in refused)
    return replace(
        read,
        rows={table: read.rows.get(table, 0)},
        kept={table: read.kept.get(table, 0) - len(refused)},
        refused=dict(counts.most_common()),
        repairs={what: n for what, n in read.repairs.items() if what.startswith(f"{table}: ")},
    )


def rows_of(table: str, data: Dataset) -> list[dict[str, Any]]:
    """The rows of a dataset as the API would be sent them."""
    if table == "items":
        return [{"item_id": item.item_id, "fields": _plain(item.fields)} for item in catalogue.stored(data.catalog)]
    if table == "users":
        known = [{}] * data.n_users if data.user_table is None else data.user_table.to_dicts()
        rows = zip(data.users.ids, known, strict=True)
        return [{"user_id": u, "attributes": _plain({k: v for k, v in r.items() if v is not None})} for u, r in rows]
    x, items, users = data.interactions, data.catalog.items.ids, data.users.ids
    usual = RATING if x.has_rating else "view"
    kinds = [usual if kind == UNTOLD else kind for kind in x.kinds]
    order = np.argsort(x.time, kind="stable")
    columns = (x.user[order], x.item[order], x.kind[order], x.time[order], x.rating[order])
    found = []
    for u, i, kind, time, rating in zip(*(c.tolist() for c in columns), strict=True):
        row: dict[str, Any] = {"user_id": users[u], "item_id": items[i], "kind": kinds[kind]}
        row |= {} if time == NO_TIME else {"time": time}
        found.append(row | ({} if np.isnan(rating) else {"value": rating}))
    return found


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v if isinstance(v, str | int | float | list) else str(v) for k, v in fields.items()}


def _limit(service: Service, upload: Upload) -> None:
    most = service.settings.row_limit
    if upload.path.suffix in (".parquet", ".pq"):  # says how many rows it has before any is read
        try:
            rows = pl.scan_parquet(upload.path).select(pl.len()).collect().item()
        except pl.exceptions.PolarsError:
            return  # told by who reads it
    else:
        rows = upload.path.read_bytes().count(b"\n")
    if rows > most + 1:
        remedy = f"give at most {most:,} at once"
        raise Problem(413, "Too many rows", f"{rows:,} rows", "file", remedy)


def _read(service: Service, upload: Upload) -> tuple[Dataset, IngestReport, list[Row]]:
    known = service.models.serving.snapshot.fitted.catalog.table.select(ITEM_ID)
    with tempfile.TemporaryDirectory() as folder:
        rejects = Path(folder) / "rejects.jsonl"
        if upload.table == "events":
            data, report = read_with_report(upload.path, items=known, rejects=rejects)
        elif upload.table == "items":
            data, report = read_with_report(NOTHING, items=upload.path, rejects=rejects)
        else:
            data, report = read_with_report(NOTHING, items=known, users=upload.path, rejects=rejects)
        return data, report, _left_out(rejects)


def _left_out(path: Path) -> list[Row]:
    """The first refused rows of a table, with their cells."""
    if not path.is_file() or not path.stat().st_size:
        return []
    table = pl.read_ndjson(path, infer_schema_length=None).head(SHOWN)
    names = [c for c in table.columns if c not in ("table", "row", "reason")]
    return [Row(r["row"], r["reason"], _cells({n: r[n] for n in names})) for r in table.to_dicts()]


def _cells(row: Mapping[str, Any]) -> str:
    """A row in one line: its cells, those within its columns too."""
    flat = {n: v for n, v in row.items() if not isinstance(v, Mapping)}
    for value in row.values():
        flat |= value if isinstance(value, Mapping) else {}
    return ", ".join(f"{name}={value}" for name, value in flat.items() if value is not None)[:LONG]


def _dry(service: Service, table: str, rows: Sequence[Mapping[str, Any]]) -> tuple[int, list[Refused]]:
    """How many rows could be written, and why others could not."""
    if table == "events":
        events, refused = intake.checked_events(service, rows)
        return len(events), refused
    if table == "items":
        items, refused = intake.checked_items(service, rows)
        return len(items), refused
    users, refused = intake.checked_users(rows)
    return len(users), refused
