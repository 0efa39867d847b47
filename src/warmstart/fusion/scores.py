"""What experts say of a block of queries: of every item, or in a large catalogue of those that matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from warmstart.experts.asked import Asked
from warmstart.experts.best import best, cells, true_cells

Told = tuple[str, np.ndarray, np.ndarray]  # an expert's name, raw scores of candidates, and standardised ones


class Scores(Protocol):
    """Scores of a block of queries."""

    def candidates(self, top: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Union of the experts' best ``top`` allowed items: query and item code of each candidate, sorted.

        Parameters
        ----------
        among
            bool, shape (n_items,): items that are asked for alone; None = all.
        """
        ...

    def told(self, query: np.ndarray, item: np.ndarray) -> Iterator[Told]:
        """Expert by expert: raw scores of candidates, and how many deviations they lie above the query's mean.

        Parameters
        ----------
        query, item
            int64, shape (n_candidates,), sorted by query.
        """
        ...


@dataclass(frozen=True, eq=False)
class Whole:
    """Scores of every item.

    Parameters
    ----------
    scores
        By expert: float32, shape (n_queries, n_items), NaN = cannot say.
    allowed
        bool, shape (n_queries, n_items): items that may be recommended, over which scores are standardised.
    """

    scores: Mapping[str, np.ndarray]
    allowed: np.ndarray

    def candidates(self, top: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See ``Scores``."""
        allowed = self.allowed if among is None else self.allowed & among
        picked = np.zeros(allowed.shape, bool)
        for s in self.scores.values():
            if s.shape[1] <= top:
                picked[:] = True
                break
            picked[best(s, allowed, top)] = True
        return cells(picked & allowed)

    def told(self, query: np.ndarray, item: np.ndarray) -> Iterator[Told]:
        """See ``Scores``."""
        for name, s in self.scores.items():
            raw = s[query, item].astype(np.float32)
            mean, std = moments(s, self.allowed)
            yield name, raw, (raw - mean[query]) / std[query]


@dataclass(frozen=True, eq=False)
class Sampled:
    """Scores of candidates, and of a sample of items that stands for all others.

    Mean and deviation over the allowed items are estimated: a candidate counts once, an item of the sample for as many
    as it stands for. An expert that shares features and has no events of its own is not asked for its best items where
    another is (``Projecting.seeks``).

    Parameters
    ----------
    asked
        The queries, put to the experts.
    allowed
        bool, shape (n_queries, n_items).
    sample
        int64: codes of different items, drawn from the allowed ones.
    """

    asked: Asked
    allowed: np.ndarray
    sample: np.ndarray

    def candidates(self, top: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See ``Scores``."""
        allowed = self.allowed if among is None else self.allowed & among
        if 2 * top >= allowed.shape[1]:
            return cells(allowed)
        picked = np.zeros(allowed.shape, bool)
        for found in self.asked.best(allowed, top, self.sample):
            picked[found] = True
        return cells(picked)

    def told(self, query: np.ndarray, item: np.ndarray) -> Iterator[Told]:
        """See ``Scores``."""
        if 2 * len(item) >= self.allowed.size:  # nothing is left to be estimated
            yield from Whole(self.asked.panel.score(self.asked.histories), self.allowed).told(query, item)
            return
        items, real = padded(query, item, len(self.allowed))
        scores = self.asked.at(items, self.sample)
        weight = self._weights(query, item, items, real)
        for name, s in scores.items():
            raw = s[:, len(self.sample) :][real].astype(np.float32)
            mean, std = weighted_moments(s, weight)
            yield name, raw, (raw - mean[query]) / std[query]

    def _weights(self, query: np.ndarray, item: np.ndarray, items: np.ndarray, real: np.ndarray) -> np.ndarray:
        """For how many allowed items each stands: float32, shape (n_queries, len(sample) + m)."""
        own = np.zeros_like(self.allowed)
        own[query, item] = True
        stands = self.allowed[:, self.sample] & ~own[:, self.sample]
        mine = real & np.take_along_axis(self.allowed, items, axis=1)
        others = true_cells(self.allowed) - mine.sum(1)
        each = others / np.maximum(stands.sum(1), 1)
        return np.concatenate([stands * each[:, None], mine], axis=1).astype(np.float32)


def padded(query: np.ndarray, item: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Candidates as a table, a row a query: items (0 where there are no more), and which of them are real.

    Examples
    --------
    >>> [part.tolist() for part in padded(np.array([0, 0, 2]), np.array([7, 9, 8]), 3)]
    [[[7, 9], [0, 0], [8, 0]], [[True, True], [False, False], [True, False]]]
    """
    real = places(query, n)
    items = np.zeros(real.shape, np.int64)
    items[real] = item
    return items, real


def places(query: np.ndarray, n: int = 0) -> np.ndarray:
    """Which cells of a table hold candidates where each query has a row: bool, shape (at least n queries, most of one).

    Examples
    --------
    >>> places(np.array([0, 0, 2])).tolist()
    [[True, True], [False, False], [True, False]]
    """
    length = np.bincount(query, minlength=n)
    real: np.ndarray = np.arange(length.max(initial=0)) < length[:, None]
    return real


def moments(s: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each row over allowed items; NaN rows give 0 and 1."""
    usable = allowed & ~np.isnan(s)
    n = np.maximum(usable.sum(1), 1)
    v = np.where(usable, s, 0.0).astype(np.float32)
    mean = v.sum(1) / n
    var = np.maximum((v * v).sum(1) / n - mean**2, 0.0)
    return mean, np.where(var > 1e-20, np.sqrt(var), 1.0)


def weighted_moments(s: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each row where each value counts so often; NaN does not count.

    Examples
    --------
    >>> weighted_moments(np.array([[1.0, 3.0, np.nan]]), np.array([[3.0, 1.0, 9.0]]))
    (array([1.5]), array([0.8660254]))
    """
    known = ~np.isnan(s)
    w, v = weight * known, np.where(known, s, 0.0)
    n = np.maximum(w.sum(1), 1e-9)
    mean = np.einsum("ij,ij->i", w, v) / n
    var = np.maximum(np.einsum("ij,ij,ij->i", w, v, v) / n - mean**2, 0.0)
    return mean, np.where(var > 1e-20, np.sqrt(var), 1.0)
