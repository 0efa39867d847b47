"""The store: one object, safe in threads, over SQLite or PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from warmstart.store.answers import Answers
from warmstart.store.counted import Counted
from warmstart.store.database import Database
from warmstart.store.erase import Erasure
from warmstart.store.events import Events
from warmstart.store.experiments import Experiments
from warmstart.store.items import Items
from warmstart.store.keys import Keys
from warmstart.store.learned import Learned
from warmstart.store.migrate import to_newest
from warmstart.store.models import Models
from warmstart.store.outcomes import Outcomes
from warmstart.store.parquet import Exported
from warmstart.store.restore import Restored
from warmstart.store.retain import Retained
from warmstart.store.seed import Seeded
from warmstart.store.states import States
from warmstart.store.users import Users
from warmstart.store.vectors import Vectors
from warmstart.store.versions import Versions


class Store(
    Items,
    Users,
    Events,
    Counted,
    Answers,
    Outcomes,
    Models,
    Experiments,
    Keys,
    States,
    Vectors,
    Versions,
    Learned,
    Seeded,
    Exported,
    Restored,
    Erasure,
    Retained,
):
    """Items, users, events, answers, models, experiments, keys, vectors, receipts.

    A method is one transaction, but for those that move much: ``seed``, ``import_parquet`` and ``retain`` take many
    short ones, so that others can write between them.

    What a method acknowledged by returning is on the disk. All methods raise ``StoreUnavailable`` when the database is
    gone, locked for too long, full or damaged (nothing of that call was kept; later calls try again), and ``DataError``
    when a value can never be stored.

    Parameters
    ----------
    database
        An open database whose schema is the newest; ``Store.open`` makes one.

    Examples
    --------
    >>> import tempfile
    >>> from warmstart.store.rows import Event
    >>> with tempfile.TemporaryDirectory() as folder, Store.open(f"{folder}/store.db") as store:
    ...     store.add_events([Event("e1", "ann", "alien", "click", 1_700_000_000)])
    ...     store.add_events([Event("e1", "ann", "alien", "click", 1_700_000_000)])
    ...     [event.item_id for event in store.history("ann")]
    1
    0
    ['alien']
    """

    @classmethod
    def open(cls, url: str | Path, timeout: float = 5.0, connections: int = 32) -> Self:
        """Open a store, and bring its schema to the newest version.

        Parameters
        ----------
        url
            A file of SQLite (made if there is none), ``sqlite:///file``, or ``postgresql://user@host/name``.
        timeout
            Seconds to wait for a connection, and for another writer.
        connections
            How many at most.

        Raises
        ------
        ConfigError
            If the address cannot be used.
        ArtefactError
            If a newer warmstart has written the database.
        """
        database = Database(url, timeout=timeout, connections=connections)
        try:
            to_newest(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers."""
        self.database.ping()
