"""Lists that do not repeat themselves: maximal marginal relevance."""

from __future__ import annotations

import numpy as np

from warmstart.errors import ConfigError


def diverse(score: np.ndarray, unit: np.ndarray, k: int, weight: float) -> np.ndarray:
    """Order in which k candidates are shown: each adds most to those before it.

    The next is ``argmax_j (1 - weight) s_j - weight max_{i shown} cos(j, i)`` with ``s`` scaled to [0, 1] over the
    candidates. Source: Carbonell and Goldstein, SIGIR 1998, equation 1 (maximal marginal relevance).

    Parameters
    ----------
    score
        float, shape (m,): best first or not; finite.
    unit
        float32, shape (m, d): vectors of length 1 by which candidates are alike; zero rows are like nothing.
    k
        Places, >= 1.
    weight
        In [0, 1]; 0 = by score alone.

    Returns
    -------
    int64, shape (min(k, m),): positions of candidates.

    Raises
    ------
    ConfigError
        If the weight is outside [0, 1].

    Examples
    --------
    >>> two = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> [diverse(np.array([3.0, 2.9, 1.0]), two, 2, weight).tolist() for weight in (0.0, 0.6)]
    [[0, 1], [0, 2]]
    """
    if not 0 <= weight <= 1:
        raise ConfigError(f"diversity={weight:g} is not from 0 to 1; 0 = by score alone, 0.3 is usual")
    order: np.ndarray = np.argsort(-score, kind="stable")
    if weight == 0 or len(score) < 2:
        return order[:k]
    worth = (score - score.min()) / max(float(np.ptp(score)), 1e-12)
    near, chosen = np.zeros(len(score)), []
    left = np.ones(len(score), bool)
    for _ in range(min(k, len(score))):
        gain = np.where(left, (1 - weight) * worth - weight * near, -np.inf)
        best = int(gain.argmax())
        chosen.append(best)
        left[best] = False
        near = np.maximum(near, unit @ unit[best])
    return np.array(chosen, np.int64)
