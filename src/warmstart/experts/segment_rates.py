"""How likely an item is in a segment of people: counted, and by what its content says."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from warmstart.data.interactions import Interactions
from warmstart.experts.factors import factor_map
from warmstart.experts.products import read_off

STEEP = 5.0  # largest log of how much likelier content makes an item in a segment


def taken(x: Interactions, segment: np.ndarray, k: int, weight: np.ndarray) -> np.ndarray:
    """Events of each segment's people with each item, at a mean weight of 1: float64, shape (n_items, k).

    Parameters
    ----------
    x
        Events.
    segment
        int64, shape (n_users,): -1 = in none.
    k
        Number of segments.
    weight
        float64, shape (n_events,).

    Examples
    --------
    >>> x = Interactions.of(np.array([0, 0, 1]), np.array([0, 1, 1]), 2, 2)
    >>> taken(x, np.array([0, -1]), 1, np.array([1.0, 3.0, 9.0])).tolist()
    [[0.5], [1.5]]
    """
    inside = segment[x.user] >= 0
    weight = weight[inside] / max(float(weight[inside].mean()), 1e-9) if inside.any() else weight[inside]
    events = sp.csr_matrix((weight, (x.item[inside], segment[x.user[inside]])), shape=(x.n_items, k))
    return np.asarray(events.todense())


def content_lift(features: np.ndarray, taken: np.ndarray, share: np.ndarray, ridge: float) -> np.ndarray:
    """Map from features to the log of how much likelier an item is in each segment: float32, shape (d, k).

    A ridge to ``log((n_sj + 1) / (n_s p_j + 1))`` over the items, weighted by their events.

    Parameters
    ----------
    features
        float32, shape (n_items, d).
    taken
        n: float64, shape (n_items, k).
    share
        p: float64, shape (n_items,): part of everybody's events.
    ridge
        In items of mean count.
    """
    lift = np.log((taken + 1.0) / (share[:, None] * taken.sum(0) + 1.0))
    return factor_map(features, lift, taken.sum(1), ridge)


def likelier(features: np.ndarray | None, lift: np.ndarray, n: int) -> np.ndarray:
    """How much likelier content makes n items in each segment, at most e^5 times: float64; 1 without a map."""
    if features is None or not len(lift):
        return np.ones((n, lift.shape[1]))
    out: np.ndarray = np.exp(np.clip(read_off(features, lift), -STEEP, STEEP))
    return out
