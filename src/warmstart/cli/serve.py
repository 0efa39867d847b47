"""The service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import Json
from warmstart.cli.screen import answers, emit, listing

if TYPE_CHECKING:
    from warmstart.serve.settings import Settings

ServedEngine = Annotated[
    Path | None, typer.Argument(metavar="ENGINE", help="Folder of a saved engine; else as the settings say.")
]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="sqlite:///FILE or postgresql+psycopg://...; else ENGINE.db beside the engine.")
]
Config = Annotated[Path | None, typer.Option(help="TOML file of settings; else warmstart.toml where there is one.")]
Seeded = Annotated[
    Path | None, typer.Option("--data", help="Saved dataset whose users and events the store takes in once.")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 = anybody may knock.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 = any free one.")]
Workers = Annotated[int | None, typer.Option(help="Processes; they share the engine's arrays in memory.")]
Require = Annotated[bool | None, typer.Option(help="Answer only those who bring a key.")]
LogFormat = Annotated[str | None, typer.Option(help="json or text.")]
LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error.")]
Show = Annotated[bool, typer.Option("--show-settings", help="Print every setting and where it comes from, and end.")]


def serve(
    engine: ServedEngine = None,
    data: Seeded = None,
    database_url: DatabaseUrl = None,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    config: Config = None,
    require_keys: Require = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    show_settings: Show = False,
    as_json: Json = False,
) -> None:
    """Recommend over HTTP, live: events and items sent now count in the next answer.

    Settings come from these options, then from WARMSTART_* in the environment, then from a TOML file. Passwords and
    keys have no option: the command line of a process can be read by others.
    """
    from warmstart.serve.settings import Settings

    given = {
        "engine": engine,
        "data": data,
        "database_url": database_url,
        "host": host,
        "port": port,
        "workers": workers,
    }
    given |= {"config": config, "require_keys": require_keys, "log_format": log_format, "log_level": log_level}
    settings = Settings.read(given)
    if show_settings:
        return _show(settings, as_json)
    from warmstart.serve import run

    return run.serve(settings)


def _show(settings: Settings, as_json: bool) -> None:
    import polars as pl

    from warmstart.serve.settings_sources import shown

    rows = shown(settings)
    if as_json:
        return emit(rows)
    return answers().print(listing(pl.DataFrame(rows)))
