"""The schema, brought to the newest version when a store is opened."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, func, select

from warmstart.errors import ArtefactError
from warmstart.store.database import Database

FOLDER = Path(__file__).parent / "migrations"
MIGRATING = 0x7761726D  # number of the lock two processes that open one PostgreSQL together take


def scripts() -> ScriptDirectory:
    """The migrations that come with this version of warmstart."""
    return ScriptDirectory.from_config(_config())


def current(connection: Connection) -> str | None:
    """The version of the schema; None = there is none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def to_newest(database: Database) -> None:
    """Bring a database to the newest schema; one that has it is only read.

    Raises
    ------
    ArtefactError
        If a newer warmstart has written the database.
    """
    with database.read() as connection:
        if current(connection) == scripts().get_current_head():
            return
    with database.write() as connection:
        upgrade(connection, database.name)


def upgrade(connection: Connection, name: str, to: str = "head") -> None:
    """Bring the schema to a version, within the caller's transaction: all of it, or nothing.

    Parameters
    ----------
    connection
        In a transaction that may write.
    name
        What to call the database in messages.

    Raises
    ------
    ArtefactError
        If a newer warmstart has written the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
    known, found = scripts(), current(connection)
    newest = known.get_current_head()
    if found == newest:
        return
    try:
        known.get_revision(found or "base")
    except CommandError as error:
        raise ArtefactError(
            f"{name} has schema {found}, and this warmstart knows none after {newest}; upgrade warmstart"
        ) from error
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
