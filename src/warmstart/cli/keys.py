"""Keys of the service's API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from warmstart.cli.options import Json, ids
from warmstart.cli.screen import answers, emit, listing, say
from warmstart.cli.serve import Config, DatabaseUrl, ServedEngine
from warmstart.cli.store import opened
from warmstart.errors import DataError

Name = Annotated[str, typer.Option(help="Who or what it is for.")]
Scopes = Annotated[str, typer.Option(help="read, write, admin; several between commas; each holds those before it.")]
KeyId = Annotated[str, typer.Option("--id", help="Id of the key, as `warmstart keys list` shows it.")]


def create_key(
    name: Name,
    engine: ServedEngine = None,
    scopes: Scopes = "read",
    database_url: DatabaseUrl = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it: the only time it is seen, its hash alone is kept."""
    from warmstart.serve.security import new_key

    text, row = new_key(name, ids(scopes))
    with opened(engine, database_url, config) as store:
        store.put_key(row)
    if as_json:
        return emit({"key": text, "key_id": row.key_id, "name": name, "scopes": list(row.scopes)})
    say("keep it now, it cannot be shown again:")
    return typer.echo(text)


def list_keys(
    engine: ServedEngine = None, database_url: DatabaseUrl = None, config: Config = None, as_json: Json = False
) -> None:
    """List all keys, those revoked too."""
    import polars as pl

    with opened(engine, database_url, config) as store:
        held = store.keys()
    rows = [
        {
            "id": key.key_id,
            "name": key.name,
            "scopes": ",".join(key.scopes),
            "created": _day(key.created_at),
            "revoked": _day(key.revoked_at),
        }
        for key in held
    ]
    if as_json:
        return emit(rows)
    return answers().print(listing(pl.DataFrame(rows)) if rows else "no keys")


def revoke_key(
    key_id: KeyId,
    engine: ServedEngine = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """End a key; servers that run notice within a second."""
    with opened(engine, database_url, config) as store:
        if not store.revoke(key_id):
            raise DataError(f"key {key_id!r} is unknown or was revoked before; `warmstart keys list` shows all")
    say(f"revoked: {key_id}")


def _day(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M") if time else ""
