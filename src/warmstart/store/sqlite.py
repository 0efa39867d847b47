"""SQLite: write-ahead log, nothing acknowledged before it is on the disk, and one file that must stay the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.engine import URL

from warmstart.errors import StoreUnavailable
from warmstart.store.codec import JSON_CODEC

MODE = "warmstart_mode"  # how a connection is used: read, snapshot, or write
PRAGMAS = (
    "PRAGMA synchronous = FULL",  # in a write-ahead log NORMAL may lose the last commits when power fails
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what was erased is overwritten
    "PRAGMA cache_size = -4000",  # KiB a connection
    "PRAGMA temp_store = MEMORY",
)


class SQLiteFile:
    """The file behind a store; notices when it is taken away or exchanged.

    Parameters
    ----------
    path
        Where it is; made with its folder if there is none.
    timeout
        Seconds to wait for another writer.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.path = path.absolute()
        self.timeout = timeout
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)  # what people did is for nobody else's eyes
        except OSError as error:
            raise StoreUnavailable(f"{self.path} cannot be made: {error.strerror}; name another place") from error
        connection = sqlite3.connect(self.path, timeout=timeout)
        connection.execute("PRAGMA journal_mode = WAL")  # kept in the file
        connection.close()
        self.known = self.identity()

    def identity(self) -> tuple[int, int]:
        """Device and number of the file."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise StoreUnavailable(f"{self.path} is gone; put the file back, or start the service anew") from error
        return found.st_dev, found.st_ino

    def connect(self) -> sqlite3.Connection:
        """A connection to the file, which must exist; transactions begin only where they are asked for."""
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=self.timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        for pragma in PRAGMAS:
            connection.execute(pragma)
        return connection

    def engine(self, connections: int) -> Engine:
        """Connections to the file, at most so many."""
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            creator=self.connect,
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_use_lifo=True,  # few are in use mostly, and those know their pages
            pool_timeout=self.timeout,
            **JSON_CODEC,
        )
        event.listen(engine, "begin", _begin)
        return engine


def _begin(connection: Connection) -> None:
    """A write takes its lock at once, so that it never fails half-way; a single reading statement needs no more."""
    mode = connection.get_execution_options().get(MODE, "write")
    if mode != "read":
        connection.exec_driver_sql("BEGIN" if mode == "snapshot" else "BEGIN IMMEDIATE")
