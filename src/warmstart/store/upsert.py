"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

COUNTED = {"preserve_rowcount": True}  # else an INSERT does not say how many rows it made
Insert = postgresql.Insert | sqlite.Insert


@cache
def _ignore(table: Table, dialect: str) -> Insert:
    own = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return own.on_conflict_do_nothing()


@cache
def _replace(table: Table, dialect: str, kept: tuple[str, ...]) -> Insert:
    return _replacing(table, dialect, kept)


def _replacing(
    table: Table, dialect: str, kept: tuple[str, ...] = (), where: ColumnElement[bool] | None = None
) -> Insert:
    own = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    new = {c.name: own.excluded[c.name] for c in table.columns if c.name not in (*keys, *kept)}
    return own.on_conflict_do_update(index_elements=keys, set_=new, where=where)


def add_rows(connection: Connection, table: Table, rows: Sequence[dict[str, object]]) -> int:
    """Insert what is not there yet; how many rows are new."""
    if not rows:
        return 0
    return connection.execute(_ignore(table, connection.dialect.name), rows, execution_options=COUNTED).rowcount


def put_rows(
    connection: Connection, table: Table, rows: Sequence[dict[str, object]], kept: tuple[str, ...] = ()
) -> None:
    """Insert, or replace by primary key; columns ``kept`` stay as they were."""
    if rows:
        connection.execute(_replace(table, connection.dialect.name, kept), rows)


def replace_where(connection: Connection, table: Table, where: ColumnElement[bool]) -> Insert:
    """Insert a row, or replace the one of its key where the condition on it holds."""
    return _replacing(table, connection.dialect.name, where=where)
