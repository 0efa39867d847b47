"""Popularity: all-time, recent, and predicted from content for items nobody has met."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions


def decayed_counts(x: Interactions, share: float) -> np.ndarray:
    """Events an item, each halved for every ``share`` of the clock that has passed since.

    ``share`` is a fraction of the time between the first and the last event; without times, or with
    ``share`` of 0, every event counts 1. Float64, shape (n_items,).
    """
    weight = np.ones(len(x))
    if share > 0 and x.has_time:
        span = max(float(x.time.max() - x.time[x.time >= 0].min()), 1.0)
        weight = 0.5 ** ((x.time.max() - x.time) / (share * span))
    return np.bincount(x.item, weights=weight, minlength=x.n_items)


def content_rates(features: np.ndarray, counts: np.ndarray, ridge: float) -> tuple[np.ndarray, float]:
    """Ridge from features to log counts; returns coefficients (dim,) and the residual variance.

    ``min_b ||log(1 + n) - mean - Z b||^2 + ridge ||b||^2`` over items with at least one event.
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
    """

    half_life: float = 0.0
    tau: float = 0.5
    ridge: float = 10.0

    def fit(self, data: Dataset) -> FittedPopularity:
        """Count, and learn to predict counts where the dataset has features."""
        counts = decayed_counts(data.interactions, self.half_life)
        coefficients = np.zeros(0)
        expected = np.full(data.n_items, counts.mean() if counts.any() else 1.0)
        if data.features is not None and counts.any():
            coefficients, _ = content_rates(data.features, counts, self.ridge)
            expected = predict(data.features, coefficients, float(np.quantile(counts[counts > 0], 0.9)))
        score = np.log((counts + self.tau + 1e-9) / (1.0 + self.tau / np.maximum(expected, 1e-3)))
        return FittedPopularity(
            score.astype(np.float32), coefficients, float(np.quantile(counts[counts > 0], 0.9)) if counts.any() else 1.0
        )


def predict(features: np.ndarray, coefficients: np.ndarray, highest: float) -> np.ndarray:
    """Expected count from features, between 0 and ``highest``: float64, shape (n,)."""
    if not len(coefficients):
        return np.full(len(features), np.nan)
    return np.clip(np.expm1(features @ coefficients[:-1] + coefficients[-1]), 0.0, highest)


@dataclass(frozen=True)
class FittedPopularity:
    """One score an item, the same for every query."""

    scores: np.ndarray
    coefficients: np.ndarray
    highest: float

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); equal rows."""
        return np.broadcast_to(self.scores, (len(histories), len(self.scores)))

    def grow(self, features: np.ndarray) -> Self:
        """New items stand where their content puts them (log of the expected rate)."""
        expected = predict(features, self.coefficients, self.highest)
        return replace(self, scores=np.append(self.scores, np.log(expected + 1e-9)).astype(np.float32))
