"""Vectors on disk by the content of the text: nothing is encoded twice, and a long run can be taken up again."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.text.base import TextEncoder
from warmstart.text.transformer import Progress

FLUSH = 256  # texts encoded between two writes: what an interrupted run loses at most
_ASK = 500  # keys a query
_LOG = logging.getLogger(__name__)


class CachedEncoder:
    """An encoder that looks its vectors up before it computes them; safe to share between processes.

    Every vector is stored with a checksum: what was damaged is encoded again, and a file that is no database is
    replaced. A cache that cannot be written costs time, never an answer.

    Parameters
    ----------
    encoder
        Who computes what is not there; its fingerprint is part of every key.
    folder
        Where ``vectors.sqlite`` lies; is made.
    progress
        Called with (texts done, texts to encode) after every write; not at all when all are known.
    """

    def __init__(self, encoder: TextEncoder, folder: str | Path, progress: Progress | None = None) -> None:
        self.encoder, self.path, self.progress = encoder, Path(folder) / "vectors.sqlite", progress
        self.dim, self.fingerprint = encoder.dim, encoder.fingerprint

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim), unit rows; zero rows for empty texts."""
        keys = [self._key(t) if t.strip() else b"" for t in texts]
        out, first, found = np.zeros((len(texts), self.dim), np.float32), dict[bytes, int](), set[bytes]()
        for row, key in enumerate(keys):
            if key:
                first.setdefault(key, row)
        for key, vector in self._read(sorted(first)):
            out[first[key]] = vector
            found.add(key)
        # longest first, like the encoders themselves: the time left is then never underestimated
        missing = sorted((k for k in first if k not in found), key=lambda k: (-len(texts[first[k]]), k))
        for start in range(0, len(missing), FLUSH):
            part = missing[start : start + FLUSH]
            vectors = self.encoder.encode([texts[first[key]] for key in part]).astype(np.float32)
            self._write(dict(zip(part, vectors, strict=True)))
            out[[first[key] for key in part]] = vectors
            if self.progress:
                self.progress(start + len(part), len(missing))
        for row, key in enumerate(keys):
            if key and first[key] != row:
                out[row] = out[first[key]]
        return out

    def unknown(self, texts: Sequence[str]) -> list[str]:
        """Texts that are not there yet, each once, longest first; empty ones are left out."""
        keyed = {self._key(t): t for t in texts if t.strip()}
        known = {key for key, _ in self._read(sorted(keyed))}
        return sorted((t for key, t in keyed.items() if key not in known), key=lambda t: (-len(t), t))

    def keep(self, texts: Sequence[str], vectors: np.ndarray) -> None:
        """Store vectors that the encoder made of texts elsewhere: float32, shape (len(texts), dim)."""
        rows = zip(texts, vectors.astype(np.float32), strict=True)
        self._write({self._key(text): vector for text, vector in rows if text.strip()})

    def spec(self) -> dict[str, str]:
        """The spec of the encoder inside."""
        spec: dict[str, str] = self.encoder.spec()  # type: ignore[attr-defined]
        return spec

    def save(self, folder: Path) -> None:
        """Save the encoder inside; the cache itself stays where it is."""
        self.encoder.save(folder)  # type: ignore[attr-defined]

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.fingerprint}\0{text}".encode("utf-8", "surrogatepass")).digest()

    def _read(self, keys: list[bytes]) -> Iterator[tuple[bytes, np.ndarray]]:
        with self._guarded(), closing(self._open()) as db:
            for start in range(0, len(keys), _ASK):
                part = keys[start : start + _ASK]
                marks = ",".join("?" * len(part))
                # the text is made of question marks alone, keys are bound
                asked = f"SELECT key, vector, crc FROM vectors WHERE key IN ({marks})"  # nosec B608
                for key, blob, check in db.execute(asked, part):
                    if _intact(key, blob, check, self.dim):
                        yield key, np.frombuffer(blob, np.float32)

    def _write(self, vectors: dict[bytes, np.ndarray]) -> None:
        rows = [(key, blob := v.tobytes(), zlib.crc32(key + blob)) for key, v in vectors.items()]
        with self._guarded(), closing(self._open()) as db, db:
            db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=30)
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB, crc INTEGER)")
        except sqlite3.Error:
            db.close()
            raise
        return db

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Whatever the disk does, encoding goes on: a broken file is set aside, a busy or full one left alone."""
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:
            _LOG.warning("text cache %s cannot be used now (%s); texts are encoded without it", self.path, error)
        except sqlite3.DatabaseError as error:
            _LOG.warning("text cache %s is damaged (%s); a new one is begun", self.path, error)
            self.path.unlink(missing_ok=True)


def _intact(key: bytes, blob: Any, check: Any, dim: int) -> bool:
    """Whether a stored vector is the one that was written under this key."""
    return isinstance(blob, bytes) and len(blob) == 4 * dim and zlib.crc32(key + blob) == check
