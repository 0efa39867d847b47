"""Shorter vectors of an encoder that is a folder: its first dimensions, or its principal directions.

The first dimensions are right for a model that was trained so (``Retrieval(dims=...)``; Kusupati et al. 2022,
arXiv:2205.13147). For any other model principal directions lose less. Both are done when serving: the model stays, its
card says what happens to its vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from warmstart.errors import ConfigError
from warmstart.text.card import PROJECTION, Shortening, card_kind, read_card, write_card
from warmstart.text.onnx import FILES as ONNX_FILES
from warmstart.text.static_table import FILES as TABLE_FILES
from warmstart.text.static_table import KIND
from warmstart.text.whiten import Whitening


def truncate(folder: Path, dim: int) -> None:
    """Let an encoder's folder give the first ``dim`` dimensions, at length 1.

    Raises
    ------
    ConfigError
        If ``dim`` is not below the length that it gives now.
    """
    _rewrite(folder, dim, None)


def project(folder: Path, dim: int, vectors: np.ndarray) -> None:
    """Let an encoder's folder give its vectors in the ``dim`` principal directions of ``vectors``, at length 1.

    Parameters
    ----------
    vectors
        float32, shape (n, dim of the encoder), unit rows: what it gives for the texts of a catalogue.

    Raises
    ------
    ConfigError
        If ``dim`` is not below the length that it gives now, or the vectors do not span so many directions.
    """
    directions = Whitening.fit(vectors, dim, relax=0.0)
    if directions.dim < dim:
        raise ConfigError(f"dim={dim}: {len(vectors)} texts span {directions.dim} directions; give more texts or less")
    _rewrite(folder, dim, directions)


def _rewrite(folder: Path, dim: int, directions: Whitening | None) -> None:
    files = TABLE_FILES if card_kind(folder) == KIND else ONNX_FILES
    card = read_card(folder, files)
    old = Shortening.of(folder, card)
    if old.dim != old.dim_in:
        raise ConfigError(f"{folder} is shortened already; shorten the encoder it was made from")
    check_dim(dim, old.dim)
    if directions is not None:
        np.savez(folder / PROJECTION, mean=directions.mean, components=directions.components)
    card = {k: v for k, v in card.items() if k != "sha256"} | {"dim": dim, "model_dim": old.dim_in}
    card |= {"projection": True} if directions is not None else {}
    write_card(folder, card, (*files, PROJECTION) if directions is not None else files)


def check_dim(dim: int, longest: int) -> None:
    """Refuse a length that is none, or shortens nothing.

    Examples
    --------
    >>> check_dim(512, 384)
    Traceback (most recent call last):
    warmstart.errors.ConfigError: dims=512 is not below 384, the length of the model's vectors; give 1 to 383
    """
    if not 1 <= dim < longest:
        raise ConfigError(
            f"dims={dim} is not below {longest}, the length of the model's vectors; give 1 to {longest - 1}"
        )
