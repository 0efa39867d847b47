"""The convex gate: a weight for each voice, learned so that what was taken outranks what was not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

LOW, HIGH = -6.0, 12.0
ROWS = 2_048  # that are taken up in double precision at once: they stay in the cache
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


def design(features: np.ndarray, columns: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """The used columns (of some rows, given by position), NaN as 0, clipped to [-6, 12]: float32."""
    used: np.ndarray = features[:, columns] if rows is None else features[rows[:, None], columns]
    return np.clip(np.nan_to_num(used, copy=False), LOW, HIGH, out=used)


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
    weight = np.zeros(len(columns)) if anchor is None else anchor.astype(np.float64)
    if not rows.any():  # nothing that was taken is a candidate
        return Gate(np.asarray(columns), weight)
    d = design(features, columns, np.flatnonzero(rows))
    deviation = deviations(d)
    tells = deviation > FLAT  # a column that says the same of all decides nothing
    if not tells.any():
        return Gate(np.asarray(columns), weight)
    scale = deviation[tells] + 1e-6
    v = np.ones(int(rows.sum())) if worth is None else worth[rows]
    a = weight[tells] * scale
    loss = Listwise(d if tells.all() else d[:, tells], query[rows], taken[rows], importance, a, v, scale)
    found = minimize(loss, a, args=(ridge,), jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    weight[tells] = found.x / scale
    return Gate(np.asarray(columns), weight)


def blocks(n: int) -> Iterator[slice]:
    """Rows that are taken up in double precision at once."""
    return (slice(s, s + ROWS) for s in range(0, n, ROWS))


def deviations(d: np.ndarray) -> np.ndarray:
    """Standard deviation of each column: float64, shape (c,); its sums are in double precision."""
    n = len(d)
    mean = sum((d[at].sum(0, dtype=np.float64) for at in blocks(n)), np.zeros(d.shape[1])) / n
    square = sum((((d[at] - mean) ** 2).sum(0) for at in blocks(n)), np.zeros(d.shape[1]))
    deviation: np.ndarray = np.sqrt(square / n)
    return deviation


class Listwise:
    """The loss and its gradient; holds what does not change between iterations.

    The design ``d`` is kept in single precision and as it is; ``scale`` divides its columns, and all sums are in double
    precision.
    """

    def __init__(
        self,
        d: np.ndarray,
        query: np.ndarray,
        taken: np.ndarray,
        importance: np.ndarray,
        anchor: np.ndarray,
        worth: np.ndarray,
        scale: np.ndarray | float = 1.0,
    ) -> None:
        self.anchor, self.scale = anchor, scale
        used, self.query = np.unique(query, return_inverse=True)
        self.d, self.taken = d, np.flatnonzero(taken)
        self.start = np.flatnonzero(np.r_[True, np.diff(query) > 0])
        total = np.bincount(self.query, weights=taken * worth)
        self.weight = (importance[used] / total)[self.query][self.taken] * worth[self.taken]

    def scores(self, w: np.ndarray) -> np.ndarray:
        """``d w / scale``: float64, shape (n_candidates,)."""
        said, out = w / self.scale, np.empty(len(self.d))
        for at in blocks(len(out)):
            out[at] = self.d[at].astype(np.float64) @ said
        return out

    def __call__(self, w: np.ndarray, ridge: float) -> tuple[float, np.ndarray]:
        """Value and gradient at ``w``."""
        rest = self.scores(w)
        own = rest[self.taken]
        rest[self.taken] = -np.inf
        top = np.maximum.reduceat(rest, self.start)
        top = np.where(np.isfinite(top), top, 0.0)
        rest -= top[self.query]
        e = np.exp(rest, out=rest)
        total = np.add.reduceat(e, self.start) + 1e-30
        of = self.query[self.taken]
        behind = (np.log(total) + top)[of] - own
        pull = self.weight * expit(behind)
        per_query = np.bincount(of, weights=pull, minlength=len(self.start))
        e *= (per_query / total)[self.query]
        e[self.taken] = -pull
        off = w - self.anchor
        value = float((self.weight * np.logaddexp(0.0, behind)).sum() + ridge * (off @ off))
        return value, self.pulled(e) + 2 * ridge * off

    def pulled(self, gradient: np.ndarray) -> np.ndarray:
        """``d' gradient / scale``: float64, shape (c,)."""
        total = np.zeros(self.d.shape[1])
        for at in blocks(len(gradient)):
            total += gradient[at] @ self.d[at].astype(np.float64)
        return total / self.scale
