"""Whether experts are asked of every item, or in a large catalogue of those that matter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.asked import Asked
from warmstart.experts.best import true_cells
from warmstart.experts.nearest import LARGE
from warmstart.experts.panel import Panel
from warmstart.fusion.scores import Sampled, Scores, Whole

LEAST = 200  # allowed items of a sample, for it to stand for all of them


@dataclass(frozen=True)
class Asking:
    """How experts are asked: the same when the fusion learns and when it answers.

    Parameters
    ----------
    top
        Candidates each expert puts forward.
    large
        Items of a catalogue above which mean and deviation of an expert's scores are estimated on a sample, and experts
        that know nothing of their own judge what the others found, see ``Sampled``.
    sample
        Items of it.
    """

    top: int = 60
    large: int = 10_000
    sample: int = 1_024

    def scores(self, panel: Panel, h: Histories, allowed: np.ndarray) -> Scores:
        """What experts say of queries; ``allowed`` bool, shape (n_queries, n_items)."""
        if panel.whole_only or h.n_items <= self.large:
            return Whole(panel.score(h), allowed)
        sample = drawn(h.n_items, self.sample)
        if fewest(allowed, sample) < LEAST:
            somebody = np.flatnonzero(np.asarray(allowed.any(axis=0)))
            sample = somebody[drawn(len(somebody), self.sample)]
        if fewest(allowed, sample) < LEAST:
            return Whole(panel.score(h), allowed)
        return Sampled(Asked(panel, h), allowed, sample)

    def groups(self, panel: Panel, allowed: np.ndarray) -> list[np.ndarray]:
        """Positions of the queries that are asked together: whom the sample of all items serves, and the others.

        Of a large catalogue a query to which little is allowed would have all others of its batch scored whole. Such
        queries are asked together where a sample of what they are allowed serves them all, else one by one.

        Parameters
        ----------
        allowed
            bool, shape (n_queries, n_items).
        """
        n = allowed.shape[1]
        if len(allowed) < 2 or panel.whole_only or n <= self.large:
            return [np.arange(len(allowed))]
        narrow = np.count_nonzero(allowed[:, drawn(n, self.sample)], axis=1) < LEAST
        if not narrow.any():
            return [np.arange(len(allowed))]
        little = np.flatnonzero(narrow)
        somebody = np.flatnonzero(allowed[little].any(axis=0))
        shared = fewest(allowed[little], somebody[drawn(len(somebody), self.sample)]) >= LEAST
        parts = [np.flatnonzero(~narrow), *([little] if shared else little[:, None])]
        return [part for part in parts if len(part)]

    def tables(self, panel: Panel, pool: np.ndarray) -> int:
        """Tables of scores of all items that are held at once: few where a very large catalogue is not scored whole.

        Parameters
        ----------
        pool
            bool, shape (n_items,) or (n_queries, n_items): items that may be recommended, seen ones among them.
        """
        rows = np.atleast_2d(pool)
        if panel.whole_only or rows.shape[1] <= LARGE or not len(rows):
            return panel.size
        somebody = int(np.count_nonzero(rows.any(axis=0)))
        drawn_of = true_cells(rows).min() * min(self.sample, somebody) / max(somebody, 1)
        if drawn_of < 2 * LEAST:  # too few of a sample may be left: all items would be scored
            return panel.size
        return 1 + len(panel.experts.keys() - panel.projecting.keys() - panel.flat)


def fewest(allowed: np.ndarray, sample: np.ndarray) -> int:
    """Items of a sample that are allowed, of the query to which the fewest are; ``LEAST`` where nobody asks."""
    return int(np.count_nonzero(allowed[:, sample], axis=1).min(initial=LEAST))


@lru_cache(maxsize=64)
def drawn(n: int, most: int) -> np.ndarray:
    """At most so many of the numbers below n, drawn once and for all.

    Examples
    --------
    >>> sorted(drawn(3, 10).tolist()), drawn(9, 2) is drawn(9, 2)
    ([0, 1, 2], True)
    """
    order = np.random.default_rng(0).permutation(n)[:most].copy()
    order.flags.writeable = False
    return order
