"""How sure a mean over queries is: bootstrap intervals, paired tests, and Holm's correction for many tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCK = 4_000_000  # resampled entries held at once: 32 MB


@dataclass(frozen=True)
class Interval:
    """A mean over queries, its interval, and how many queries it rests on; NaN if none."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return "n/a" if self.n == 0 else f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Paired:
    """Mean of a - b over the queries that have both, its interval, and the two-sided p value."""

    difference: float
    low: float
    high: float
    p: float
    n: int


def resample(values: np.ndarray, n_boot: int, seed: int) -> np.ndarray:
    """Means of bootstrap resamples of the queries; all columns share the draws.

    Parameters
    ----------
    values
        float, shape (n_queries, n_columns); NaN entries are left out of their column's mean.

    Returns
    -------
    float64, shape (n_boot, n_columns); NaN where a draw has no number.

    Examples
    --------
    >>> resample(np.array([[2.0], [2.0]]), n_boot=3, seed=0).tolist()
    [[2.0], [2.0], [2.0]]
    """
    rng, n = np.random.default_rng(seed), len(values)
    known = (~np.isnan(values)).astype(np.float64)
    filled = np.nan_to_num(values, nan=0.0)
    means = np.empty((n_boot, values.shape[1]))
    step = max(1, BLOCK // max(n, 1))
    for start in range(0, n_boot, step):
        rows = min(step, n_boot - start)
        drawn = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
        times = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
        total = times @ known
        means[start : start + rows] = (times @ filled) / np.where(total > 0, total, np.nan)
    return means


def intervals(values: np.ndarray, n_boot: int = 1000, level: float = 0.95, seed: int = 0) -> list[Interval]:
    """Mean and percentile bootstrap interval of each column.

    Parameters
    ----------
    values
        float, shape (n_queries, n_columns), NaN = the query does not count.

    Examples
    --------
    >>> print(intervals(np.array([[1.0], [1.0], [np.nan]]))[0])
    1.0000 [1.0000, 1.0000]
    """
    n = (~np.isnan(values)).sum(axis=0)
    if not len(values):
        return [Interval(float("nan"), float("nan"), float("nan"), 0) for _ in n]
    low, high = _limits(resample(values, n_boot, seed), level)
    mean = np.nan_to_num(values, nan=0.0).sum(axis=0) / np.where(n > 0, n, np.nan)
    rows = zip(mean.tolist(), low.tolist(), high.tolist(), n.tolist(), strict=True)
    return [Interval(*row) for row in rows]


def paired(a: np.ndarray, b: np.ndarray, n_boot: int = 1000, level: float = 0.95, seed: int = 0) -> Paired:
    """Paired bootstrap test of two systems on the same queries.

    ``p = 2 min(P(d* <= 0), P(d* >= 0))`` over resampled mean differences ``d*``, with one added to both counts, so that
    p is never 0 (Davison & Hinkley, "Bootstrap methods and their application", 1997, section 4.2.5). A bootstrap of a
    handful of queries is too sure of itself; p is at least ``2^(1 - n)``, the least that flipping n signs can reach.

    Parameters
    ----------
    a, b
        float, shape (n_queries,); queries where either is NaN are left out.

    Examples
    --------
    >>> test = paired(np.array([0.5, 0.7, 0.6]), np.array([0.1, 0.2, 0.3]), n_boot=99)
    >>> round(test.difference, 2), test.p
    (0.4, 0.25)
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    difference = difference[~np.isnan(difference)][:, None]
    if not len(difference):
        return Paired(float("nan"), float("nan"), float("nan"), 1.0, 0)
    draws = resample(difference, n_boot, seed)
    (low,), (high,) = _limits(draws, level)
    tail = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    p = min(1.0, max(2 * (tail + 1) / (n_boot + 1), 2.0 ** (1 - len(difference))))
    return Paired(float(difference.mean()), float(low), float(high), p, len(difference))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values: the chance of any false alarm among the tests stays below the level compared with.

    With p ascending, ``adjusted_i = max_{j <= i} min(1, (m - j + 1) p_j)`` (Holm, Scand. J. Statist. 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values, kind="stable")
    scaled = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(scaled)
    return [float(v) for v in adjusted]


def _limits(draws: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles per column, NaN for a column without numbers."""
    tail = (1 - level) / 2
    out = np.full((2, draws.shape[1]), np.nan)
    for column, values in enumerate(draws.T):
        known = values[~np.isnan(values)]
        if len(known):
            out[:, column] = np.quantile(known, [tail, 1 - tail])
    return out[0], out[1]
