"""Semantic spectral head: the few patterns in which labels occur together, once words tell which items are akin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.sparse as sp

from warmstart.learn.fewshot import World
from warmstart.learn.fewshot_choice import chosen
from warmstart.text.whiten import Whitening

STEEPNESS = 4.0


@dataclass(frozen=True)
class Spectral:
    """A low-pass filter over the labels in a semantic kernel; closed form.

    With ``D = diag(max(n_j, 1)^power)`` from the items' label counts and ``C_ij = max(cos(z_i, z_j), 0)^2`` from the
    labelled items i to all items j, the diagonal left out and scaled to a mean row sum of 1,

    ``Y = X D^-1 (I + strength C) = sum_r s_r u_r v_r'``, scores ``(sum_r f_r s_r u_r v_r') D``,
    ``f_r = s_r^8 / (s_r^8 + s_cut^8)``;

    a cut of 0 puts the mean row in everybody's place, popularity that words have smoothed. An unlabelled item is 0 in X
    with weight 1, a weak negative; in Y it is what the labelled items akin to it make it, which ranks items that nobody
    has labelled. Strength 0 is a filtered truncated SVD of damped counts: that words say nothing is among the choices.

    Parameters
    ----------
    power
        Damping of the counts, in [0, 1].
    dim
        Directions of the whitened vectors z.
    cuts, strengths
        Among which hidden labels decide (``chosen``), in every world anew.

    Examples
    --------
    >>> x = sp.csr_matrix(np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0]], np.float32))
    >>> words = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    >>> scores = Spectral(strengths=(1.0,)).family(x, words)(1)
    >>> bool(scores[0, 3] > scores[0, 4])
    True
    """

    power: float = 0.3
    dim: int = 128
    cuts: tuple[int, ...] = (0, 2, 4, 8, 16)
    strengths: tuple[float, ...] = (0.0, 2.0)

    def __call__(self, world: World) -> np.ndarray:
        """Scores: float32, shape (n_users, n_items)."""
        z = Whitening.fit(world.vectors, self.dim).apply(world.vectors)
        n = len(self.cuts) * len(self.strengths)
        first = len(self.cuts) * (len(self.strengths) - 1)  # smoothed popularity
        return chosen(world.shown, lambda shown: self.family(shown, z), n, first, world.seed)

    def family(self, shown: sp.csr_matrix, z: np.ndarray) -> Callable[[int], np.ndarray]:
        """Scores by number of the setting, the cuts of the first strength first."""
        counts = np.asarray(shown.sum(axis=0)).ravel()
        damping = (np.maximum(counts, 1.0) ** self.power).astype(np.float32)
        damped = np.asarray((shown @ sp.diags(1 / damping)).toarray(), np.float32)
        labelled = np.flatnonzero(counts)
        smoothed = damped[:, labelled] @ akin(z, labelled)
        filters = [Filter(damped + strength * smoothed) for strength in self.strengths]
        settings = list(product(filters, self.cuts))

        def scores(number: int) -> np.ndarray:
            made, cut = settings[number]
            return np.asarray(made.low_pass(cut) * damping)

        return scores


class Filter:
    """A matrix and its left singular vectors.

    Examples
    --------
    >>> y = np.array([[9.0, 0.0], [0.0, 1.0]])
    >>> Filter(y).low_pass(1).round(3).tolist()  # the singular value number 1 is halved, the larger one kept
    [[9.0, 0.0], [0.0, 0.5]]
    >>> Filter(y).low_pass(0).tolist()
    [[4.5, 0.5], [4.5, 0.5]]
    """

    def __init__(self, y: np.ndarray) -> None:
        self.y = y
        values, vectors = np.linalg.eigh(np.asarray(y @ y.T, np.float64))
        self.energy, self.left = values[::-1].clip(min=0), vectors[:, ::-1]

    def low_pass(self, cut: int) -> np.ndarray:
        """Singular values damped by ``f_r``, half at number ``cut``; the mean row for a cut of 0."""
        if cut == 0:
            return np.repeat(self.y.mean(axis=0, keepdims=True), len(self.y), axis=0)
        relative = self.energy / max(self.energy[min(cut, len(self.energy) - 1)], 1e-12 * self.energy[0], 1e-300)
        keep = 1 - 1 / (1 + np.minimum(relative, 1e9) ** STEEPNESS)
        kept = ((self.left * keep) @ self.left.T).astype(self.y.dtype)
        return np.asarray(kept @ self.y)


def akin(z: np.ndarray, items: np.ndarray) -> np.ndarray:
    """``max(cos, 0)^2`` from some items to all, no item to itself, mean row sum 1: float32, shape (n, n_items).

    Examples
    --------
    >>> akin(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0, 1])).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    kernel = np.square(np.maximum(z[items].astype(np.float32) @ z.T.astype(np.float32), 0))
    kernel[np.arange(len(items)), items] = 0
    return np.asarray(kernel / max(float(kernel.sum(axis=1).mean()), 1e-12), np.float32)
