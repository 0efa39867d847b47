"""What any few-shot method has to beat: popularity, the frozen encoder's cosine, factors learned from scratch."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import scipy.sparse as sp

from warmstart.learn.fewshot import World
from warmstart.learn.fewshot_choice import chosen

FACTORS = (2, 4, 8, 16)
RIDGES = (5.0, 20.0)
ALPHAS = (3.0, 10.0)


def popularity(world: World) -> np.ndarray:
    """Labelled events of each item, the same row for everybody: float64, shape (n_items,)."""
    return world.counts


def popularity_of_everybody(world: World) -> np.ndarray:
    """All events of everybody outside the world: a stricter floor, it knows far more labels than k a user."""
    return world.everybody


def cosine(world: World) -> np.ndarray:
    """Cosine of the frozen vectors to the mean of what a user showed: float32, shape (n_users, n_items)."""
    scores: np.ndarray = world.shown @ world.vectors @ world.vectors.T
    return scores


def factorisation(world: World) -> np.ndarray:
    """Weighted matrix factorisation of the labelled events alone, from random factors.

    ``min sum_uj c_uj (x_uj - u'v)^2 + reg (||u||^2 + ||v||^2)``, ``c = 1 + alpha x`` (Hu, Koren & Volinsky, ICDM 2008),
    by the library ``implicit``. Number of factors, ridge and alpha are those that rank a held-out shown event of each
    user best, out of 16 combinations (``chosen``), in every world anew.
    """
    settings = list(product(FACTORS, RIDGES, ALPHAS))

    def family(shown: sp.csr_matrix) -> Callable[[int], np.ndarray]:
        return lambda number: als(shown, *settings[number], world.seed)

    return chosen(world.shown, family, len(settings), first=settings.index((4, 5.0, 10.0)), seed=world.seed)


def als(x: sp.csr_matrix, factors: int, ridge: float, alpha: float, seed: int) -> np.ndarray:
    """Scores ``U V'`` of alternating least squares: float32, shape (n_users, n_items).

    Examples
    --------
    >>> x = sp.csr_matrix(np.kron(np.eye(2), np.ones((3, 3))).astype(np.float32))
    >>> als(x, 2, 0.1, 5.0, seed=0).argmax(axis=1).tolist()[::3] in ([a, b] for a in (0, 1, 2) for b in (3, 4, 5))
    True
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # implicit runs its own threads
        model = AlternatingLeastSquares(
            factors=factors, regularization=ridge, alpha=1.0 + alpha, iterations=15, random_state=seed, num_threads=1
        )
        model.fit(x, show_progress=False)
    return np.asarray(model.user_factors @ model.item_factors.T, np.float32)
