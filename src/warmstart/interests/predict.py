"""What a person's next events will be about: shares of concepts, foreseen from a history, and items ranked by them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError
from warmstart.interests.members import Membership
from warmstart.interests.profile import event_weights

LEAST = 8  # events of a person from whom what follows what is learned
BLOCK = 4096  # items whose distances to all centres are held at once


@dataclass(frozen=True)
class PredictSettings:
    """How shares of the next events follow from a history.

    Parameters
    ----------
    half_life
        Share of a person's own history, counted in events, after which an event weighs half; 0 = all weigh the same.
    own
        How much the person's own shares count beside what the map makes of them, in [0, 1]; 1 = no map is learned.
    ridge
        Of the map, in units of the mean variance of its inputs; above 0.
    """

    half_life: float = 0.2
    own: float = 0.5
    ridge: float = 1.0

    def __post_init__(self) -> None:
        if not (self.half_life >= 0 and 0 <= self.own <= 1 and self.ridge > 0):
            raise ConfigError(
                f"half_life={self.half_life:g}, own={self.own:g}, ridge={self.ridge:g}: they must be 0 or more, "
                "0 to 1, above 0; 0.2, 0.5 and 1 are usual"
            )


def closeness(vectors: np.ndarray, members: Membership, nearest: int = 10, width: float = 0.2) -> sp.csr_matrix:
    """How much each item belongs to the finest concepts around it: an item between two belongs to both.

    ``w_jc`` is proportional to ``exp(-(d_jc - min_c d_jc) / (width d))`` over the concepts whose centres lie nearest,
    with d_jc the squared distance to the centre of c and d the mean of all of these.

    Parameters
    ----------
    vectors
        float32, shape (n_items, d): fused vectors, of ``Concepts.vectors``.
    members
        The concepts; those of the finest level are meant.
    nearest
        Concepts an item belongs to at most.
    width
        How soft the borders are; towards 0 an item belongs to the nearest alone.

    Returns
    -------
    float64 CSR, shape (n_items, n_finest), rows sum to 1; columns in the order of ``members.at(members.levels - 1)``.
    """
    inside = members.weights[:, members.at(members.levels - 1)]
    size = np.maximum(np.asarray(inside.sum(0)).ravel(), 1e-9)
    centres = np.asarray(inside.T @ vectors) / size[:, None]
    k = min(nearest, len(centres))
    near, far, total = np.empty((len(vectors), k), np.int64), np.empty((len(vectors), k)), 0.0
    for start in range(0, len(vectors), BLOCK):
        rows = vectors[start : start + BLOCK].astype(np.float64)
        d = (rows**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * rows @ centres.T
        near[start : start + BLOCK] = np.argsort(d, axis=1, kind="stable")[:, :k]
        far[start : start + BLOCK] = np.take_along_axis(d, near[start : start + BLOCK], 1)
        total += float(d.sum())
    mean = max(total / max(len(vectors) * len(centres), 1), 1e-12)
    weight = np.exp(-(far - far[:, :1]) / (width * mean))
    weight /= weight.sum(1, keepdims=True)
    rows_of = np.arange(len(vectors) + 1) * k
    return sp.csr_matrix((weight.ravel(), near.ravel(), rows_of), shape=(len(vectors), len(centres)))


@dataclass(frozen=True, eq=False)
class NextShares:
    """Shares of concepts among a person's next events, and the items that these make likely.

    ``q(u) = own h(u) + (1 - own) [m + (sqrt h(u) - r) W]``, h the shares of the concepts in the history, newer events
    weighing more. W is learned from everybody: a ridge regression from the shares of the older three quarters of a
    history to those of its newest quarter, so that a concept which others take next is foreseen before the first event
    in it. Roots even out that few concepts are taken often.

    Parameters
    ----------
    belongs
        float64 CSR, shape (n_items, n_concepts): how much each item belongs to each concept; rows sum to 1, or to 0
        where nothing is known.
    given
        float64 CSR, shape (n_concepts, n_items): P(item | concept), by everybody's events; rows sum to 1.
    common
        float64, shape (n_concepts,): shares of everybody's events, for somebody without any.
    weights, roots, mean
        W, r and m; weights of shape (0, 0) where no map was learned.
    settings
        Decay and mixture.
    """

    belongs: sp.csr_matrix
    given: sp.csr_matrix
    common: np.ndarray
    weights: np.ndarray
    roots: np.ndarray
    mean: np.ndarray
    settings: PredictSettings

    @classmethod
    def fit(cls, x: Interactions, belongs: sp.csr_matrix, settings: PredictSettings | None = None) -> NextShares:
        """Learn what follows what from everybody's events.

        Parameters
        ----------
        x
            Events.
        belongs
            float, shape (n_items, n_concepts): rows sum to 1 (or to 0), e.g. of ``closeness``.
        settings
            Decay, mixture and ridge.
        """
        asked, belongs = settings or PredictSettings(), sp.csr_matrix(belongs, dtype=np.float64)
        events = np.maximum(x.item_counts(), 0.5)  # of an item nobody met: half an event
        mass = sp.csr_matrix(belongs.T @ sp.diags(events))
        size = np.asarray(mass.sum(1)).ravel()
        given = sp.csr_matrix(sp.diags(1 / np.maximum(size, 1e-12)) @ mass)
        common, people = size / max(float(size.sum()), 1e-12), np.flatnonzero(x.user_counts() >= LEAST)
        weights, roots, mean = np.empty((0, 0)), np.empty(0), np.empty(0)
        if asked.own < 1 and len(people):
            weights, roots, mean = _follow(x, belongs, people, asked)
        return cls(belongs, given, common, weights, roots, mean, asked)

    def shares(self, histories: Histories) -> np.ndarray:
        """Shares of the concepts among the next events: float64, shape (n_queries, n_concepts), rows sum to 1.

        Somebody of whose events no concept is known is foreseen to take what everybody takes.
        """
        own = np.asarray((decayed(histories, self.settings.half_life) @ self.belongs).todense())
        mute = own.sum(1) <= 0
        if len(self.weights):
            foreseen = np.maximum(self.mean + (np.sqrt(own) - self.roots) @ self.weights, 0.0)
            own = self.settings.own * _whole(own) + (1 - self.settings.own) * _whole(foreseen)
        own[mute] = self.common
        return _whole(own)

    def likely(self, histories: Histories) -> np.ndarray:
        """P(item) of the next events by these shares: float64, shape (n_queries, n_items), rows sum to 1."""
        return self.items(self.shares(histories))

    def items(self, shares: np.ndarray) -> np.ndarray:
        """P(item) = sum over concepts of share times P(item | concept): float64, shape (n_queries, n_items)."""
        likely: np.ndarray = (self.given.T @ shares.T).T
        return np.ascontiguousarray(likely)


def decayed(h: Histories, half_life: float) -> sp.csr_matrix:
    """Histories as rows that sum to 1, newer events weighing more: float64 CSR, shape (n_queries, n_items).

    Examples
    --------
    >>> decayed(Histories.of([[0, 1], []], 2), half_life=0.5).toarray().round(2).tolist()
    [[0.33, 0.67], [0.0, 0.0]]
    """
    weights = [event_weights(int(n), half_life) for n in h.lengths]
    data = np.concatenate([w / w.sum() for w in weights if len(w)]) if h.lengths.sum() else np.empty(0)
    return sp.csr_matrix((data, h.item.copy(), h.indptr.copy()), shape=(len(h), h.n_items))


def _follow(
    x: Interactions, belongs: sp.csr_matrix, people: np.ndarray, asked: PredictSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W, r and m of ``NextShares``."""
    counts = x.user_counts()
    ends = np.cumsum(counts)
    cut = ends - np.maximum(counts // 4, 1)
    before = Histories.of_rows(x, (ends - counts)[people], cut[people])
    after = Histories.of_rows(x, cut[people], ends[people])
    a = np.sqrt(np.asarray((decayed(before, asked.half_life) @ belongs).todense()))
    b = np.asarray((decayed(after, 0.0) @ belongs).todense())
    roots, mean = a.mean(0), b.mean(0)
    gram = (a - roots).T @ (a - roots)
    ridge = max(asked.ridge * float(np.trace(gram)) / len(gram), 1e-9)
    weights = np.linalg.solve(gram + ridge * np.eye(len(gram)), (a - roots).T @ (b - mean))
    return weights, roots, mean


def _whole(rows: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = rows / np.maximum(rows.sum(1, keepdims=True), 1e-12)
    return scaled
