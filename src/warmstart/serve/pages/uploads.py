"""Files that were uploaded and wait to be confirmed: kept as bytes under names of ours, and never for long."""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from warmstart.data.decode import GZIP_MAGIC
from warmstart.errors import DataError
from warmstart.serve.problems import Problem

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".jsonl", ".ndjson", ".json")
TABLES = ("events", "items", "users")
HOUR = 3_600.0  # seconds until a file that nobody confirmed is removed
NAME = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Upload:
    """A file that waits: of which table it is, and where."""

    key: str
    table: str
    path: Path


class Uploads:
    """The folder of waiting files; every worker of a service sees the same one.

    Parameters
    ----------
    folder
        Is made when it is needed, for its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, table: str, name: str, body: bytes) -> Upload:
        """Keep the bytes of a file; of its name only the suffix counts.

        Raises
        ------
        DataError
            If it is empty, compressed, of no known suffix, or cannot be kept.
        """
        suffix = Path(name.lower()).suffix
        if suffix not in SUFFIXES:
            raise DataError(f"{name[:80]!r} has no suffix that is known; give one of {', '.join(SUFFIXES)}")
        if not body:
            raise DataError(f"{name[:80]!r} is empty; write a header line and at least one row into it")
        if body.startswith(GZIP_MAGIC):
            raise DataError(f"{name[:80]!r} is compressed; unpack it first")
        self.sweep()
        upload = self._upload(secrets.token_urlsafe(16), table, suffix)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(upload.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
        except OSError as error:
            raise DataError(f"the file cannot be kept ({error.strerror}); make the engine's folder writable") from error
        return upload

    def find(self, key: str) -> Upload:
        """A file that waits.

        Raises
        ------
        Problem
            404 if there is none: confirmed, dropped, or too old.
        """
        found = sorted(self.folder.glob(f"{key}.*")) if NAME.fullmatch(key) else []
        if not found:
            raise Problem(
                404, "No such upload", "it was written, dropped, or waited for too long", remedy="upload it again"
            )
        return Upload(key, found[0].suffixes[0].lstrip("."), found[0])

    def drop(self, upload: Upload) -> None:
        """Remove a file, and the folder with the last of them."""
        upload.path.unlink(missing_ok=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what has waited for an hour, and an empty folder; another worker may do so at the same moment."""
        with suppress(OSError):  # no folder, or one that is not empty
            for path in self.folder.iterdir():
                with suppress(OSError):
                    if path.stat().st_mtime < time.time() - HOUR:
                        path.unlink()
            self.folder.rmdir()

    def _upload(self, key: str, table: str, suffix: str) -> Upload:
        return Upload(key, table, self.folder / f"{key}.{table}{suffix}")
