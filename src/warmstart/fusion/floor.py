"""The floor: on held-out worlds, no state may rank worse than its best single expert.

The best of many experts on few queries is partly luck, so a state is handed over only where the expert leads
by more than two standard errors of the paired difference.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

BINS = ((0, 0), (1, 2), (3, 4), (5, 10), (11, 10**9))
LEAST_QUERIES = 30
DISCOUNT = 1.0 / np.log2(np.arange(2, 12))


@dataclass(frozen=True)
class Cell:
    """One row of the floor's table: a state and history length, and who ranked how well there.

    Parameters
    ----------
    state
        ``new``, ``short``, ``long``, ``unmet`` or ``typed``.
    low, high
        History lengths, inclusive.
    queries
        How many were asked.
    fused
        NDCG@10 of the fusion over the candidates, in [0, 1].
    experts
        NDCG@10 of every expert.
    chosen
        ``fusion``, or the expert that the cell is handed to.
    """

    state: str
    low: int
    high: int
    queries: int
    fused: float
    experts: dict[str, float]
    chosen: str

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


def query_ndcg(score: np.ndarray, query: np.ndarray, taken: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """NDCG@10 of each query over its candidates: float64, shape (n_queries,), NaN where nothing is relevant.

    ``query`` ascending; ``relevant`` (n_queries,) counts all relevant items, candidates or not. What has no score (NaN)
    is not found.
    """
    value = np.nan_to_num(score, nan=-np.inf)
    order = leading(value, query, len(relevant), len(DISCOUNT))
    order = order[np.lexsort((-value[order], query[order]))]
    q = query[order]
    rank = np.arange(len(q)) - np.searchsorted(q, q)
    found = taken[order] & ~np.isnan(score)[order]
    gain = np.where((rank < 10) & found, DISCOUNT[np.minimum(rank, 9)], 0.0)
    ideal = np.concatenate([[np.nan], np.cumsum(DISCOUNT)])[np.minimum(relevant, 10).astype(int)]
    ndcg: np.ndarray = np.bincount(q, weights=gain, minlength=len(relevant)) / ideal
    return ndcg


def leading(score: np.ndarray, query: np.ndarray, n: int, k: int) -> np.ndarray:
    """Positions, ascending, of the k best candidates of every query, with all that equal the last of them.

    Parameters
    ----------
    score, query
        float64 without NaN, and int64 ascending in [0, n), shape (n_candidates,).

    Examples
    --------
    >>> leading(np.array([1.0, 3.0, 2.0, 2.0, 5.0]), np.array([0, 0, 0, 0, 1]), n=2, k=2).tolist()
    [1, 2, 3, 4]
    """
    kept, bounds = np.ones(len(score), bool), np.searchsorted(query, np.arange(n + 1))
    for start, end in pairwise(bounds.tolist()):
        if end - start > k:
            mine = score[start:end]
            kept[start:end] = mine >= np.partition(mine, end - start - k)[end - start - k]
    return np.flatnonzero(kept)


def judge(state: str, length: np.ndarray, fused: np.ndarray, experts: dict[str, np.ndarray]) -> list[Cell]:
    """Compare per history length; hand over where an expert is better beyond doubt (two standard errors)."""
    cells = []
    for low, high in BINS:
        mine = (length >= low) & (length <= high) & ~np.isnan(fused)
        if not mine.any():
            continue
        means = {name: float(np.nanmean(v[mine])) for name, v in experts.items()}
        best = max(means, key=lambda name: means[name])
        gap = experts[best][mine] - fused[mine]
        error = float(gap.std() / np.sqrt(mine.sum()))
        worse = mine.sum() >= LEAST_QUERIES and float(gap.mean()) > 2 * error
        cells.append(
            Cell(state, low, high, int(mine.sum()), float(fused[mine].mean()), means, best if worse else "fusion")
        )
    return cells
