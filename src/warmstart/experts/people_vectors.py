"""One vector an item, of who takes it; one a person, of what they take."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.sample import sampled
from warmstart.text.whiten import unit_rows

DIM = 32  # directions of who takes what
SMOOTH = 5.0  # events added to a count before it divides
PEOPLE = 100_000  # whose events tell where items lie, at most
SMALL = 300  # people, or items, up to which all directions are computed
ROUNDING = 1e-12  # part of the largest variance, up to which a direction is none


def people_vectors(data: Dataset, dim: int = DIM) -> np.ndarray:
    """Where items lie by who takes them: float32, shape (n_items, at most dim); zero where nobody does.

    Singular vectors, times their singular values, of who took what, people and items divided by the roots of their
    counts. Equal data give equal vectors: nothing is drawn but, of more than 100,000 people, those who stand for all
    (``data.sample``), always the same.
    """
    x = sampled(data.interactions, PEOPLE, seed=0).matrix()
    counts = np.asarray(x.sum(0)).ravel()
    dim = min(dim, min(x.shape) - 1, int((counts > 0).sum()) - 1)
    if dim < 1:
        return np.zeros((data.n_items, 1), np.float32)
    active = np.asarray(x.sum(1)).ravel()
    scaled = sp.diags(1 / np.sqrt(np.maximum(active, 1))) @ x @ sp.diags(1 / np.sqrt(counts + SMOOTH))
    long = main_vectors(sp.csr_matrix(scaled), dim)
    sign = np.sign(long[np.abs(long).argmax(0), np.arange(dim)])
    v: np.ndarray = (long * sign).astype(np.float32)
    v[counts == 0] = 0.0
    return v


def main_vectors(a: sp.csr_matrix, dim: int) -> np.ndarray:
    """Right singular vectors times their singular values, largest first: float64, shape (n_columns, dim).

    Of a small matrix by a dense decomposition: ARPACK begins anew from a vector of its own where the matrix has fewer
    directions than are asked for, as small data have, and equal data would give unequal vectors.

    Examples
    --------
    >>> np.abs(main_vectors(sp.csr_matrix([[0.0, 3.0, 0.0], [2.0, 0.0, 0.0]]), 2)).round(6).tolist()
    [[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]]
    """
    if min(a.shape) > SMALL:
        _, s, vt = svds(a, k=dim, v0=np.ones(min(a.shape)), solver="arpack")
        order = np.argsort(-s)
        found: np.ndarray = (vt[order] * s[order][:, None]).T
        return found
    wide = a.shape[0] <= a.shape[1]
    values, vectors = np.linalg.eigh((a @ a.T if wide else a.T @ a).toarray())
    values, main = values[::-1][:dim], vectors[:, ::-1][:, :dim]
    long: np.ndarray = a.T @ main if wide else main * np.sqrt(np.maximum(values, 0.0))
    long[:, values <= ROUNDING * values[0]] = 0.0
    return long


def newest_first(x: Interactions, half_life: float) -> np.ndarray:
    """Weight of each event on its person's own clock, the newest of each weighing 1: float64, shape (n_events,).

    Parameters
    ----------
    x
        Events.
    half_life
        Share of a person's history, counted in events, after which an event weighs half; 0 = all weigh the same.

    Examples
    --------
    >>> x = Interactions.of(np.array([0, 0, 1]), np.array([0, 1, 1]), 2, 2)
    >>> newest_first(x, half_life=0.5).tolist()
    [0.5, 1.0, 1.0]
    """
    if not half_life:
        return np.ones(len(x))
    counts = x.user_counts()[x.user]
    weights: np.ndarray = 0.5 ** ((counts - 1 - x.position()) / (half_life * counts))
    return weights


def interest_vectors(data: Dataset, half_life: float = 0.5, prior: float = 3.0) -> np.ndarray:
    """Where people lie by what they take: float32, shape (n_users, d); zero without events.

    ``sum_e w_e (v_e - m) / (sum_e w_e + prior)`` over a person's events, w of ``newest_first`` and m everybody's mean,
    so that what is common to all is taken out and few events prove little. ``v`` of an item is
    ``[z / |z|, p / |p|]``: its centred features, where there are any, and who takes it (``people_vectors``).
    """
    x = data.interactions
    halves = [people_vectors(data)] if data.features is None else [data.features, people_vectors(data)]
    v = np.hstack([unit_rows(half - half.mean(0)) for half in halves])
    counts = x.item_counts()
    v = (v - counts @ v / max(int(counts.sum()), 1)).astype(np.float32)
    weights = newest_first(x, half_life)
    told = sp.csr_matrix((weights.astype(np.float32), (x.user, x.item)), shape=(x.n_users, x.n_items))
    mass = np.asarray(told.sum(1)).ravel() + prior
    out: np.ndarray = np.asarray(told @ v, np.float32) / mass[:, None].astype(np.float32)
    return out
