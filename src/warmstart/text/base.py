"""What every text encoder offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class TextEncoder(Protocol):
    """Maps texts to unit vectors; the same text always gets the same vector."""

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would: model, weights, pooling, version."""
        ...

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of texts: float32, shape (len(texts), dim), unit rows; an empty text gives a zero row."""
        ...
