"""The popularity correction, and what it costs in the simulated worlds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.fusion.floor import query_ndcg

STRENGTHS = tuple(round(0.1 * i, 1) for i in range(1, 16))
FIRST = 100  # best candidates of a query whose deviation is the unit of the correction


@dataclass(frozen=True)
class Price:
    """What a popularity correction costs in one state, in worlds kept for checking.

    Parameters
    ----------
    strength
        float64, shape (n,), ascending: strengths b.
    loss
        float64, shape (n,): share of the NDCG@10 over all targets that is lost; below 0 where it is gained.
    head_loss
        float64, shape (n,): the same over the targets of the head, the items with half of all events.
    """

    strength: np.ndarray
    loss: np.ndarray
    head_loss: np.ndarray

    def within(self, loss: float | None, head_loss: float | None) -> float:
        """The largest strength up to which no loss is above what is allowed; None allows any, 0 is no correction.

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


def corrected(score: np.ndarray, query: np.ndarray, events: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Scores less what fame alone brings: ``s_j - b_q d_q log(n_j + 1)``.

    ``d_q`` is the standard deviation of the scores of the 100 best candidates of the query, so that b means the same
    for every query and does not depend on how many candidates there are.

    Parameters
    ----------
    score, query
        float64 and int64 ascending, shape (n_candidates,).
    events
        float, shape (n_candidates,): ``log(n_j + 1)`` of each candidate's events.
    strength
        float64 >= 0, shape (n_queries,): b of each query.

    Examples
    --------
    >>> one = np.zeros(2, np.int64)
    >>> corrected(np.array([3.0, 1.0]), one, np.array([2.0, 0.0]), np.array([0.5])).tolist()
    [2.0, 1.0]
    """
    fine: np.ndarray = score - (strength * spreads(score, query, len(strength)))[query] * np.nan_to_num(events)
    return fine


def spreads(score: np.ndarray, query: np.ndarray, n: int) -> np.ndarray:
    """Standard deviation of the scores of each query's 100 best candidates: float64, shape (n,); 0 without any."""
    order = np.lexsort((-score, query))
    q = query[order]
    best = order[np.arange(len(q)) - np.searchsorted(q, q) < FIRST]
    of, value = query[best], score[best]
    count = np.maximum(np.bincount(of, minlength=n), 1)
    mean = np.bincount(of, weights=value, minlength=n) / count
    deviation: np.ndarray = np.sqrt(np.bincount(of, weights=(value - mean[of]) ** 2, minlength=n) / count)
    return deviation


def price_of(
    score: np.ndarray, query: np.ndarray, events: np.ndarray, taken: np.ndarray, relevant: np.ndarray, head: np.ndarray
) -> Price:
    """What every strength costs.

    Parameters
    ----------
    score, query, events
        As in ``corrected``.
    taken, head
        bool, shape (n_candidates,): wanted; of the head.
    relevant
        int64, shape (n_queries,): wanted items, candidates or not.
    """
    n, known = len(relevant), taken & head  # a wanted item of the head is as good as always a candidate
    wanted = np.bincount(query, weights=known, minlength=n).astype(np.int64)
    ndcg = []
    for strength in (0.0, *STRENGTHS):
        fine = corrected(score, query, events, np.full(n, strength))
        pairs = ((taken, relevant), (known, wanted))
        ndcg.append([mean_known(query_ndcg(fine, query, *pair)) for pair in pairs])
    before, after = np.array(ndcg[0]), np.array(ndcg[1:])
    lost = (before - after) / np.where(before > 0, before, 1.0)
    return Price(np.array(STRENGTHS), lost[:, 0], lost[:, 1])


def mean_known(values: np.ndarray) -> float:
    """Mean of what is no NaN; 0 of nothing.

    Examples
    --------
    >>> mean_known(np.array([1.0, np.nan])), mean_known(np.array([np.nan]))
    (1.0, 0.0)
    """
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0
