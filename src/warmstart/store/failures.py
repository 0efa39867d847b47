"""What a database says when it cannot -> one line with the remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from warmstart.errors import DataError, StoreUnavailable

REMEDIES = (  # words of SQLite's and PostgreSQL's messages, in lower case; the first that occurs counts
    ("database is locked", "another process holds the database; wait, or end what holds it"),
    ("database table is locked", "another process holds the database; wait, or end what holds it"),
    ("lock timeout", "another transaction holds the rows; wait, or end what holds them"),
    ("database or disk is full", "free space on the disk; nothing of this write was kept, what was acknowledged is"),
    ("no space left", "free space on the disk; nothing of this write was kept, what was acknowledged is"),
    ("readonly database", "let this process write to the file and its folder"),
    ("read-only", "let this process write to the database"),
    ("unable to open", "create the folder, or let this process read and write the file"),
    ("not a database", "name another file, or restore it from a copy"),
    ("malformed", "restore it from a copy or an export (warmstart.store.Store.import_parquet)"),
    ("password authentication", "correct the user and password in the address"),
    ("does not exist", "create the database, or correct the address"),
    ("too many clients", "allow more connections in the database (max_connections), or start fewer processes"),
    ("deadlock", "nothing of this write was kept; send it again"),
    ("could not serialize", "nothing of this write was kept; send it again"),
    ("queuepool limit", "ask for more connections, or send fewer requests at once"),
)
OTHERWISE = "start it, or correct the address"


@contextmanager
def named(address: str) -> Iterator[None]:
    """Errors of the driver become ``StoreUnavailable`` (try again later) or ``DataError`` (these rows, never).

    Parameters
    ----------
    address
        What to call the database; holds no password.

    Raises
    ------
    StoreUnavailable
        If it is gone, locked, full or damaged.
    DataError
        If a value cannot be stored: too large a number, text that is no UTF-8, a reference to nothing.
    """
    try:
        yield
    except (exc.DataError, exc.IntegrityError, OverflowError, UnicodeError) as error:
        raise DataError(f"the database cannot hold a value: {_first_line(error)}; correct the row") from error
    except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
        if isinstance(error, exc.ProgrammingError | exc.NotSupportedError) and not error.connection_invalidated:
            raise
        line = _first_line(error)
        remedy = next((words for sign, words in REMEDIES if sign in line.lower()), OTHERWISE)
        raise StoreUnavailable(f"{address} does not answer as it should: {line}; {remedy}") from error
    except exc.StatementError as error:  # a value that has no JSON
        raise DataError(f"the database cannot hold a value: {_first_line(error)}; correct the row") from error


def _first_line(error: Exception) -> str:
    told = str(getattr(error, "orig", None) or error).strip()
    return told.splitlines()[0].rstrip(".") if told else type(error).__name__
