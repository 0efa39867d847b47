"""Connections for reading, for writing, and for reading much of one moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from warmstart.errors import StoreUnavailable
from warmstart.store.address import parse
from warmstart.store.failures import named
from warmstart.store.sqlite import MODE, SQLiteFile


class Database:
    """One database, SQLite or PostgreSQL.

    Parameters
    ----------
    url
        As ``address.parse`` reads it.
    timeout
        Seconds to wait for a connection, and for another writer.
    connections
        How many at most.
    """

    def __init__(self, url: str | Path, *, timeout: float = 5.0, connections: int = 32) -> None:
        address = parse(url)
        self.name = address.render_as_string(hide_password=True)
        self.timeout = timeout
        self.file: SQLiteFile | None = None
        self._writing = threading.Lock()
        with named(self.name):
            if address.get_backend_name() == "sqlite":
                self.file = SQLiteFile(Path(str(address.database)), timeout)
                self.engine = self.file.engine(connections)
                self._reading, self._snapshot = {MODE: "read"}, {MODE: "snapshot"}
            else:
                from warmstart.store.postgres import READING, SNAPSHOT, postgres_engine

                self.engine = postgres_engine(address, timeout, connections)
                self._reading, self._snapshot = READING, SNAPSHOT
        self._reader = self.engine.execution_options(**self._reading)
        self._snapshots = self.engine.execution_options(**self._snapshot)

    @property
    def postgres(self) -> bool:
        """Whether it is PostgreSQL."""
        return self.file is None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for single reading statements, each of its own moment."""
        with self._open(self._reader) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection whose statements all see the database as it is now; writers go on."""
        with self._open(self._snapshots) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it is on the disk when the block ends, or nothing of it."""
        with self._turn(), self._open(self.engine) as connection, connection.begin():
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite has one writer: threads wait here, which wakes the next at once, and not in its polling."""
        if self.postgres:
            yield
        elif not self._writing.acquire(timeout=self.timeout):
            raise StoreUnavailable(f"{self.name} is being written for longer than {self.timeout:g} s; try again later")
        else:
            try:
                yield
            finally:
                self._writing.release()

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers."""
        with self.read() as connection:
            connection.execute(select(1)).scalar_one()

    def empty_log(self) -> None:
        """Move SQLite's write-ahead log into its file, as far as readers let it: the log keeps what was overwritten."""
        if not self.postgres:
            with self._turn(), self._open(self._reader) as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def _open(self, engine: Engine) -> Iterator[Connection]:
        with named(self.name):
            self._check_file()
            with engine.connect() as connection:
                yield connection

    def _check_file(self) -> None:
        """What is written into a file that was taken away is lost: look before each use."""
        if self.file is None:
            return
        try:
            now = self.file.identity()
        except StoreUnavailable:
            self.engine.dispose()
            raise
        if now != self.file.known:
            self.engine.dispose()
            self.file.known = now
