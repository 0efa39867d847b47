"""Tables out of any database SQLAlchemy can reach, read only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from warmstart.data.series import series_of
from warmstart.data.table import Table
from warmstart.errors import DataError

READS = re.compile(r"^\s*(select|with|table|values)\b", re.IGNORECASE)
SPEC = re.compile(r"^sql:(?P<url>.+?)::(?P<query>.+)$", re.DOTALL)


@dataclass(frozen=True)
class SQL:
    """A query and where to put it.

    Parameters
    ----------
    url
        A SQLAlchemy address, e.g. ``sqlite:///shop.db`` or ``postgresql+psycopg://user@host/shop``.
    query
        One reading statement; values go in as ``:name`` and come from ``params``.
    params
        Values bound by the driver, never pasted into the query.

    Examples
    --------
    >>> SQL("sqlite:///shop.db", "SELECT * FROM clicks WHERE shop = :shop", {"shop": "nl"}).query
    'SELECT * FROM clicks WHERE shop = :shop'
    """

    url: str
    query: str
    params: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def parse(cls, spec: str) -> SQL | None:
        """From ``sql:URL::QUERY``; None if the text is something else.

        Examples
        --------
        >>> SQL.parse("sql:sqlite:///x.db::SELECT 1")
        SQL(url='sqlite:///x.db', query='SELECT 1', params={})
        """
        found = SPEC.match(spec)
        return cls(found["url"], found["query"]) if found else None


def read_sql(source: SQL) -> Table:
    """The rows a query gives; the connection is set to read only and rolled back.

    Raises
    ------
    DataError
        If the statement is no query, the address cannot be reached, or the database refuses it.

    Examples
    --------
    >>> read_sql(SQL("sqlite://", "SELECT 1 AS user_id, 'a' AS item_id")).frame.rows()
    [(1, 'a')]
    """
    from sqlalchemy.exc import SQLAlchemyError

    if not READS.match(source.query):
        raise DataError(f"{source.query[:60]!r} is no reading statement; start the query with SELECT or WITH")
    try:
        names, rows = _rows(source)
    except (SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise DataError(
            f"the database refused {source.query[:60]!r}: {reason}; check the address and the query"
        ) from error
    if len(set(names)) != len(names):
        raise DataError(f"two columns of the query have one name {names}; name them apart with AS")
    return Table(pl.DataFrame([series_of(n, [row[at] for row in rows]) for at, n in enumerate(names)]), "the query")


def _rows(source: SQL) -> tuple[list[str], list[tuple[object, ...]]]:
    from sqlalchemy import create_engine, text

    engine = create_engine(source.url)
    file = engine.url.database
    if engine.dialect.name == "sqlite" and file and not file.startswith((":", "file:")) and not Path(file).is_file():
        raise DataError(
            f"there is no database file {file!r}; check the path (sqlite:////absolute or sqlite:///relative)"
        )
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.execute(text("PRAGMA query_only = ON"))
            elif engine.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION READ ONLY"))
            answer = connection.execute(text(source.query), dict(source.params))
            return [str(name) for name in answer.keys()], [tuple(row) for row in answer]  # noqa: SIM118
    finally:
        engine.dispose()
