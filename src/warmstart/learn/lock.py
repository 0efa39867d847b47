"""One process at a time writes to the folder of a run."""

from __future__ import annotations

import os
from pathlib import Path

from warmstart.errors import ConfigError

LOCK = "run.lock"


def take(folder: Path) -> None:
    """Take a folder for this process; one that was left by a process that is no more is taken over.

    The file ``run.lock`` holds the number of the process. Processes of another machine on the same disk, and on
    Windows all others, cannot be asked whether they live: their lock counts as left.

    Raises
    ------
    ConfigError
        If another process writes there.
    """
    path, me = folder / LOCK, str(os.getpid())
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(me)
    except FileExistsError:
        owner = path.read_text(encoding="utf-8") if path.is_file() else ""
        if owner != me and lives(owner):
            raise ConfigError(
                f"{folder} is written to by process {owner}; wait for it, give another folder, or remove {path} if "
                "that process is no run"
            ) from None
        path.write_text(me, encoding="utf-8")


def leave(folder: Path) -> None:
    """Let others write there."""
    (folder / LOCK).unlink(missing_ok=True)


def held(folder: Path) -> bool:
    """Whether a process writes to a folder, as far as can be told (see ``take``); on Windows always."""
    path = folder / LOCK
    return os.name == "nt" or (path.is_file() and lives(path.read_text(encoding="utf-8")))


def lives(process: str) -> bool:
    """Whether a process of this machine, by its number, lives; on Windows, where asking would end it: no.

    Examples
    --------
    >>> lives(str(os.getpid())), lives("none")
    (True, False)
    """
    if os.name == "nt" or not process.isdecimal():  # asking ends a process on Windows
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True
