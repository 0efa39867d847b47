"""The service's database: out, in, and without somebody."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import Data, Items, Json, Map, Rejects, Scale, Tables, Users, Weights
from warmstart.cli.screen import answers, emit, listing
from warmstart.cli.serve import Config, DatabaseUrl, ServedEngine

if TYPE_CHECKING:
    from warmstart.serve.settings import Settings
    from warmstart.store.store import Store

To = Annotated[Path, typer.Option(help="Folder to make.")]
From = Annotated[Path, typer.Option("--from", help="Folder that `warmstart store export` made.")]
UserId = Annotated[str, typer.Option("--user", help="Id of the person.")]


def fill_store(
    data: Data,
    engine: Annotated[Path | None, typer.Option(help="Folder of a saved engine; else as the settings say.")] = None,
    items: Items = None,
    users: Users = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Add what an engine was fitted on: items, users and events that are not there yet.

    Refits learn from what the store holds. Done twice, it changes nothing more; the service may go on.
    Who was erased does not come back.
    """
    tables = Tables(data, items, users=users, map=columns, weights=weights, rejects=rejects, scale=scale)
    with opened(engine, database_url, config) as store:
        _show(store.seed(tables.read()[0]), as_json)


def export_store(
    to: To,
    engine: ServedEngine = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Write all tables to Parquet, as they are at one moment; the service goes on.

    Keys of the API stay behind.
    """
    with opened(engine, database_url, config) as store:
        _show(store.export_parquet(to), as_json)


def import_store(
    source: From,
    engine: ServedEngine = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Add what an export holds; the service goes on. Done twice, it changes nothing more.

    Who was erased, here or there, does not come back, even if the export was made before.
    """
    with opened(engine, database_url, config) as store:
        _show(store.import_parquet(source), as_json)


def erase_user(
    user_id: UserId,
    engine: ServedEngine = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Remove everything of a person and print the receipt, which does not say whose it is."""
    with opened(engine, database_url, config) as store:
        receipt = store.erase_user(user_id)
    if as_json:
        fields = {"receipt_id": receipt.receipt_id, "erased_at": receipt.erased_at}
        return emit(fields | {"counts": dict(receipt.counts), "models": list(receipt.models)})
    _show(receipt.counts, as_json=False)
    told = f"; may have learned from it: {', '.join(receipt.models)}" if receipt.models else ""
    return answers().print(f"receipt {receipt.receipt_id}{told}")


def retain_store(
    engine: ServedEngine = None, database_url: DatabaseUrl = None, config: Config = None, as_json: Json = False
) -> None:
    """Remove events and answers older than the settings keep them (retention_..._days); the service goes on."""
    from warmstart.store.rows import Retention

    settings = _settings(engine, database_url, config)
    days = Retention(settings.retention_events_days, settings.retention_answers_days)
    with opened(engine, database_url, config) as store:
        _show(store.retain(days), as_json)


def opened(engine: Path | None, database_url: str | None, config: Path | None) -> AbstractContextManager[Store]:
    """The store that the settings name."""
    from warmstart.store.store import Store

    return Store.open(_settings(engine, database_url, config).database)


def _settings(engine: Path | None, database_url: str | None, config: Path | None) -> Settings:
    from warmstart.serve.settings import Settings

    return Settings.read({"engine": engine, "database_url": database_url, "config": config})


def _show(counts: Mapping[str, int], as_json: bool) -> None:
    import polars as pl

    if as_json:
        return emit(dict(counts))
    return answers().print(listing(pl.DataFrame({"table": list(counts), "rows": list(counts.values())})))
