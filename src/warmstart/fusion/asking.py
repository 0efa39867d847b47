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
            sample = self.drawn_from(allowed)
        if fewest(allowed, sample) < LEAST:
            return Whole(panel.score(h), allowed)
        return Sampled(Asked(panel, h), allowed, sample)

    def drawn_from(self, allowed: np.ndarray) -> np.ndarray:
        """A sample of the items that are allowed to anybody; an item more or less among these hardly changes it."""
        every = drawn(allowed.shape[1], allowed.shape[1])
        somebody = np.asarray(allowed.any(axis=0))
        return np.asarray(every[somebody[every]][: self.sample])

    def groups(self, panel: Panel, allowed: np.ndarray) -> list[np.ndarray]:
        """Positions of the queries that are asked together, so that none is scored otherwise than alone.

        Of a large catalogue those whom the sample of all items serves; those to whom so little is allowed that all
        items are scored; and the others, together where a sample of what they are allowed serves them all, else one
        by one.

        Parameters
        ----------
        allowed
            bool, shape (n_queries, n_items).
        """
        n, every = allowed.shape[1], np.arange(len(allowed))
        if len(allowed) < 2 or panel.whole_only or n <= self.large or self.sample < LEAST:
            return [every]
        narrow = np.count_nonzero(allowed[:, drawn(n, self.sample)], axis=1) < LEAST
        if not narrow.any():
            return [every]
        few = narrow & (true_cells(allowed) < LEAST)
        between = np.flatnonzero(narrow & ~few)
        shared = fewest(allowed[between], self.drawn_from(allowed[between])) >= LEAST
        parts = [np.flatnonzero(~narrow), np.flatnonzero(few), *([between] if shared else between[:, None])]
        return [part for part in parts if len(part)]

    def tables(self, panel: Panel, pool: np.ndarray) -> int:
        """Tables of scores of all items that are held at once: few where a very large catalogue is not scored whole.

        Parameters
        ----------
        pool
            bool, shape (n_items,) or (n_queries, n_items): items that may be recommended, seen ones among them.
        """
        rows = np.atleast_2d(pool)
        whole = panel.whole_only or rows.shape[1] <= LARGE or self.sample < LEAST
        if whole or true_cells(rows).min(initial=rows.shape[1]) < 2 * LEAST:  # of which some may be seen
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
