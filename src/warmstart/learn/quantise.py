"""Stored vectors in a quarter or a thirty-second of their memory, and exact scores over what is stored.

``Int8Vectors`` keeps one byte a dimension, ``BinaryVectors`` one bit; ``rescored`` lets the bits choose candidates and
the bytes order them (Yamada, Asai and Hajishirzi 2021, Efficient passage retrieval with hashing, arXiv:2106.00882).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from warmstart.errors import ConfigError

_BLOCK = 65_536  # stored vectors that are unpacked at once
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


class StoredVectors(Protocol):
    """Vectors as they are kept, and how queries are scored against them."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def take(self, rows: np.ndarray) -> StoredVectors:
        """Some of them, by position."""
        ...

    def decoded(self) -> np.ndarray:
        """The vectors as float32, shape (n, dim), as near to the originals as what is kept allows."""
        ...

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Float queries, shape (m, dim) -> float32, shape (m, n); higher is better."""
        ...


@dataclass(frozen=True, eq=False)
class FloatVectors:
    """Vectors as they are.

    Parameters
    ----------
    vectors
        float32, shape (n, dim).
    """

    vectors: np.ndarray

    def __len__(self) -> int:
        """How many vectors."""
        return len(self.vectors)

    def take(self, rows: np.ndarray) -> FloatVectors:
        """Some of them."""
        return FloatVectors(self.vectors[rows])

    def decoded(self) -> np.ndarray:
        """The vectors."""
        return self.vectors

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Dot products: float32, shape (m, n)."""
        products: np.ndarray = queries @ self.vectors.T
        return products


@dataclass(frozen=True, eq=False)
class Int8Vectors:
    """Bytes with a scale a dimension: ``v_d ~ codes_d * scale_d``, an error of at most half a scale.

    Parameters
    ----------
    codes
        int8, shape (n, dim), in -127..127.
    scale
        float32, shape (dim,): the largest size in a dimension, over 127.
    """

    codes: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray) -> Int8Vectors:
        """Round float vectors, shape (n, dim).

        Examples
        --------
        >>> stored = Int8Vectors.fit(np.array([[1.0, -0.5], [0.5, 0.25]]))
        >>> stored.codes.tolist(), stored.decoded().round(2).tolist()
        ([[127, -127], [64, 64]], [[1.0, -0.5], [0.5, 0.25]])
        """
        step = np.abs(vectors).max(axis=0, initial=0.0) / 127
        scale = np.where(step >= np.finfo(np.float32).tiny, step, 1).astype(np.float32)
        return cls(np.rint(vectors / scale).clip(-127, 127).astype(np.int8), scale)

    def __len__(self) -> int:
        """How many vectors."""
        return len(self.codes)

    def take(self, rows: np.ndarray) -> Int8Vectors:
        """Some of them."""
        return Int8Vectors(self.codes[rows], self.scale)

    def decoded(self) -> np.ndarray:
        """float32, shape (n, dim)."""
        vectors: np.ndarray = self.codes.astype(np.float32) * self.scale
        return vectors

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Dot products of float queries and stored vectors: float32, shape (m, n)."""
        scaled = (queries * self.scale).astype(np.float32)
        parts = [scaled @ self.codes[a : a + _BLOCK].astype(np.float32).T for a in range(0, len(self), _BLOCK)]
        return np.hstack(parts) if parts else np.zeros((len(queries), 0), np.float32)


@dataclass(frozen=True, eq=False)
class BinaryVectors:
    """One bit a dimension: whether a vector is above the mean there.

    Parameters
    ----------
    bits
        uint8, shape (n, ceil(dim / 8)): ``np.packbits`` of the signs.
    mean
        float32, shape (dim,): of the vectors it was fitted on; without it a dimension of one sign would say nothing.
    """

    bits: np.ndarray
    mean: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray) -> BinaryVectors:
        """Keep the signs of float vectors, shape (n, dim), around their mean.

        Examples
        --------
        >>> stored = BinaryVectors.fit(np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 4.0]]))
        >>> stored.bits.tolist(), stored.hamming(np.array([[1.0, -1.0, 0.0]])).tolist()
        ([[128], [96]], [[0, 3]])
        """
        mean = vectors.mean(axis=0).astype(np.float32)
        return cls(np.packbits(vectors > mean, axis=1), mean)

    def __len__(self) -> int:
        """How many vectors."""
        return len(self.bits)

    def take(self, rows: np.ndarray) -> BinaryVectors:
        """Some of them."""
        return BinaryVectors(self.bits[rows], self.mean)

    @property
    def dim(self) -> int:
        """Bits a vector."""
        return len(self.mean)

    def decoded(self) -> np.ndarray:
        """float32, shape (n, dim): +1 and -1, over the root of dim."""
        return self._signs(self.bits) / np.float32(np.sqrt(self.dim))

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Asymmetric: float queries, less the mean, times signs; float32, shape (m, n)."""
        centred = (queries - self.mean).astype(np.float32) / np.float32(np.sqrt(self.dim))
        parts = [centred @ self._signs(self.bits[a : a + _BLOCK]).T for a in range(0, len(self), _BLOCK)]
        return np.hstack(parts) if parts else np.zeros((len(queries), 0), np.float32)

    def hamming(self, queries: np.ndarray) -> np.ndarray:
        """Bits that differ, the queries' own signs taken: int32, shape (m, n), in 0..dim; lower is better."""
        asked = np.packbits(queries > self.mean, axis=1)
        out = np.zeros((len(asked), len(self)), np.int32)
        for row, bits in enumerate(asked):
            out[row] = _ONES[self.bits ^ bits].sum(axis=1, dtype=np.int32)
        return out

    def _signs(self, bits: np.ndarray) -> np.ndarray:
        return np.unpackbits(bits, axis=1, count=self.dim).astype(np.float32) * 2 - 1


@dataclass(frozen=True, eq=False)
class HammingVectors:
    """Bits that are compared with bits: the cheapest score, and the coarsest.

    Parameters
    ----------
    binary
        What is stored.
    """

    binary: BinaryVectors

    @classmethod
    def fit(cls, vectors: np.ndarray) -> HammingVectors:
        """Keep the signs of float vectors, shape (n, dim)."""
        return cls(BinaryVectors.fit(vectors))

    def __len__(self) -> int:
        """How many vectors."""
        return len(self.binary)

    def take(self, rows: np.ndarray) -> HammingVectors:
        """Some of them."""
        return HammingVectors(self.binary.take(rows))

    def decoded(self) -> np.ndarray:
        """As ``BinaryVectors.decoded``."""
        return self.binary.decoded()

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """``1 - 2 h / dim`` for Hamming distance h: float32, shape (m, n), in [-1, 1]."""
        return (1 - 2 * self.binary.hamming(queries) / self.binary.dim).astype(np.float32)


@dataclass(frozen=True, eq=False)
class RescoredVectors:
    """Bits choose ``candidates`` vectors a query, bytes order them; what was not chosen comes after them.

    Parameters
    ----------
    binary, int8
        The same vectors, twice.
    candidates
        How many are scored again, >= 1.
    """

    binary: BinaryVectors
    int8: Int8Vectors
    candidates: int = 40

    @classmethod
    def fit(cls, vectors: np.ndarray, candidates: int = 40) -> RescoredVectors:
        """Keep bits and bytes of float vectors, shape (n, dim)."""
        if candidates < 1:
            raise ConfigError(f"candidates={candidates} is below 1; four times the length of the list is usual")
        return cls(BinaryVectors.fit(vectors), Int8Vectors.fit(vectors), candidates)

    def __len__(self) -> int:
        """How many vectors."""
        return len(self.binary)

    def take(self, rows: np.ndarray) -> RescoredVectors:
        """Some of them."""
        return RescoredVectors(self.binary.take(rows), self.int8.take(rows), self.candidates)

    def decoded(self) -> np.ndarray:
        """The bytes as float32."""
        return self.int8.decoded()

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Dot products for the candidates; for the others the asymmetric score, moved below the worst candidate's."""
        scores = self.binary.scores(queries)
        if self.candidates >= len(self):
            return self.int8.scores(queries)
        for row, query in enumerate(queries):
            chosen = np.argpartition(-scores[row], self.candidates)[: self.candidates]
            found = self.int8.codes[chosen].astype(np.float32) @ (query * self.int8.scale).astype(np.float32)
            scores[row] += found.min() - scores[row].max() - 1
            scores[row, chosen] = found
        return scores


def overlap(one: np.ndarray, other: np.ndarray, k: int = 10) -> float:
    """Mean share of a row's k highest scores that two matrices of scores have in common.

    Examples
    --------
    >>> overlap(np.array([[3, 2, 1]]), np.array([[3, 1, 2]]), k=2)
    0.5
    """
    k = min(k, one.shape[1])
    tops = [np.argsort(-scores, axis=1, kind="stable")[:, :k] for scores in (one, other)]
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*tops, strict=True)]))
