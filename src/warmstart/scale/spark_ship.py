"""Folders sent to every executor once, and what is loaded of them once a worker process."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warmstart.errors import DataError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOADED: dict[str, Any] = {}


def shipped(spark: SparkSession, folder: str | Path) -> str:
    """Send a folder to all executors, present and future; the name under which ``loaded`` finds it there.

    Raises
    ------
    DataError
        If there is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"there is no folder '{path}'; check the path")
    name = f"{path.name}-{digest(path)}"
    place = tempfile.mkdtemp(prefix="warmstart-ship-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)  # executors that come later fetch it, too
    archive = Path(place) / f"{name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            packed.write(file, file.relative_to(path))
    spark.sparkContext.addArchive(f"{archive}#{name}")
    return name


def digest(folder: Path) -> str:
    """Twelve hex digits that change with the names and contents of a folder's files."""
    found = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(str(file.relative_to(folder)).encode())
        with file.open("rb") as opened:
            found.update(hashlib.file_digest(opened, "sha256").digest())
    return found.hexdigest()[:12]


def loaded(name: str, load: Callable[[Path], Any]) -> Any:
    """What ``load`` makes of a folder that was ``shipped``: made once in a worker process, and kept."""
    if name not in _LOADED:
        from pyspark import SparkFiles

        _LOADED.clear()  # a worker that is used again does not keep what an earlier job was about
        _LOADED[name] = load(Path(SparkFiles.get(name)))
    return _LOADED[name]
