"""Lists in proportion to a person's interests."""

from __future__ import annotations

import numpy as np

from warmstart.errors import ConfigError

LEAST = 1e-9  # of the wanted mixture, below which a group is not asked for
SMOOTH = 0.01  # share of the wanted mixture that is mixed into the list's, so that no logarithm is infinite


def check_weight(weight: float) -> float:
    """A weight of the proportions between 0 and 1.

    Raises
    ------
    ConfigError
        If it is none.
    """
    if not 0 <= weight <= 1:
        raise ConfigError(f"calibrate={weight:g} is not between 0 and 1; 0 leaves lists as they are, 0.5 is usual")
    return weight


def calibrated(score: np.ndarray, shares: np.ndarray, wanted: np.ndarray, weight: float, k: int) -> np.ndarray:
    """Choose k candidates, one after another, so that the list is good and its mixture is the wanted one.

    Each step adds the candidate that makes ``(1 - l) sum_j s_j - l KL(p || (1 - a) q + a p)`` largest, with l the
    weight, s the scores standardised over the candidates, p the wanted mixture, q that of the list so far, a = 0.01.
    The second part is submodular, so that the greedy list is at least (1 - 1/e) as good as the best one (Steck,
    "Calibrated recommendations", RecSys 2018, eq. 3 to 7).

    Parameters
    ----------
    score
        float64, shape (m,), finite.
    shares
        float, shape (m, n_groups): how each candidate is shared out among the groups; rows sum to 1.
    wanted
        float64 >= 0, shape (n_groups,): p.
    weight
        l, in [0, 1]; 0 keeps the order of the scores.

    Returns
    -------
    int64, shape (min(k, m),): positions of the candidates, in the order they were chosen.

    Examples
    --------
    >>> kinds = np.array([[1, 0], [1, 0], [1, 0], [0, 1]])
    >>> calibrated(np.array([4.0, 3.0, 2.0, 1.0]), kinds, np.array([0.5, 0.5]), 0.8, 3).tolist()
    [0, 3, 1]
    """
    check_weight(weight)
    if not len(score):
        return np.empty(0, np.int64)
    usual = wanted > LEAST
    shares, wanted = shares[:, usual], wanted[usual]
    spread = float(score.std())
    gain = (1 - weight) * (score - score.mean()) / (spread if spread > 1e-12 else 1.0)
    chosen, held = list[int](), np.zeros(len(wanted))
    for place in range(min(k, len(score))):
        mixture = (1 - SMOOTH) * (held + shares) / (place + 1) + SMOOTH * wanted
        fit = np.log(mixture / wanted) @ wanted  # -KL
        value = gain + weight * fit
        value[chosen] = -np.inf
        best = int(value.argmax())
        chosen.append(best)
        held += shares[best]
    return np.array(chosen, np.int64)
