"""Several encoders as one: their vectors side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.text.base import TextEncoder
from warmstart.text.weights import fingerprint_of


@dataclass(frozen=True)
class JoinedEncoder:
    """Unit vectors of every part, side by side, divided by the root of their number: unit rows again.

    Parameters
    ----------
    parts
        The encoders, at least one.

    Examples
    --------
    >>> from warmstart.text.tfidf import TfidfEncoder
    >>> words = TfidfEncoder.fit(["a red robot", "a blue robot", "green tea"])
    >>> joined = JoinedEncoder((words, words))
    >>> joined.dim == 2 * words.dim, round(float((joined.encode(["red robot"]) ** 2).sum()), 4)
    (True, 1.0)
    """

    parts: tuple[TextEncoder, ...]

    @property
    def dim(self) -> int:
        """Length of a vector: the sum of the parts' lengths."""
        return sum(part.dim for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """Changes whenever that of a part does, or their order."""
        return fingerprint_of(*(part.fingerprint for part in self.parts))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors: float32, shape (len(texts), dim); zero rows for empty texts."""
        joined: np.ndarray = np.hstack([part.encode(texts) for part in self.parts])
        return joined / np.float32(np.sqrt(len(self.parts)))
