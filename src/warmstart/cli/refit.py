"""A refit of the service's model, in the foreground."""

from __future__ import annotations

import typer

from warmstart.cli.options import Json
from warmstart.cli.screen import answers, emit, progress
from warmstart.cli.serve import Config, DatabaseUrl, ServedEngine


def refit(
    engine: ServedEngine = None, database_url: DatabaseUrl = None, config: Config = None, as_json: Json = False
) -> None:
    """Fit the served engine anew on the events of its store, judge it beside the serving one, promote it if none falls.

    Servers that run on the store swap to the new model by themselves. Exit code 0 = it serves, 1 = it does not: a slice
    fell, or it stays a candidate for somebody to decide.
    """
    from warmstart.serve.logs import configure_logs
    from warmstart.serve.refit import PROMOTED
    from warmstart.serve.refit import refit as run
    from warmstart.serve.settings import Settings
    from warmstart.store.store import Store

    settings = Settings.read({"engine": engine, "database_url": database_url, "config": config})
    configure_logs(settings)  # to stderr: stdout is for the answer
    with Store.open(settings.database) as store, progress() as tell:
        outcome = run(settings, store, "asked", tell)
    told = {"status": outcome.status, "model_version": outcome.version or None, "reason": outcome.reason}
    if as_json:
        emit(told | {"report": dict(outcome.report)})
    else:
        answers().print("\n".join(f"{k}: {v}" for k, v in told.items() if v), markup=False, soft_wrap=True)
    if outcome.status != PROMOTED:
        raise typer.Exit(1)
