"""The card of an encoder that is a folder: what it is, which files belong to it, and what is done to its vectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ArtefactError, ConfigError
from warmstart.text.weights import sha256_of
from warmstart.text.whiten import Whitening, unit_rows

CARD = "encoder.json"
PROJECTION = "projection.npz"
FORMAT = 1


def write_card(folder: Path, card: dict[str, Any], files: tuple[str, ...]) -> None:
    """Write the card with the checksums of the files it speaks of; the last thing that is written."""
    whole = {"format": FORMAT} | card | {"sha256": {name: sha256_of(folder / name) for name in files}}
    (folder / CARD).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def read_card(folder: Path, files: tuple[str, ...]) -> dict[str, Any]:
    """The card, once the files are known to be those it was written for.

    Raises
    ------
    ArtefactError
        If the card or a file is missing, was changed, or is of a newer format.
    """
    card = _read(folder)
    try:
        version, checksums = int(card["format"]), {name: card["sha256"][name] for name in files}
        checksums |= {PROJECTION: card["sha256"][PROJECTION]} if card.get("projection") else {}
        int(card["dim"]), int(card["max_tokens"])
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{folder / CARD} cannot be read ({error}); export the encoder again") from error
    if version > FORMAT:
        raise ArtefactError(f"{folder} has format {version}, not {FORMAT}; upgrade warmstart")
    for name, expected in checksums.items():
        if sha256_of(folder / name) != expected:
            raise ArtefactError(f"{folder / name} was changed after it was written; export the encoder again")
    return card


def card_kind(folder: Path) -> str:
    """Of what kind the encoder is: "onnx" or "static-table"; "" where a folder has no card.

    Examples
    --------
    >>> card_kind(Path("no such folder"))
    ''
    """
    return str(_read(folder).get("kind", "onnx")) if (folder / CARD).is_file() else ""


def _read(folder: Path) -> dict[str, Any]:
    if not (folder / CARD).is_file():
        raise ArtefactError(f"{folder} holds no {CARD}; write one with warmstart compress")
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtefactError(f"{folder / CARD} cannot be read ({error}); export the encoder again") from error
    if not isinstance(card, dict):
        raise ArtefactError(f"{folder / CARD} holds no table; export the encoder again")
    return card


@dataclass(frozen=True)
class Shortening:
    """What is done to a model's vectors at the end: cut to their first dimensions or projected, then to length 1.

    Parameters
    ----------
    dim_in
        Length of the model's vectors.
    dim
        Length of what comes out, at most ``dim_in``.
    projection
        Directions fitted on vectors (PCA); None = the first ``dim`` dimensions, which is right for a model that was
        trained so (Kusupati et al. 2022, Matryoshka representation learning, arXiv:2205.13147).
    """

    dim_in: int
    dim: int
    projection: Whitening | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.dim <= self.dim_in:
            raise ConfigError(f"dim={self.dim} is not in 1..{self.dim_in}, the length of the model's vectors")

    @classmethod
    def of(cls, folder: Path, card: dict[str, Any]) -> Shortening:
        """As a card says: ``dim``, ``model_dim`` (where it is larger) and ``projection``."""
        dim = int(card["dim"])
        if not card.get("projection"):
            return cls(int(card.get("model_dim", dim)), dim)
        with np.load(folder / PROJECTION, allow_pickle=False) as arrays:
            return cls(int(card["model_dim"]), dim, Whitening(**arrays))

    @property
    def files(self) -> tuple[str, ...]:
        """Files that belong to it."""
        return () if self.projection is None else (PROJECTION,)

    def key(self, folder: Path) -> tuple[str | Path, ...]:
        """What it adds to an encoder's fingerprint; nothing where vectors stay as they are."""
        if self.projection is not None:
            return (folder / PROJECTION,)
        return () if self.dim == self.dim_in else (f"first {self.dim}",)

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """float, shape (n, dim_in) -> float32, shape (n, dim), unit rows; zero rows stay zero.

        Examples
        --------
        >>> Shortening(3, 2).apply(np.array([[3.0, 4.0, 12.0]])).round(1).tolist()
        [[0.6000000238418579, 0.800000011920929]]
        """
        if self.projection is not None:
            return self.projection.apply(unit_rows(vectors))
        return unit_rows(vectors[:, : self.dim])
