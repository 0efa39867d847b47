"""Stored vectors as a file: codes, the ids they belong to, and which encoder made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ArtefactError
from warmstart.learn.quantise import (
    BinaryVectors,
    FloatVectors,
    HammingVectors,
    Int8Vectors,
    RescoredVectors,
    StoredVectors,
)

VECTORS = "vectors.npz"
MORE = "vectors-int8.npz"  # of bits that bytes score again


@dataclass(frozen=True)
class Storing:
    """A way to keep vectors.

    Parameters
    ----------
    fit
        Float vectors to what scores them.
    files
        What is written, by file name.
    bytes
        A dimension.
    """

    fit: Callable[[np.ndarray], StoredVectors]
    files: Mapping[str, Callable[[np.ndarray], Int8Vectors | BinaryVectors]]
    bytes: float

    def write(self, folder: Path, vectors: np.ndarray, ids: Sequence[str], encoder: str) -> None:
        """Write vectors into a folder; nothing for those that stay float32."""
        for name, fit in self.files.items():
            save_vectors(folder / name, fit(vectors), ids, encoder)


STORINGS: Mapping[str, Storing] = {
    "": Storing(FloatVectors, {}, 4.0),
    "int8-vectors": Storing(Int8Vectors.fit, {VECTORS: Int8Vectors.fit}, 1.0),
    "binary": Storing(BinaryVectors.fit, {VECTORS: BinaryVectors.fit}, 0.125),
    "binary-hamming": Storing(HammingVectors.fit, {VECTORS: BinaryVectors.fit}, 0.125),
    "binary-rescored": Storing(RescoredVectors.fit, {VECTORS: BinaryVectors.fit, MORE: Int8Vectors.fit}, 1.125),
}
FORMS: Mapping[str, type[Int8Vectors | BinaryVectors]] = {"int8": Int8Vectors, "binary": BinaryVectors}


def save_vectors(file: Path, stored: Int8Vectors | BinaryVectors, ids: Sequence[str], encoder: str) -> None:
    """Write stored vectors with the ids they belong to and the fingerprint of their encoder (``.npz``)."""
    form = next(name for name, kind in FORMS.items() if isinstance(stored, kind))
    arrays: dict[str, Any] = {f.name: getattr(stored, f.name) for f in fields(stored)}
    np.savez(file, form=np.array(form), ids=np.array(ids, dtype=str), encoder=np.array(encoder), **arrays)


def load_vectors(file: Path) -> tuple[Int8Vectors | BinaryVectors, list[str], str]:
    """Stored vectors, ids and the encoder's fingerprint, as ``save_vectors`` wrote them.

    Raises
    ------
    ArtefactError
        If the file cannot be read.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            kind = FORMS[str(arrays["form"])]
            stored = kind(*(arrays[f.name] for f in fields(kind)))
            return stored, arrays["ids"].tolist(), str(arrays["encoder"])
    except (OSError, ValueError, KeyError) as error:
        raise ArtefactError(f"{file} holds no stored vectors ({error}); write them again with save_vectors") from error
