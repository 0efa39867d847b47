"""Folders of models that are no more needed."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from warmstart.errors import DataError
from warmstart.store.models import REMOVED, RETIRED
from warmstart.store.rows import Model
from warmstart.store.store import Store

FITTING = ".fitting-"  # begins the name of a folder whose engine is not judged yet


def tidy(store: Store, home: Path, keep: int) -> list[str]:
    """Delete retired models beyond the newest ``keep``, and what refits left that died; versions that went.

    Only folders inside ``home`` are deleted, and none that an experiment names while it runs. The row of a deleted
    model stays, with its report, as ``removed``. It must be the caller's turn (``turn.take``).
    """
    for left in home.glob(f"{FITTING}*"):
        shutil.rmtree(left, ignore_errors=True)
    running = [e for e in store.experiments() if e.status == "running"]
    needed = {str(variant.get("model")) for e in running for variant in e.variants}
    retired = sorted((m for m in store.models() if m.status == RETIRED), key=lambda m: -m.promoted_at)
    gone = [m for m in retired[keep:] if m.version not in needed and home.resolve() in Path(m.folder).parents]
    for model in gone:
        with suppress(DataError):  # it was promoted a moment ago
            drop(store, model, REMOVED)
    return [model.version for model in gone]


def drop(store: Store, model: Model, status: str) -> None:
    """Mark a model, then delete its folder: in this order nobody is offered what is no more there."""
    store.put_model(replace(model, status=status))
    shutil.rmtree(model.folder, ignore_errors=True)
