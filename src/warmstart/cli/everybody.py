"""Lists for every user of a dataset, into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from warmstart.cli.screen import emit, progress, say
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.batch import Lists
    from warmstart.engine import Engine


def everybody(
    engine: Engine, folder: Path, lists: Lists, out: Path | None, how: Mapping[str, int | None], as_json: bool
) -> None:
    """Write the lists, and say where; an engine without data, or no folder for them, is a mistake.

    ``how`` holds the users of a ``part`` and the ``processes``; None = as usual.
    """
    from warmstart.batch import Batch

    if engine.data is None or out is None:
        raise ConfigError("--all-users needs --data, whose users are meant, and --out, a folder for their lists")
    with progress() as tell:
        made = Batch(folder, out, lists, how["part"] or Batch.users, how["processes"] or 0).run(engine, tell)
    if as_json:
        return emit({"out": str(out)} | made)
    kept = f", {made['kept']:,} of them kept from before" if made["kept"] else ""
    return say(f"lists of {made['users']:,} users lie in {out}: {made['parts']:,} parts{kept}")


def refuse(given: Mapping[str, object], why: str) -> None:
    """Refuse options that do not go with another.

    Raises
    ------
    ConfigError
        If one of them was given.
    """
    named = ", ".join(f"--{name}" for name, value in given.items() if value is not None and value is not False)
    if named:
        raise ConfigError(f"{why}; leave out {named}")
