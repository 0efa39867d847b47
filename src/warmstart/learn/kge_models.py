"""Four score functions of a triple, each as a point that head and relation lead to and how near the tail is to it.

A relation has two vectors: its own, and that of its reciprocal, which leads from the tail to the head (Lacroix et al.
2018, arXiv:1806.07297, section 4.2). So both ends of a triple are predicted in the same manner.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

from warmstart.errors import require

BLOCK = 1 << 25  # numbers of a table of differences that are held at once


class ScoreFunction(Protocol):
    """How vectors of head, relation and tail become a score; higher = more plausible.

    Vectors are rows of float32 tensors. A complex vector of length d is stored as 2 d numbers: real parts, then
    imaginary parts.
    """

    linear: bool  # whether the score is linear in each vector; else it is minus a distance

    def widths(self, dim: int) -> tuple[int, int]:
        """Numbers of an entity's vector and of a relation's."""
        ...

    def start(self, n_entities: int, n_relations: int, dim: int, margin: float) -> tuple[Any, Any]:
        """First vectors of entities and relations, drawn by torch's generator."""
        ...

    def reach(self, head: Any, relation: Any) -> Any:
        """Where the tail is expected: shape (n, width of an entity)."""
        ...

    def back(self, tail: Any, relation: Any) -> Any:
        """Where the head is expected; of a linear score, what it is multiplied with: shape as ``reach``."""
        ...

    def against(self, points: Any, table: Any) -> Any:
        """Scores of all rows of a table at each point: shape (n, rows)."""
        ...

    def beside(self, points: Any, tails: Any) -> Any:
        """Scores of the tails of each point alone: tails (n, k, width), scores (n, k)."""
        ...

    def cubes(self, vectors: Any) -> Any:
        """Sum of cubed moduli of each vector, for the nuclear 3-norm: shape (n,)."""
        ...


class _Product:
    """The score is the scalar product of point and tail."""

    linear = True

    def start(self, n_entities: int, n_relations: int, dim: int, margin: float) -> tuple[Any, Any]:
        """Normal, with standard deviation ``1 / (2 sqrt(width))``: lengths of about 1/2."""
        torch = require("torch", extra="lm")
        width, other = self.widths(dim)
        scale = 0.5 / math.sqrt(width)
        return torch.randn(n_entities, width) * scale, torch.randn(n_relations, other) * scale

    def widths(self, dim: int) -> tuple[int, int]:
        """As long as the vectors are."""
        return dim, dim

    def against(self, points: Any, table: Any) -> Any:
        """One product of matrices."""
        return points @ table.T

    def beside(self, points: Any, tails: Any) -> Any:
        """Products row by row."""
        return (points[:, None] * tails).sum(-1)

    def cubes(self, vectors: Any) -> Any:
        """Of real numbers."""
        return vectors.abs().pow(3).sum(-1)


class DistMult(_Product):
    """``sum_k h_k r_k t_k``: alike from both ends but for the reciprocal vector.

    Source: Yang et al. 2015, Embedding entities and relations for learning and inference in knowledge bases,
    arXiv:1412.6575.
    """

    def reach(self, head: Any, relation: Any) -> Any:
        """``h * r``."""
        return head * relation

    def back(self, tail: Any, relation: Any) -> Any:
        """``t * r``."""
        return tail * relation


class ComplEx(_Product):
    """``Re(sum_k h_k r_k conj(t_k))`` of complex vectors: what holds from one end need not hold from the other.

    Source: Trouillon et al. 2016, Complex embeddings for simple link prediction, arXiv:1606.06357, eq. 10.
    """

    def widths(self, dim: int) -> tuple[int, int]:
        """Real and imaginary parts."""
        return 2 * dim, 2 * dim

    def reach(self, head: Any, relation: Any) -> Any:
        """``h * r``; its real product with t is the score."""
        return _times(head, relation)

    def back(self, tail: Any, relation: Any) -> Any:
        """``t * conj(r)``; its real product with h is the score."""
        return _times(tail, _conjugate(relation))

    def cubes(self, vectors: Any) -> Any:
        """Of moduli."""
        return _moduli(vectors).pow(3).sum(-1)


class TransE:
    """``-||h + r - t||_2``: a relation is a step.

    Source: Bordes et al. 2013, Translating embeddings for modeling multi-relational data, NIPS, eq. 1.
    """

    linear = False

    def widths(self, dim: int) -> tuple[int, int]:
        """As long as the vectors are."""
        return dim, dim

    def start(self, n_entities: int, n_relations: int, dim: int, margin: float) -> tuple[Any, Any]:
        """Evenly within ``(margin + 2) / dim``, as for RotatE."""
        return _even(n_entities, dim, (margin + 2) / dim), _even(n_relations, dim, (margin + 2) / dim)

    def reach(self, head: Any, relation: Any) -> Any:
        """``h + r``."""
        return head + relation

    def back(self, tail: Any, relation: Any) -> Any:
        """``t - r``."""
        return tail - relation

    def against(self, points: Any, table: Any) -> Any:
        """Distances through a product of matrices; near 0 they are kept above 1e-6."""
        squares = (points * points).sum(-1)[:, None] + (table * table).sum(-1)[None] - 2 * points @ table.T
        return -squares.clamp_min(1e-12).sqrt()

    def beside(self, points: Any, tails: Any) -> Any:
        """Distances row by row."""
        return -(points[:, None] - tails).pow(2).sum(-1).clamp_min(1e-12).sqrt()

    def cubes(self, vectors: Any) -> Any:
        """Of real numbers."""
        return vectors.abs().pow(3).sum(-1)


class RotatE:
    """``-sum_k |h_k exp(i r_k) - t_k|`` of complex entities: a relation turns each number by an angle (radians).

    Source: Sun et al. 2019, RotatE: knowledge graph embedding by relational rotation in complex space,
    arXiv:1902.10197, eq. 3 and 4.
    """

    linear = False

    def widths(self, dim: int) -> tuple[int, int]:
        """Real and imaginary parts; an angle each."""
        return 2 * dim, dim

    def start(self, n_entities: int, n_relations: int, dim: int, margin: float) -> tuple[Any, Any]:
        """Evenly within ``(margin + 2) / dim``; angles evenly over the circle."""
        return _even(n_entities, 2 * dim, (margin + 2) / dim), _even(n_relations, dim, math.pi)

    def reach(self, head: Any, relation: Any) -> Any:
        """``h`` turned forward."""
        torch = require("torch", extra="lm")
        return _times(head, torch.cat([relation.cos(), relation.sin()], -1))

    def back(self, tail: Any, relation: Any) -> Any:
        """``t`` turned back."""
        return self.reach(tail, -relation)

    def against(self, points: Any, table: Any) -> Any:
        """Distances, a block of the table at a time."""
        torch = require("torch", extra="lm")
        rows = max(1, BLOCK // max(1, points.numel()))
        return torch.cat([-_moduli(points[:, None] - part[None]).sum(-1) for part in table.split(rows)], 1)

    def beside(self, points: Any, tails: Any) -> Any:
        """Distances row by row."""
        return -_moduli(points[:, None] - tails).sum(-1)

    def cubes(self, vectors: Any) -> Any:
        """Of moduli; angles have modulus 1 whatever they are, so only entities are given here."""
        return _moduli(vectors).pow(3).sum(-1)


MODELS: dict[str, ScoreFunction] = {
    "transe": TransE(),
    "distmult": DistMult(),
    "complex": ComplEx(),
    "rotate": RotatE(),
}


def _even(rows: int, width: int, bound: float) -> Any:
    return (require("torch", extra="lm").rand(rows, width) * 2 - 1) * bound


def _times(a: Any, b: Any) -> Any:
    """Product of complex vectors."""
    torch = require("torch", extra="lm")
    (a_re, a_im), (b_re, b_im) = a.chunk(2, -1), b.chunk(2, -1)
    return torch.cat([a_re * b_re - a_im * b_im, a_re * b_im + a_im * b_re], -1)


def _conjugate(a: Any) -> Any:
    torch = require("torch", extra="lm")
    real, imaginary = a.chunk(2, -1)
    return torch.cat([real, -imaginary], -1)


def _moduli(a: Any) -> Any:
    """Moduli of a complex vector's numbers; kept above 0, where the square root has no gradient."""
    real, imaginary = a.chunk(2, -1)
    return (real * real + imaginary * imaginary + 1e-12).sqrt()
