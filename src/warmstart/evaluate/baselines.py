"""Plain systems every table shows beside the one that is measured; popularity is the floor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import DataError
from warmstart.experts.base import Expert, FittedExpert
from warmstart.experts.content import ContentCosine
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity

FLOOR = "popularity"
CELLS = 10_000_000  # scores held at once: 40 MB


@dataclass(frozen=True)
class ExpertRecommender:
    """Ranks by one expert's scores; what is in the history is left out.

    Parameters
    ----------
    expert
        A fitted expert.
    fallback
        float, shape (n_items,), higher is better: the order of the items of which the expert says NaN;
        they come after all others.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> data = example()
    >>> rank = ExpertRecommender(Popularity().fit(data), data.interactions.item_counts())
    >>> rank(Histories.of([[0, 1]], 4), 3, candidates=np.array([0, 2]))
    array([[ 2, -1, -1]], dtype=int32)
    """

    expert: FittedExpert
    fallback: np.ndarray

    def __call__(self, histories: Histories, k: int, candidates: np.ndarray | None = None) -> np.ndarray:
        """Best items first: int32, shape (n_queries, k), -1 where there is no further item."""
        step = max(1, CELLS // max(histories.n_items, 1))
        parts = [np.arange(s, min(s + step, len(histories))) for s in range(0, len(histories), step)]
        blocks = [self._block(histories.take(part), k, candidates) for part in parts]
        return np.concatenate(blocks) if blocks else np.empty((0, k), np.int32)

    def _block(self, histories: Histories, k: int, candidates: np.ndarray | None) -> np.ndarray:
        scores = fill_unknown(self.expert.score(histories), self.fallback)
        scores[np.repeat(np.arange(len(histories)), histories.lengths), histories.item] = -np.inf
        if candidates is not None:
            barred = np.ones(histories.n_items, bool)
            barred[candidates] = False
            scores[:, barred] = -np.inf
        return best(scores, k)


def fill_unknown(scores: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """A copy in which NaN scores stand below all others of their row, in the order of ``fallback``.

    Examples
    --------
    >>> fill_unknown(np.array([[3.0, np.nan, np.nan]]), np.array([0, 2, 1])).argsort().tolist()
    [[2, 1, 0]]
    """
    filled, unknown = np.array(scores), np.isnan(scores)
    if unknown.any():
        lowest = np.where(unknown, np.inf, filled).min(axis=1, keepdims=True)
        lowest[~np.isfinite(lowest)] = 0.0
        span = max(float(fallback.max() - fallback.min()), 1e-9)
        below = 2.0 - (fallback - fallback.min()) / span  # in [1, 2]
        filled = np.where(unknown, lowest - np.maximum(np.abs(lowest), 1.0) * below, filled)
    return filled


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """Positions of each row's ``k`` highest scores, best first; -inf is never listed.

    Examples
    --------
    >>> best(np.array([[1.0, 3.0, -np.inf]]), 3)
    array([[ 1,  0, -1]], dtype=int32)
    """
    n, n_items = scores.shape
    take = min(k, n_items)
    top = (
        np.argpartition(-scores, take - 1, axis=1)[:, :take] if take < n_items else np.tile(np.arange(n_items), (n, 1))
    )
    top.sort(axis=1)  # equal scores: lower code first
    top = np.take_along_axis(top, np.argsort(-np.take_along_axis(scores, top, 1), axis=1, kind="stable"), 1)
    out = np.full((n, k), -1, np.int32)
    out[:, :take] = np.where(np.isneginf(np.take_along_axis(scores, top, 1)), -1, top)
    return out


def baseline_experts(features: np.ndarray | None) -> dict[str, Expert]:
    """The experts of the table by name: popularity, EASE, and content cosine where there are features.

    Examples
    --------
    >>> list(baseline_experts(None))
    ['popularity', 'EASE']
    """
    experts: dict[str, Expert] = {FLOOR: Popularity(), "EASE": PriorMeanEASE(dropout=0.0, tau=0.0, kappa=0.0)}
    return experts if features is None else experts | {"content": ContentCosine()}


def fit_baseline(name: str, expert: Expert, train: Dataset, features: np.ndarray | None) -> ExpertRecommender:
    """Fit one; only the content baseline is given the features.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> rank = fit_baseline("popularity", Popularity(), example(), None)
    >>> rank(Histories.of([[0]], 4), 1).shape
    (1, 1)
    """
    known = replace(train, features=features if name == "content" else None)
    fitted = expert.fit(known)
    if fitted is None:
        raise DataError(f"baseline {name!r} has nothing to learn from; choose another")
    return ExpertRecommender(fitted, train.interactions.item_counts())
