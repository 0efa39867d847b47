"""What every group of tables of a store stands on."""

from __future__ import annotations

from warmstart.store.database import Database


class Part:
    """Methods over one database, each one transaction.

    Parameters
    ----------
    database
        An open database whose schema is the newest.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
