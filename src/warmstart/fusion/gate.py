"""The convex gate: a weight for each voice, learned so that what was taken outranks what was not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

LOW, HIGH = -6.0, 12.0
FLAT = 1e-9  # deviation up to which a column is constant but for rounding


@dataclass(frozen=True)
class Gate:
    """``score = sum_c weight_c clip(feature_c)``; NaN counts as 0.

    Parameters
    ----------
    columns
        int64: which columns of the evidence are used.
    weight
        float64, same shape.
    """

    columns: np.ndarray
    weight: np.ndarray

    def score(self, features: np.ndarray) -> np.ndarray:
        """Scores of candidates: float64, shape (n_candidates,); features float32 (n_candidates, n_features)."""
        scores: np.ndarray = design(features, self.columns) @ self.weight
        return scores


def design(features: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The used columns, NaN as 0, clipped to [-6, 12]."""
    used: np.ndarray = np.clip(np.nan_to_num(features[:, columns]), LOW, HIGH)
    return used


def fit_gate(
    features: np.ndarray,
    query: np.ndarray,
    taken: np.ndarray,
    importance: np.ndarray,
    columns: np.ndarray,
    ridge: float = 30.0,
    anchor: np.ndarray | None = None,
    iterations: int = 100,
    worth: np.ndarray | None = None,
) -> Gate:
    """Each taken candidate against all that were not: a convex listwise loss with ridge, by L-BFGS.

    ``min_w sum_q (i_q / sum_{j in T_q} v_j) sum_{j in T_q} v_j log(1 + sum_{k not in T_q} exp(s_k - s_j)) +
    ridge ||w - a||^2`` on columns scaled to unit deviation. Taken candidates do not compete with each other. With
    little to learn from the gate stays at its anchor ``a``.

    Parameters
    ----------
    features
        float32, shape (n_candidates, n_features).
    query
        int64, shape (n_candidates,), ascending: the query of each candidate.
    taken
        bool, shape (n_candidates,).
    importance
        float64, shape (n_queries,).
    anchor
        float64, shape (len(columns),): weights to shrink to; None = 0.
    worth
        float64 > 0, shape (n_candidates,): v, how much a candidate counts among those its query took; None = 1.
    """
    from scipy.optimize import minimize

    usable = np.bincount(query, weights=taken, minlength=len(importance)) > 0
    rows = usable[query]
    if not rows.any():  # nothing that was taken is a candidate
        return Gate(np.asarray(columns), np.zeros(len(columns)) if anchor is None else anchor)
    d = design(features[rows], columns).astype(np.float64)
    deviation = d.std(0)
    scale = np.where(deviation > FLAT, deviation + 1e-6, 1.0)  # a column that says the same of all decides nothing
    a = np.zeros(len(columns)) if anchor is None else anchor * scale
    v = np.ones(int(rows.sum())) if worth is None else worth[rows]
    loss = Listwise(d / scale, query[rows], taken[rows], importance, a, v)
    found = minimize(loss, a, args=(ridge,), jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    return Gate(np.asarray(columns), found.x / scale)


class Listwise:
    """The loss and its gradient; holds what does not change between iterations."""

    def __init__(
        self,
        d: np.ndarray,
        query: np.ndarray,
        taken: np.ndarray,
        importance: np.ndarray,
        anchor: np.ndarray,
        worth: np.ndarray,
    ) -> None:
        self.anchor = anchor
        used, self.query = np.unique(query, return_inverse=True)
        self.d, self.taken = d, taken
        self.start = np.flatnonzero(np.r_[True, np.diff(query) > 0])
        total = np.bincount(self.query, weights=taken * worth)
        self.weight = (importance[used] / total)[self.query][taken] * worth[taken]

    def __call__(self, w: np.ndarray, ridge: float) -> tuple[float, np.ndarray]:
        """Value and gradient at ``w``."""
        s = self.d @ w
        rest = np.where(self.taken, -np.inf, s)
        top = np.maximum.reduceat(rest, self.start)
        top = np.where(np.isfinite(top), top, 0.0)
        e = np.exp(rest - top[self.query])
        total = np.add.reduceat(e, self.start) + 1e-30
        behind = (np.log(total) + top)[self.query][self.taken] - s[self.taken]
        pull = self.weight * expit(behind)
        per_query = np.bincount(self.query[self.taken], weights=pull, minlength=len(self.start))
        gradient = e / total[self.query] * per_query[self.query]
        gradient[self.taken] = -pull
        off = w - self.anchor
        value = float((self.weight * np.logaddexp(0.0, behind)).sum() + ridge * (off @ off))
        return value, self.d.T @ gradient + 2 * ridge * off
