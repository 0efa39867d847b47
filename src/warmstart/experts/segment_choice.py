"""What people who were held out take later on: by it segments are chosen, and how far a history is believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions

CUTS = (1, 3, 5, 10)  # first events that are shown
PART, MOST = 0.2, 1000  # people held out: part of all, and at most
BLOCK = 16_384  # events that are weighed at once
CELLS = 10_000_000  # chances that are sorted at once

DEPTH = 10  # ranks that are looked at
ASKED = 1000  # histories that are ranked for, at most


class Mixture(Protocol):
    """What is judged."""

    @property
    def rates(self) -> np.ndarray:
        """P(item | segment): float32, shape (n_items, k)."""
        ...

    def posterior(self, histories: Histories) -> np.ndarray:
        """p(segment | history): float64, shape (n_queries, k)."""
        ...


@dataclass(frozen=True, eq=False)
class Later:
    """First events of people, and what they took later on.

    Parameters
    ----------
    first
        Histories of 1, 3, 5 and 10 events.
    query, item
        int64, shape (n_events,): who took what later on, in order of the queries.
    between
        Histories to the last event before that: what is not asked for.
    """

    first: Histories
    query: np.ndarray
    item: np.ndarray
    between: Histories

    def __len__(self) -> int:
        return len(self.first)

    def likelihood(self, mixture: Mixture) -> float:
        """Mean over the histories of the mean ``log sum_s p(s | history) P(item | s)`` over what came later."""
        segment = mixture.posterior(self.first).astype(np.float32)
        each = np.empty(len(self.item))
        for s in range(0, len(each), BLOCK):
            at = slice(s, s + BLOCK)
            each[at] = np.log(np.einsum("es,es->e", segment[self.query[at]], mixture.rates[self.item[at]]))
        return float((np.bincount(self.query, weights=each) / np.bincount(self.query)).mean())

    def ndcg(self, mixture: Mixture) -> float:
        """Mean NDCG@10 of what came later, among all that was not taken before; of at most 1,000 histories."""
        asked = np.arange(min(len(self), ASKED))
        blocks = np.array_split(asked, -(-asked.size * len(mixture.rates) // CELLS) or 1)
        return float(np.concatenate([self._ndcg(mixture, block) for block in blocks]).mean())

    def _ndcg(self, mixture: Mixture, asked: np.ndarray) -> np.ndarray:
        """NDCG@10 of the histories ``asked``, successive ones: float64, same shape."""
        p = mixture.posterior(self.first.take(asked)).astype(np.float32) @ mixture.rates.T
        p[self.between.take(asked).matrix().nonzero()] = -1.0
        best = first_places(p, DEPTH)
        mine = slice(*np.searchsorted(self.query, [asked[0], asked[-1] + 1]))
        taken = np.zeros(p.shape, bool)
        taken[self.query[mine] - asked[0], self.item[mine]] = True
        gain = 1 / np.log2(np.arange(DEPTH) + 2)
        hits = np.take_along_axis(taken, best, axis=1) * gain[: best.shape[1]]
        ideal = np.cumsum(gain)[np.clip(taken.sum(1), 1, DEPTH) - 1]
        ndcg: np.ndarray = hits.sum(1) / ideal
        return ndcg


def first_places(p: np.ndarray, depth: int) -> np.ndarray:
    """Columns of the largest entries of each row, from the largest down: int64, shape (n, min(depth, m)).

    Examples
    --------
    >>> first_places(np.array([[0.1, 0.9, 0.5]]), 2).tolist()
    [[1, 2]]
    """
    if p.shape[1] <= depth:
        return np.argsort(-p, axis=1, kind="stable")
    some = np.sort(np.argpartition(-p, depth - 1, axis=1)[:, :depth], axis=1)
    order = np.argsort(-np.take_along_axis(p, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def later_events(x: Interactions, seed: int) -> tuple[np.ndarray, Later]:
    """People to hold out, bool (n_users,), and their questions.

    At every length the question is what came after the longest history that is at most half of a person's events: what
    somebody takes next is much what everybody takes on that day, what they take later is their own. People of a single
    event are held out and not asked for.
    """
    counts = x.user_counts()
    people = np.random.default_rng(seed).permutation(np.flatnonzero(counts))
    people = np.sort(people[: min(int(PART * len(people)), MOST)])
    held = np.zeros(x.n_users, bool)
    held[people] = True
    starts = np.cumsum(counts) - counts
    first: list[np.ndarray] = []
    between: list[np.ndarray] = []
    later: list[np.ndarray] = []
    for u in people[counts[people] >= 2].tolist():
        own = x.item[starts[u] : starts[u] + counts[u]]
        cuts = [n for n in CUTS if 2 * n <= len(own)]
        first += [own[:n] for n in cuts]
        between += [own[: cuts[-1]]] * len(cuts)
        later += [own[cuts[-1] :]] * len(cuts)
    query = np.repeat(np.arange(len(later)), [len(items) for items in later]).astype(np.int64)
    items = np.concatenate(later) if later else np.empty(0, np.int32)
    shown = (Histories.of(rows, x.n_items) for rows in (first, between))
    return held, Later(next(shown), query, items.astype(np.int64), next(shown))
