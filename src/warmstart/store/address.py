"""Where the database is: a file, or a URL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from warmstart.errors import ConfigError, require

EXAMPLES = "write sqlite:///path/to/store.db or postgresql://user@host/name"
POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")


def parse(url: str | Path) -> URL:
    """A checked address: SQLite in a file, or PostgreSQL by psycopg 3.

    Raises
    ------
    ConfigError
        If it is neither, or SQLite in memory, which no second thread could see.
    MissingExtra
        If it is PostgreSQL and psycopg or pgvector is not installed.

    Examples
    --------
    >>> parse("store.db").render_as_string(), parse("sqlite:////var/lib/store.db").database
    ('sqlite:///store.db', '/var/lib/store.db')
    >>> parse("mysql://shop")
    Traceback (most recent call last):
    warmstart.errors.ConfigError: 'mysql://shop' is no database of warmstart; write sqlite:///path/to/store.db or postgresql://user@host/name
    """
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(url))
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ConfigError(f"the address of the database cannot be read; {EXAMPLES}") from error
    if address.drivername in POSTGRES:
        require("psycopg", "postgres")
        require("pgvector", "postgres")
        return address.set(drivername="postgresql+psycopg")
    if address.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ConfigError(f"{address.render_as_string()!r} is no database of warmstart; {EXAMPLES}")
    if address.query or not address.database or address.database.startswith((":memory:", "file:")):
        raise ConfigError(f"{address.render_as_string()!r} names no file of SQLite; {EXAMPLES}")
    return address
