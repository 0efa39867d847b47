"""An environment for each system, made once; one that cannot be made says why."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from .entrants import Entrant

MADE, FAILED, NOTES = ".installed", ".failed", "could-not.txt"
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")


def python_of(entrant: Entrant, folder: Path) -> Path | str:
    """The interpreter of an entrant, installed where needed; or one line that says why there is none.

    The first list of packages that installs is taken. What failed is not tried again: remove the environment to do so.
    """
    if not entrant.environment:
        return Path(sys.executable)
    place = folder / entrant.environment
    if not (place / MADE).is_file() and not (place / FAILED).is_file():
        why: list[str] = []
        made = any(installed(place, packages, why) for packages in entrant.packages)
        (place / NOTES).write_text("; ".join(why), encoding="utf-8")
        (place / (MADE if made else FAILED)).touch()
    return place / "bin" / "python" if (place / MADE).is_file() else f"could not be installed: {notes(entrant, folder)}"


def installed(place: Path, packages: Sequence[str], why: list[str]) -> bool:
    """Install into a fresh environment; a pin of torch first, since a plain torch brings gigabytes of CUDA packages."""
    venv.create(place, clear=True, with_pip=True)
    for step in (
        [p for p in packages if p.startswith("torch==")],
        [p for p in packages if not p.startswith("torch==")],
    ):
        command = [str(place / "bin" / "python"), *PIP, *step]
        if step and (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
            why.append(f"{step[0]}: {reason(done.stderr)}")
            return False
    return True


def reason(log: str) -> str:
    r"""The line of a log that says most: the last that names an error's kind, else the last but pip's own.

    >>> reason("  x.c: gone\nValueError: no\nerror: subprocess-exited-with-error\nnote: not pip")
    'ValueError: no'
    """
    lines = [line.strip(" │╰─>×") for line in log.splitlines() if line.strip(" │╰─>×")]
    telling = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    said = [line for line in lines if not line.lower().startswith(("note:", "hint:", "[notice]", "warning"))]
    return (telling or said or ["it said nothing"])[-1]


def notes(entrant: Entrant, folder: Path) -> str:
    """What could not be installed for an entrant, in one line; "" where all could."""
    file = folder / entrant.environment / NOTES
    return file.read_text(encoding="utf-8") if entrant.environment and file.is_file() else ""
