"""Popularity: all-time, recent, and predicted from content for items nobody has met."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import NO_TIME, Interactions
from warmstart.experts.products import read_off


def decayed_counts(x: Interactions, share: float) -> np.ndarray:
    """Events an item, each halved for every ``share`` of the clock that has passed since.

    ``share`` is a fraction of the time between the first and the last event; without times, or with
    ``share`` of 0, every event counts 1. Float64, shape (n_items,).

    Examples
    --------
    >>> x = Interactions.of(np.zeros(3), np.array([0, 1, 1]), 1, 2, time=np.array([0, 50, 100]))
    >>> decayed_counts(x, 0.5).tolist()  # half of it every 50 seconds
    [0.25, 1.5]
    """
    weight = np.ones(len(x))
    if share > 0 and x.has_time:
        span = max(float(x.time.max() - x.time[x.time >= 0].min()), 1.0)
        weight = 0.5 ** ((x.time.max() - x.time) / (share * span))
    return np.bincount(x.item, weights=weight, minlength=x.n_items)


def content_rates(features: np.ndarray, counts: np.ndarray, ridge: float) -> tuple[np.ndarray, float]:
    """Ridge from features to log counts; returns coefficients (dim + 1,), the last the mean, and the residual variance.

    ``min_b ||log(1 + n) - mean - Z b||^2 + ridge ||b||^2`` over items with at least one event.

    Examples
    --------
    >>> b, variance = content_rates(np.array([[1.0], [-1.0], [5.0]]), np.expm1([3.0, 1.0, 0.0]), ridge=2.0)
    >>> b.tolist(), variance
    ([0.5, 2.0], 0.25)
    """
    met = counts > 0
    y = np.log1p(counts[met])
    z = features[met].astype(np.float64)
    base = y.mean() if len(y) else 0.0
    b = np.linalg.solve(z.T @ z + ridge * np.eye(z.shape[1]), z.T @ (y - base))
    residual = y - base - z @ b
    return np.append(b, base), float(residual.var()) if len(y) else 1.0


@dataclass(frozen=True)
class Popularity:
    """How often an item is taken, smoothed by what its content predicts.

    The rate of item j has a Gamma prior with mean ``r_j`` (predicted from content) and shape ``tau``; after ``n_j``
    (decayed) events ``score_j = log((n_j + tau) / (1 + tau / r_j))``, the log of its posterior mean.

    Parameters
    ----------
    half_life
        As a share of the clock; 0 = all-time.
    tau
        Shape of the prior, in events; 0 = counts alone.
    ridge
        Strength of the ridge of the prediction.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters(seed=0)
    >>> scores = Popularity(tau=0.0).fit(data).score(data.histories(np.array([0])))
    >>> int(np.argmax(scores[0])) == int(np.argmax(data.interactions.item_counts()))
    True
    """

    half_life: float = 0.0
    tau: float = 2.0
    ridge: float = 10.0

    def fit(self, data: Dataset) -> FittedPopularity:
        """Count, and learn to predict counts where the dataset has features."""
        x = data.interactions
        counts = decayed_counts(x, self.half_life)
        highest = float(np.quantile(counts[counts > 0], 0.9)) if counts.any() else 1.0
        coefficients = np.zeros(0)
        expected = np.full(data.n_items, counts.mean() if counts.any() else 1.0)
        if data.features is not None and counts.any():
            coefficients, _ = content_rates(data.features, counts, self.ridge)
            expected = predict(data.features, coefficients, highest)
        until = int(x.time.max()) if x.has_time else NO_TIME
        span = max(until - int(x.time[x.time >= 0].min()), 1) if x.has_time else 0
        scores = posterior_log(counts, expected, self.tau)
        return FittedPopularity(scores, coefficients, highest, self.half_life * span, until)


def posterior_log(counts: np.ndarray, expected: np.ndarray, tau: float) -> np.ndarray:
    """``log((n + tau) / (1 + tau / r))``, float32: the log of a rate's posterior mean under a Gamma prior.

    Examples
    --------
    >>> np.exp(posterior_log(np.array([0.0, 6.0]), np.array([2.0, 2.0]), tau=2.0)).round(3).tolist()
    [1.0, 4.0]
    """
    rate = (counts + tau + 1e-9) / (1.0 + tau / np.maximum(expected, 1e-3))
    scores: np.ndarray = np.log(rate).astype(np.float32)
    return scores


def predict(features: np.ndarray, coefficients: np.ndarray, highest: float) -> np.ndarray:
    """Expected count from features, between 0 and ``highest``: float64, shape (n,); NaN without coefficients.

    Examples
    --------
    >>> predict(np.array([[0.0], [9.0], [-9.0]]), np.array([1.0, np.log(4.0)]), highest=50.0).round(6).tolist()
    [3.0, 50.0, 0.0]
    """
    if not len(coefficients):
        return np.full(len(features), np.nan)
    expected: np.ndarray = np.expm1(
        np.minimum(read_off(features, coefficients[:-1]) + coefficients[-1], np.log1p(highest))
    )
    return np.asarray(np.maximum(expected, 0.0))


@dataclass(frozen=True)
class FittedPopularity:
    """One score an item, the same for every query.

    Parameters
    ----------
    scores
        float32, shape (n_items,): log of the expected rate.
    coefficients
        float64, shape (dim + 1,): from features to log counts; empty without features.
    highest
        No prediction is above it.
    half_life
        Seconds after which an event counts half; 0 = it never fades.
    until
        Time of the newest event counted, seconds since the epoch; -1 without times.
    """

    scores: np.ndarray
    coefficients: np.ndarray
    highest: float
    half_life: float = 0.0
    until: int = NO_TIME

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); equal rows."""
        return np.broadcast_to(self.scores, (len(histories), len(self.scores)))

    def grow(self, features: np.ndarray) -> Self:
        """New items stand where their content puts them (log of the expected rate); NaN without coefficients.

        An item that stood in the catalogue and met nobody stands lower: that nobody took it says something.
        """
        expected = predict(features, self.coefficients, self.highest)
        return replace(self, scores=np.append(self.scores, np.log(np.maximum(expected, 1e-3))).astype(np.float32))

    def moved(self, item: np.ndarray, time: np.ndarray) -> Self:
        """With events that came after the fit: ``rate_j <- kept * rate_j + sum_e 0.5^((now - t_e) / half_life)``.

        ``now`` is the time of the newest of them. The older events fade by the clock, yet no faster than new ones
        come: ``kept = max(0.5^((now - until) / half_life), 1 - new / sum_j rate_j)``, so that after a long silence a
        single event does not stand alone. Without half-life nothing fades.

        Parameters
        ----------
        item
            int, shape (n_events,): codes, all in the catalogue.
        time
            int64, shape (n_events,): seconds since the epoch; what lies before ``until`` counts as of then.

        Examples
        --------
        >>> known = FittedPopularity(np.log([4.0, 2.0]).astype(np.float32), np.zeros(0), 9.0, half_life=10.0, until=0)
        >>> np.exp(known.moved(np.array([1, 1]), np.array([0, 10])).scores).round(3).tolist()  # 3/4 kept, 1.5 new
        [3.0, 3.0]
        """
        if not len(item):
            return self
        rate, n = np.nan_to_num(np.exp(self.scores.astype(np.float64))), len(self.scores)
        weight, kept = np.ones(len(item)), 1.0
        if self.half_life > 0 and self.until >= 0:
            now = max(int(time.max()), self.until)
            weight = 0.5 ** ((now - np.maximum(time, self.until)) / self.half_life)
            left = 1.0 - weight.sum() / max(rate.sum(), 1e-9)
            kept = float(max(0.5 ** ((now - self.until) / self.half_life), left))
        fresh = np.bincount(item, weights=weight, minlength=n)
        moved = np.log(np.maximum(kept * rate + fresh, 1e-9)).astype(np.float32)
        return replace(self, scores=np.where(np.isnan(self.scores) & (fresh == 0), self.scores, moved))
