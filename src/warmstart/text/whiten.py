"""Relaxed whitening: language-model vectors crowd in a narrow cone; this spreads them without blowing up noise.

``z = norm((x - mean) V diag(s ** -r))`` with V the leading principal directions and s their standard deviations:
r = 0 is plain PCA, r = 1 full whitening, r = 0.5 keeps half (in logarithms) of the spectrum's shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warmstart.errors import ConfigError

BLOCK = 65_536  # rows that are taken up at once
_RANK = 1e-5  # directions with less than this share of the largest deviation are rounding errors


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1, float32; zero rows stay zero.

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


@dataclass(frozen=True)
class Whitening:
    """A fitted map from vectors of a text encoder to item features.

    Parameters
    ----------
    mean
        float32, shape (dim_in,).
    components
        float32, shape (dim_in, dim): principal directions, already scaled by s ** -r.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 8)) * np.arange(1, 9) + 5
    >>> w = Whitening.fit(x, dim=4)
    >>> z = w.apply(x)
    >>> w.dim, z.shape, bool(np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6))
    (4, (50, 4), True)
    """

    mean: np.ndarray
    components: np.ndarray

    @property
    def dim(self) -> int:
        """Length of the vectors that come out."""
        return int(self.components.shape[1])

    @classmethod
    def fit(cls, vectors: np.ndarray, dim: int = 256, relax: float = 0.5) -> Whitening:
        """Learn mean and directions; the same vectors give the same map, signs included.

        Parameters
        ----------
        vectors
            float, shape (n, dim_in); zero rows (empty texts) are left out.
        dim
            Directions to keep; fewer come out where the vectors span fewer.
        relax
            The exponent r, in 0..1.

        Raises
        ------
        ConfigError
            If ``dim`` or ``relax`` is out of range.
        """
        if dim < 1 or not 0 <= relax <= 1:
            raise ConfigError(f"whitening with dim={dim}, relax={relax}: take dim of at least 1 and relax in 0..1")
        n = sum(len(x) for x in _told(vectors))
        mean, spread = np.zeros(vectors.shape[1]), np.zeros((vectors.shape[1],) * 2)
        if n > 1:
            mean = sum((x.sum(axis=0) for x in _told(vectors)), mean) / n
        for x in _told(vectors):
            x -= mean
            spread += x.T @ x
        variance, directions = np.linalg.eigh(spread / max(n - 1, 1))
        variance, directions = variance[::-1].clip(min=0), directions[:, ::-1]
        rank = int((variance > _RANK**2 * variance[0]).sum())
        if n < 2 or rank == 0:
            return cls(np.zeros(len(mean), np.float32), np.eye(len(mean), min(dim, len(mean)), dtype=np.float32))
        keep = min(dim, rank)
        scaled = _fix_signs(directions[:, :keep]) * variance[:keep] ** (-relax / 2)
        return cls(mean.astype(np.float32), np.ascontiguousarray(scaled, np.float32))

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Features of vectors: float32, shape (n, dim), unit rows; a zero row (no text) stays zero."""
        out = np.empty((len(vectors), self.dim), np.float32)
        for at in range(0, len(vectors), BLOCK):
            part = vectors[at : at + BLOCK]
            known = np.any(part != 0, axis=1, keepdims=True)
            out[at : at + BLOCK] = unit_rows(((part - self.mean) @ self.components) * known)
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        """What to save: the two arrays by name; ``Whitening(**arrays)`` brings it back."""
        return {"mean": self.mean, "components": self.components}


def _told(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Rows that are not zero in double precision, a block at a time."""
    for at in range(0, len(vectors), BLOCK):
        part = vectors[at : at + BLOCK]
        yield part[np.any(part != 0, axis=1)].astype(np.float64)


def _fix_signs(directions: np.ndarray) -> np.ndarray:
    """Columns turned so that the entry of largest size is positive (solvers disagree on signs)."""
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    fixed: np.ndarray = directions * np.where(largest < 0, -1.0, 1.0)
    return fixed
