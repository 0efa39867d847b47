"""Ids of made-up people and items, in the forms that ids take."""

from __future__ import annotations

import hashlib
from uuid import UUID

import numpy as np
import polars as pl

from warmstart.errors import ConfigError

FORMS = ("short", "integer", "uuid")
LARGE = 1 << 62  # ids that a float64 cannot tell apart


def named(letter: str, codes: np.ndarray, form: str) -> pl.Series:
    """Ids of codes: ``letter`` and number, integers of 63 bits, or UUIDs of them.

    Examples
    --------
    >>> named("u", np.array([0, 7]), "short").to_list(), named("u", np.array([7]), "integer").to_list()
    (['u0', 'u7'], [4611686018427387911])
    >>> named("i", np.array([0]), "uuid").to_list()
    ['a4e167a7-6a05-add8-a865-4c169b07b044']
    """
    if form not in FORMS:
        raise ConfigError(f"ids={form!r} is none of {list(FORMS)}")
    if form == "integer":
        return pl.Series(codes.astype(np.int64) + LARGE)
    if form == "short":
        return letter + pl.Series(codes.astype(np.int64)).cast(pl.String)
    once, back = np.unique(codes, return_inverse=True)
    made = [str(UUID(bytes=hashlib.sha256(f"{letter}{code}".encode()).digest()[:16])) for code in once.tolist()]
    return pl.Series(made, dtype=pl.String)[back]
