"""Overlapping concepts: a dictionary of directions of which every item takes a few, learned by a sparse autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from warmstart.errors import ConfigError
from warmstart.interests.members import Membership
from warmstart.interests.tree import TreeSettings, build_tree
from warmstart.text.whiten import unit_rows

DIRECTIONS = 128  # principal ones, within which the dictionary learns
BATCH = 256
RATE = 3e-3
IDLE = 2_000  # vectors without any taking a latent, after which it is dead
REVIVAL = 1 / 32  # weight of the error of the dead ones


@dataclass(frozen=True)
class SparseSettings:
    """A dictionary of concepts.

    Parameters
    ----------
    size
        Concepts at most; 0 = by the number of items n: ``n / 8``, at least 3 and at most 512.
    active
        Concepts of an item at most.
    steps
        Steps of the optimiser, 256 items each.
    seed
        Of the order of the items.
    """

    size: int = 0
    active: int = 4
    steps: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 0 or self.active < 1 or self.steps < 0 or self.seed < 0:
            raise ConfigError(
                f"size={self.size}, active={self.active}, steps={self.steps}, seed={self.seed}: active must be 1 or "
                "more, the others 0 or more; 0, 4, 1000 and 0 are usual"
            )

    def of(self, n: int) -> int:
        """Concepts at most for so many items.

        Examples
        --------
        >>> SparseSettings().of(1682), SparseSettings().of(10), SparseSettings(size=50).of(20)
        (210, 3, 20)
        """
        return min(self.size or max(3, min(n // 8, 512)), max(n, 1))


@dataclass(frozen=True, eq=False)
class SparseCoder:
    """``h = TopK_k(max(0, W_e (x - b)))`` and back, ``W_d h + b``; a concept is a latent, an entry of h.

    Parameters
    ----------
    encoder
        W_e: float32, shape (n_concepts, d).
    decoder
        Transposed W_d: float32, shape (n_concepts, d), unit rows.
    offset
        b, the mean of the vectors: float32, shape (d,).
    active
        k, entries of h that are kept.
    """

    encoder: np.ndarray
    decoder: np.ndarray
    offset: np.ndarray
    active: int

    def encode(self, vectors: np.ndarray) -> sp.csr_matrix:
        """Concepts of every vector, h: float32 CSR, shape (n, n_concepts), at most k entries a row, all above 0."""
        h = _sparse(*_strongest((vectors - self.offset) @ self.encoder.T, self.active), len(self.encoder))
        h.eliminate_zeros()
        return h

    def decode(self, h: sp.csr_matrix) -> np.ndarray:
        """Vectors again: float32, shape (n, d)."""
        made: np.ndarray = h @ self.decoder + self.offset
        return made

    def place(self, vectors: np.ndarray) -> sp.csr_matrix:
        """Weights, as ``Membership`` has them: parts of h; a vector without any belongs to the nearest concept."""
        h = self.encode(vectors)
        none = np.flatnonzero(np.diff(h.indptr) == 0)
        nearest = ((vectors[none] - self.offset) @ self.encoder.T).argmax(1)
        h += sp.csr_matrix((np.ones(len(none), np.float32), (none, nearest)), shape=h.shape)
        total = np.repeat(np.asarray(h.sum(1)).ravel(), np.diff(h.indptr))
        return sp.csr_matrix((h.data / total, h.indices, h.indptr), shape=h.shape)


def build_dictionary(vectors: np.ndarray, settings: SparseSettings | None = None) -> tuple[Membership, SparseCoder]:
    """Learn a dictionary by which few concepts an item make its vector again; those that no item takes are left out.

    Source: Gao et al., Scaling and evaluating sparse autoencoders, 2024, arXiv:2406.04093, sections 2.3 and 2.4. Here
    the latents begin as the finest concepts of a tree (``build_tree``), not at random: none is dead from the start, and
    other seeds find the same ones.

    Parameters
    ----------
    vectors
        float32, shape (n_items, d), e.g. of ``FusedSpace.fit``.
    settings
        Size, concepts an item, steps.
    """
    asked = settings or SparseSettings()
    offset = vectors.mean(0)
    centred = vectors - offset
    axes = _principal(centred)
    _, start = build_tree(centred @ axes, TreeSettings(sizes=(asked.of(len(vectors)),), seed=asked.seed))
    encoder, decoder = _learn(centred @ axes, unit_rows(start.centres), asked)
    coder = SparseCoder(encoder @ axes.T, decoder @ axes.T, offset, asked.active)
    mass = np.asarray(coder.place(vectors).sum(0)).ravel()
    kept = np.argsort(-mass, kind="stable")[: int((mass > 0).sum())]
    coder = SparseCoder(coder.encoder[kept], coder.decoder[kept], offset, asked.active)
    flat = np.full(len(kept), -1, np.int32), np.zeros(len(kept), np.int8)
    return Membership(coder.place(vectors), *flat), coder


def _principal(centred: np.ndarray) -> np.ndarray:
    """The directions of most variance: float32, shape (d, at most ``DIRECTIONS``), orthonormal columns."""
    _, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    kept: np.ndarray = axes[:, ::-1][:, :DIRECTIONS].astype(np.float32)
    return kept


def _learn(x: np.ndarray, start: np.ndarray, asked: SparseSettings) -> tuple[np.ndarray, np.ndarray]:
    """Encoder and decoder by Adam; rows of the decoder keep length 1.

    The error is ``|x - x^|^2 + REVIVAL |r - r^|^2``, where r = x - x^ is taken as given and r^ is what dead latents
    make of it.
    """
    encoder, decoder = start.copy(), start.copy()
    adam, rng = _Adam((encoder, decoder)), np.random.default_rng(asked.seed)
    idle = np.zeros(len(start), np.int64)
    for step in range(asked.steps):
        batch = x[rng.integers(0, len(x), min(BATCH, len(x)))]
        reached = batch @ encoder.T
        at, h = _strongest(reached, asked.active)
        error = _sparse(at, h, len(start)) @ decoder - batch
        gradients = _gradients(batch, error, at, h, decoder)
        idle += len(batch)
        idle[at[h > 0]] = 0
        if (dead := np.flatnonzero(idle >= IDLE)).size:
            where, h = _strongest(reached[:, dead], max(asked.active, len(dead) // 4))
            left = _sparse(dead[where], h, len(start)) @ decoder + error
            more = _gradients(batch, REVIVAL * left, dead[where], h, decoder)
            gradients = tuple(g + m for g, m in zip(gradients, more, strict=True))
        adam.step(gradients, RATE * (1 - step / asked.steps))
        decoder /= np.maximum(np.linalg.norm(decoder, axis=1, keepdims=True), 1e-12)
    return encoder, decoder


def _gradients(
    x: np.ndarray, error: np.ndarray, at: np.ndarray, h: np.ndarray, decoder: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of half the mean squared error by encoder and decoder, through the latents ``at`` with values ``h``."""
    by_h = np.einsum("nd,nkd->nk", error, decoder[at]) * (h > 0) / len(x)
    return _sparse(at, by_h, len(decoder)).T @ x, _sparse(at, h, len(decoder)).T @ error / len(x)


def _strongest(reached: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the k largest of each row are, and what is above 0 of them: shapes (n, at most k)."""
    k = min(k, reached.shape[1])
    at = np.argpartition(reached, -k, axis=1)[:, -k:]
    return at, np.maximum(np.take_along_axis(reached, at, axis=1), 0)


def _sparse(at: np.ndarray, values: np.ndarray, width: int) -> sp.csr_matrix:
    """Values at columns ``at`` of their rows: CSR, shape (n, width)."""
    n, k = at.shape
    return sp.csr_matrix((values.ravel(), at.ravel(), np.arange(n + 1) * k), shape=(n, width))


class _Adam:
    """Changes weights in place. Kingma & Ba, 2014, arXiv:1412.6980, algorithm 1."""

    def __init__(self, weights: tuple[np.ndarray, ...], mean: float = 0.9, square: float = 0.999) -> None:
        self.weights, self.mean, self.square, self.steps = weights, mean, square, 0
        self.first, self.second = ([np.zeros_like(w) for w in weights] for _ in range(2))

    def step(self, gradients: tuple[np.ndarray, ...], rate: float) -> None:
        """One step down the gradients."""
        self.steps += 1
        near, far = 1 - self.mean**self.steps, 1 - self.square**self.steps
        for w, g, m, v in zip(self.weights, gradients, self.first, self.second, strict=True):
            m += (1 - self.mean) * (g - m)
            v += (1 - self.square) * (g * g - v)
            w -= np.float32(rate / near) * m / (np.sqrt(v / far) + 1e-8)
