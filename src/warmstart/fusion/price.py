"""What makes less known items rise, and what it costs in the simulated worlds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.fusion.floor import DISCOUNT, leading

CORRECTION, LIFT = WAYS = ("correction", "lift")
STRENGTHS = {
    CORRECTION: (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5),
    LIFT: (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0),
}
FIRST = 100  # best candidates of a query whose deviation is the unit of all strengths
MOST = 2000  # queries that a price is taken from


@dataclass(frozen=True)
class Price:
    """What sinking the known costs in one state, in worlds kept for checking.

    Parameters
    ----------
    strength
        float64, shape (n,), ascending.
    loss
        float64, shape (n,): share of the NDCG@10 over all targets that is lost, and one standard error of it more, as
        few queries tell; below 0 where it is gained.
    head_loss
        float64, shape (n,): the same over the targets of the head, the items with half of all events.
    """

    strength: np.ndarray
    loss: np.ndarray
    head_loss: np.ndarray

    def within(self, loss: float | None, head_loss: float | None) -> float:
        """The largest strength up to which no loss is above what is allowed; None allows any, 0 is none.

        Examples
        --------
        >>> price = Price(np.array([0.1, 0.2, 0.3]), np.array([-0.01, 0.005, 0.02]), np.array([0.0, 0.02, 0.04]))
        >>> price.within(0.01, None), price.within(0.01, 0.01)
        (0.2, 0.1)
        """
        fine = np.ones(len(self.strength), bool)
        for allowed, lost in ((loss, self.loss), (head_loss, self.head_loss)):
            if allowed is not None:
                fine &= lost <= allowed
        steps = int(np.argmin(fine)) if not fine.all() else len(fine)
        return float(self.strength[steps - 1]) if steps else 0.0


def fame(way: str, events: np.ndarray, tail: np.ndarray) -> np.ndarray:
    """By what an item sinks: ``log(n + 1)`` (correction), or 1 outside the long tail (lift): float64, shape (n,).

    Parameters
    ----------
    events
        float, shape (n,): ``log(n_j + 1)`` of the items' events.
    tail
        bool, shape (n,): items of the long tail.

    Examples
    --------
    >>> fame("lift", np.array([3.0, 0.7]), np.array([False, True])).tolist()
    [1.0, 0.0]
    """
    return np.nan_to_num(events).astype(np.float64) if way == CORRECTION else (~tail).astype(np.float64)


def spreads(score: np.ndarray, query: np.ndarray, n: int) -> np.ndarray:
    """Standard deviation of the scores of each query's 100 best candidates: float64, shape (n,); 0 without any.

    It is the unit of all strengths, so that they mean the same for every query and any number of candidates.

    Parameters
    ----------
    score, query
        float64 and int64 ascending, shape (n_candidates,).
    """
    best, _ = first_places(score, query, FIRST)
    of, value = query[best], score[best]
    count = np.maximum(np.bincount(of, minlength=n), 1)
    mean = np.bincount(of, weights=value, minlength=n) / count
    deviation: np.ndarray = np.sqrt(np.bincount(of, weights=(value - mean[of]) ** 2, minlength=n) / count)
    return deviation


def first_places(score: np.ndarray, query: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best candidates of every query and their places from 0; ``query`` ascending.

    Examples
    --------
    >>> at, place = first_places(np.array([1.0, 3.0, 2.0, 5.0]), np.array([0, 0, 0, 1]), 2)
    >>> at.tolist(), place.tolist()
    ([1, 2, 3], [0, 1, 0])
    """
    first = leading(score, query, int(query.max(initial=-1)) + 1, k)
    order = first[np.lexsort((-score[first], query[first]))]
    place = np.arange(len(order)) - np.searchsorted(query[order], query[order])
    return order[place < k], place[place < k]


def price_of(
    way: str,
    score: np.ndarray,
    query: np.ndarray,
    sunk: np.ndarray,
    taken: np.ndarray,
    relevant: np.ndarray,
    head: np.ndarray,
) -> Price:
    """What every strength of a way costs.

    Parameters
    ----------
    score, query
        float64 and int64 ascending, shape (n_candidates,).
    sunk
        float64, shape (n_candidates,): ``fame``.
    taken, head
        bool, shape (n_candidates,): wanted; of the head.
    relevant
        int64, shape (n_queries,): wanted items, candidates or not.
    """
    n, known = len(relevant), taken & head  # a wanted item of the head is as good as always a candidate
    wanted = np.bincount(query, weights=known, minlength=n).astype(np.int64)
    unit, ndcg = spreads(score, query, n)[query] * sunk, []
    for strength in (0.0, *STRENGTHS[way]):
        at, place = first_places(score - strength * unit, query, len(DISCOUNT))
        asked = ((taken, relevant), (known, wanted))
        ndcg.append([ndcg_of(query[at], place, hits[at], many) for hits, many in asked])
    lost = np.array([[share_lost(*pair) for pair in zip(ndcg[0], after, strict=True)] for after in ndcg[1:]])
    return Price(np.array(STRENGTHS[way]), lost[:, 0], lost[:, 1])


def ndcg_of(query: np.ndarray, place: np.ndarray, hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """NDCG@10 of the queries with anything relevant: float64, shape (n,).

    Parameters
    ----------
    query, place, hits
        Of the candidates in the first ten places: int64, int64, bool.
    relevant
        int64, shape (n_queries,).

    Examples
    --------
    >>> ndcg_of(np.array([0, 0]), np.array([0, 1]), np.array([True, False]), np.array([1, 0])).tolist()
    [1.0]
    """
    ideal = np.concatenate([[np.inf], np.cumsum(DISCOUNT)])[np.minimum(relevant, len(DISCOUNT))]
    gained = np.bincount(query, weights=DISCOUNT[place] * hits, minlength=len(relevant))
    ndcg: np.ndarray = (gained / ideal)[relevant > 0]
    return ndcg


def share_lost(before: np.ndarray, after: np.ndarray) -> float:
    """Mean loss and its standard error together, as a share of the mean before; 0 of nothing.

    Examples
    --------
    >>> share_lost(np.array([0.5, 0.5]), np.array([0.25, 0.25])), share_lost(np.empty(0), np.empty(0))
    (0.5, 0.0)
    """
    if not len(before):
        return 0.0
    lost, mean = before - after, float(before.mean())
    return float(lost.mean() + lost.std() / np.sqrt(len(lost))) / (mean if mean > 0 else 1.0)
