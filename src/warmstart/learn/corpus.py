"""Unlabelled text to learn from: what the catalogue says of items, and files of any size."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from warmstart.errors import ConfigError, DataError
from warmstart.learn.text_files import Listed, Part, open_texts

MIN_HELD = 5  # different texts that a validation needs to mean anything
_SPAN = 1 << 64  # hashes are below


class Texts(Protocol):
    """Texts by position; a list is one."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __getitem__(self, at: int, /) -> str:
        """The text of a position."""
        ...


@dataclass(frozen=True, eq=False)
class StoredTexts:
    """Texts of which only the places are in memory: 12 bytes a text.

    Parameters
    ----------
    parts
        Where the texts are.
    part
        int32, which part has a text.
    place
        int64, where in the part it is.
    """

    parts: Sequence[Part]
    part: np.ndarray
    place: np.ndarray

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, at: int) -> str:
        """Read one text."""
        return self.parts[int(self.part[at])].read(int(self.place[at]))


@dataclass(frozen=True)
class Corpus:
    """Texts to learn from, and texts to judge by.

    The side of a text is decided by a hash of its words alone: two that are the same are on the same side, a text
    stays on its side when others come or go, and a run that goes on from another's model is judged by what neither saw.

    Parameters
    ----------
    train
        Texts to learn from, as often as they occur.
    held
        Texts held out, each once.
    fingerprint
        SHA-256 (hex) over all texts in order.

    Examples
    --------
    >>> corpus = Corpus.of([f"a film about {n} dogs" for n in range(100)] * 2, held_out=0.2)
    >>> len(corpus.train) + 2 * len(corpus.held), set(corpus.held) & {corpus.train[i] for i in range(len(corpus.train))}
    (200, set())
    """

    train: Texts
    held: tuple[str, ...]
    fingerprint: str

    @classmethod
    def of(
        cls,
        texts: Sequence[str] = (),
        files: Sequence[str | Path] = (),
        column: str = "text",
        held_out: float = 0.1,
        most_held: int = 2000,
    ) -> Corpus:
        """Read everything once and remember where it is.

        Parameters
        ----------
        texts
            Texts in memory, e.g. those of the catalogue; blank ones are left out.
        files
            ``.txt`` or ``.md`` (one paragraph a line), ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``.
        column
            Column or field of the files that have such.
        held_out
            Share of the different texts that is held out, in (0, 1).
        most_held
            About so many at most, whatever the share.

        Raises
        ------
        ConfigError
            If ``held_out`` is not a share.
        DataError
            If a file cannot be read, or there are fewer than 10 different texts.
        """
        if not 0 < held_out < 1:
            raise ConfigError(f"held_out={held_out} is not in (0, 1); 0.1 is usual")
        spool = Path(tempfile.mkdtemp(prefix="warmstart-"))
        try:
            parts: list[Part] = [Listed(texts)]
            parts += [open_texts(Path(file), column, spool) for file in files]
            part, place, digest = _index(parts)
            held = digest <= _limit(digest, held_out, most_held)
        except Exception:
            shutil.rmtree(spool, ignore_errors=True)
            raise
        _, once = np.unique(digest[held], return_index=True)
        aside = StoredTexts(parts, part[held], place[held])
        train = StoredTexts(parts, part[~held], place[~held])
        made = cls(train, tuple(aside[i] for i in np.sort(once)), hashlib.sha256(digest.tobytes()).hexdigest())
        weakref.finalize(train, shutil.rmtree, spool, ignore_errors=True)
        return made


def _index(parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part (int32), place (int64) and hash (uint64) of every text, in order."""
    part, place, digest = array("i"), array("q"), array("Q")
    for number, texts in enumerate(parts):
        for where, text in texts.scan():
            part.append(number)
            place.append(where)
            digest.append(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))
    return np.array(part, np.int32), np.array(place, np.int64), np.array(digest, np.uint64)


def _limit(digest: np.ndarray, share: float, most: int) -> np.uint64:
    """The largest hash of a text that is held out."""
    different = np.unique(digest)
    if len(different) < 2 * MIN_HELD:
        raise DataError(
            f"{len(different)} different texts to learn from; at least {2 * MIN_HELD} are needed: "
            "give a table of items with titles or descriptions, or files of texts"
        )
    wanted = np.uint64(int(min(share, most / len(different)) * (_SPAN - 1)))
    return max(wanted, different[MIN_HELD - 1])
