"""An export of Parquet into a store that is in use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
from sqlalchemy import JSON, Connection, Table, bindparam, select

from warmstart.errors import ArtefactError
from warmstart.store.append import NAMES, append
from warmstart.store.marks import Marks, lasting, take_over
from warmstart.store.models import RETIRED, SERVING
from warmstart.store.parquet import EXPORTED, exported, read_pages
from warmstart.store.part import Part
from warmstart.store.tables import ANSWERS, ERASED, EVENTS, EXPERIMENTS, ITEMS, MODELS, SPACES, USERS, VECTORS
from warmstart.store.upsert import add_rows, put_rows
from warmstart.store.versions import bump

STEP = 10_000  # rows of one transaction
Rows = list[dict[str, Any]]
LAST = 1_000  # events among which one is looked for that was not left out
TIMES = {USERS: "updated_at", EVENTS: "time", ANSWERS: "time"}  # of persons: when a row came to be
_SEQS = select(EVENTS.c.event_id, EVENTS.c.seq).where(EVENTS.c.event_id.in_(bindparam("which", expanding=True)))
_SERVING = select(MODELS.c.version).where(MODELS.c.status == SERVING)


class Restored(Part):
    """Copies, brought back."""

    def import_parquet(self, folder: str | Path) -> dict[str, int]:
        """Add what ``export_parquet`` wrote; how many rows of each table were written or, if known already, left.

        Items and users replace those of the same id; events, answers, models, experiments, vectors and receipts are
        added where there are none of that id. So importing twice changes nothing. A serving model of the export serves
        here only if none does; else it is a retired one. Each step is a short transaction: reading and writing goes on.
        Who was erased, here or there, does not come back: what an export from before holds of them is left out.

        Raises
        ------
        ArtefactError
            If the folder is no export, is damaged, or of a newer format; what came before the damage was added.
        """
        path = Path(folder)
        rows, marks = exported(path), Marks(self.database)
        led: set[str] = set()  # answers that events of erased persons refer to
        for table in EXPORTED:
            for page in read_pages(path, table, rows[table.name]):
                for part in page.iter_slices(STEP):
                    made = _rows(part, table)
                    if table is MODELS:
                        made = [{**row, "until": self._here(path, rows[EVENTS.name], row["until"])} for row in made]
                    if table in TIMES:
                        self._personal(table, made, marks, led)
                    else:
                        with self.database.write() as connection:
                            _add(connection, table, made)
        return rows

    def _personal(self, table: Table, rows: Rows, marks: Marks, led: set[str]) -> None:
        with marks.write({row["user_id"] for row in rows if row["user_id"] is not None}) as (connection, erased):
            stay = lasting(rows, erased, TIMES[table])
            if table is EVENTS and len(stay) < len(rows):
                led |= {row["recommendation_id"] for row in rows} - {row["recommendation_id"] for row in stay}
            if table is ANSWERS:
                stay = [row for row in stay if row["user_id"] is not None or row["recommendation_id"] not in led]
            _add(connection, table, stay)

    def _here(self, folder: Path, rows: int, until: int) -> int:
        """The number here of the last event that has at most that number in the export; 0 = none."""
        names: list[str] = []
        for page in read_pages(folder, EVENTS, rows):
            names = [*names, *page.filter(pl.col("seq") <= until)["event_id"].tail(LAST)][-LAST:]
        with self.database.read() as connection:
            here = {name: seq for name, seq in connection.execute(_SEQS, {"which": names})}
        return next((here[name] for name in reversed(names) if name in here), 0)


def _rows(page: pl.DataFrame, table: Table) -> Rows:
    rows = page.to_dicts()
    try:
        for column in (c.name for c in table.columns if isinstance(c.type, JSON)):
            for row in rows:
                row[column] = orjson.loads(row[column])
    except ValueError as error:
        raise ArtefactError(
            f"the export has a row of {table.name} whose JSON is broken: {error}; export anew"
        ) from error
    return rows


def _add(connection: Connection, table: Table, rows: Rows) -> None:
    if table in ADD:
        ADD[table](connection, table, rows)
    else:
        add_rows(connection, table, rows)


def _add_erased(connection: Connection, table: Table, rows: Rows) -> None:
    take_over(connection, rows)


def _add_events(connection: Connection, table: Table, rows: Rows) -> None:
    append(connection, [{name: row[name] for name in NAMES} for row in rows])  # numbers are given here


def _put_items(connection: Connection, table: Table, rows: Rows) -> None:
    version = bump(connection, table.name)
    put_rows(connection, table, [{**row, "version": version, "deleted_at": 0} for row in rows])


def _put_users(connection: Connection, table: Table, rows: Rows) -> None:
    bump(connection, table.name)
    put_rows(connection, table, rows)


def _add_models(connection: Connection, table: Table, rows: Rows) -> None:
    """One serves: the one here, else the one there."""
    bump(connection, table.name)
    taken = connection.execute(_SERVING).one_or_none() is not None
    retired = [{**row, "status": RETIRED} if row["status"] == SERVING and taken else row for row in rows]
    add_rows(connection, table, retired)


def _add_experiments(connection: Connection, table: Table, rows: Rows) -> None:
    bump(connection, table.name)
    add_rows(connection, table, rows)


def _add_vectors(connection: Connection, table: Table, rows: Rows) -> None:
    for row in rows:
        row["vector"] = np.asarray(row["vector"], dtype=np.float32)
    add_rows(connection, SPACES, [{"space": row["space"], "dim": len(row["vector"])} for row in rows])
    add_rows(connection, table, rows)


ADD: dict[Table, Callable[[Connection, Table, Rows], None]] = {
    ERASED: _add_erased,
    EVENTS: _add_events,
    ITEMS: _put_items,
    USERS: _put_users,
    MODELS: _add_models,
    EXPERIMENTS: _add_experiments,
    VECTORS: _add_vectors,
}
