"""Vectors of new entities in closed form, from what each of their facts predicts; the learned tables stay fixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.errors import require
from warmstart.learn.kge_models import ScoreFunction

RIDGE = 0.01  # of the mean eigenvalue
BLOCK = 32_768  # entities that are read at once


def placed(
    function: ScoreFunction,
    entity: np.ndarray,
    relation: np.ndarray,
    level: np.ndarray,
    edges: np.ndarray,
    n_new: int,
) -> np.ndarray:
    """Where new entities belong.

    A fact (n, r, t) of the new entity n is read from both ends: n leads to t by r, and t to n by the reciprocal r'.
    With distances, each reading names one point, ``t - r`` and ``t + r'`` for TransE, t turned back by r and forward by
    r' for RotatE; the vector is their mean, which minimises the sum of squared distances. With products, the score is
    ``<n, w>`` with w = ``back(t, r)`` and ``reach(t, r')``, and the vector is one ridge step::

        (sum_w (w w' + G_r) + c I)^-1  sum_w y_r w

    y_r is the mean score of the learned facts of r; G_r, the mean of ``v v'`` over all entities in place of t, asks
    that others score 0 (as in Hu, Koren and Volinsky 2008 for implicit feedback); c is 0.01 of the mean eigenvalue.

    Parameters
    ----------
    function
        The score function.
    entity, relation, level
        Of ``GraphVectors``.
    edges
        int64, shape (m, 3): new entity, relation (a reciprocal where the new entity is the tail), known entity.
    n_new
        New entities there are.

    Returns
    -------
    np.ndarray
        float32, shape (n_new, width); NaN where an entity has no edge.
    """
    out = np.full((n_new, entity.shape[1]), np.nan, np.float32)
    if not len(edges):
        return out
    kinds, turned = edges[:, 1], (edges[:, 1] + len(relation) // 2) % len(relation)
    read = _Readings(function, relation)
    w = read(entity[edges[:, 2]], kinds, turned)
    others = {} if not function.linear else _others(read, entity, kinds, turned)
    order = np.argsort(edges[:, 0], kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(edges[order, 0])) + 1):
        new = edges[mine[0], 0]
        if function.linear:
            y = np.stack([level[kinds[mine]], level[turned[mine]]], 1).ravel()
            out[new] = _ridge(
                w[mine].reshape(-1, entity.shape[1]), y, np.sum([others[r] for r in kinds[mine].tolist()], 0)
            )
        else:
            out[new] = w[mine].mean((0, 1))
    return out


@dataclass(frozen=True)
class _Readings:
    """Both readings of facts, float64 (n, 2, width)."""

    function: ScoreFunction
    relation: np.ndarray

    def __call__(self, known: np.ndarray, kinds: np.ndarray, turned: np.ndarray) -> np.ndarray:
        torch = require("torch", extra="lm")
        own, other, ends = (torch.from_numpy(np.array(a)) for a in (self.relation[kinds], self.relation[turned], known))
        both = torch.stack([self.function.back(ends, own), self.function.reach(ends, other)], 1)
        return np.asarray(both.numpy(), np.float64)


def _others(read: _Readings, entity: np.ndarray, kinds: np.ndarray, turned: np.ndarray) -> dict[int, np.ndarray]:
    """G of every relation there is: float64, shape (width, width)."""
    found = {}
    for r, back in set(zip(kinds.tolist(), turned.tolist(), strict=True)):
        total = np.zeros((entity.shape[1],) * 2)
        for start in range(0, len(entity), BLOCK):
            part = entity[start : start + BLOCK]
            v = read(part, np.full(len(part), r), np.full(len(part), back)).reshape(-1, entity.shape[1])
            total += v.T @ v
        found[r] = total / len(entity)
    return found


def _ridge(w: np.ndarray, y: np.ndarray, others: np.ndarray) -> np.ndarray:
    a = w.T @ w + others
    solved: np.ndarray = np.linalg.solve(a + RIDGE * np.trace(a) / len(a) * np.eye(len(a)), w.T @ y)
    return solved
