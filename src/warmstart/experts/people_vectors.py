"""One vector an item, of who takes it; one a person, of what they take."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.text.whiten import unit_rows

DIM = 32  # directions of who takes what
SMOOTH = 5.0  # events added to a count before it divides


def people_vectors(data: Dataset, dim: int = DIM) -> np.ndarray:
    """Where items lie by who takes them: float32, shape (n_items, at most dim); zero where nobody does.

    Singular vectors, times their singular values, of who took what, people and items divided by the roots of their
    counts. Nothing is drawn: equal data give equal vectors.
    """
    x = data.interactions.matrix()
    counts = np.asarray(x.sum(0)).ravel()
    dim = min(dim, min(x.shape) - 1, int((counts > 0).sum()) - 1)
    if dim < 1:
        return np.zeros((data.n_items, 1), np.float32)
    active = np.asarray(x.sum(1)).ravel()
    scaled = sp.diags(1 / np.sqrt(np.maximum(active, 1))) @ x @ sp.diags(1 / np.sqrt(counts + SMOOTH))
    _, s, vt = svds(sp.csr_matrix(scaled), k=dim, v0=np.ones(min(x.shape)), solver="arpack")
    order = np.argsort(-s)
    sign = np.sign(vt[order, np.abs(vt[order]).argmax(1)])
    v: np.ndarray = (vt[order] * (s[order] * sign)[:, None]).T.astype(np.float32)
    v[counts == 0] = 0.0
    return v


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
