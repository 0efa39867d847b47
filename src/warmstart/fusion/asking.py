"""Whether experts are asked of every item, or in a large catalogue of those that matter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.asked import Asked
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
        sample = self._sample(allowed)
        if np.count_nonzero(allowed[:, sample], axis=1).min(initial=LEAST) < LEAST:
            return Whole(panel.score(h), allowed)
        return Sampled(Asked(panel, h), allowed, sample)

    def _sample(self, allowed: np.ndarray) -> np.ndarray:
        """Items drawn from those that are allowed to somebody."""
        order = drawn(allowed.shape[1])
        first = order[: 2 * self.sample]
        found = first[allowed[:, first].any(axis=0)]
        if len(found) < self.sample:
            found = order[np.asarray(allowed.any(axis=0))[order]]
        return found[: self.sample]


@lru_cache(maxsize=8)
def drawn(n: int) -> np.ndarray:
    """The numbers below n in an order drawn once and for all."""
    order = np.random.default_rng(0).permutation(n)
    order.flags.writeable = False
    return order
