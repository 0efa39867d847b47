"""Segments: people who take alike, and what the people of one's segment take; for users with few events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.sample import sampled
from warmstart.errors import ConfigError
from warmstart.experts.attributes import LEAST_PEOPLE, shares
from warmstart.experts.clusters import KMEANS, METHODS, cluster, main_directions, settled
from warmstart.experts.people_vectors import interest_vectors, newest_first
from warmstart.experts.popularity import FittedPopularity, Popularity
from warmstart.experts.segment_choice import Later, later_events
from warmstart.experts.segment_rates import content_lift, likelier, taken
from warmstart.experts.sequence import SequenceTransformer
from warmstart.text.whiten import unit_rows

MOST = 256  # segments
CELLS = 50_000_000  # items times segments, at most: a table of them is held several times
PEOPLE = 10  # a segment, at least, on the average
FALLS = 2  # numbers of segments that must disappoint before no larger one is tried


@dataclass(frozen=True)
class Segments:
    """What the people of one's segment take: ``score_j = log sum_s p(s | history) P(j | s)``.

    People are clustered by their interest vectors (``interest_vectors``: content and company of what they take, what
    is common to all taken out). ``P(j | s) = (n_sj + shape q_sj) / (n_s + shape)``: events of the segment's people, the
    newer ones of each weighing more, shrunk to what is expected, ``q_sj ~ p_j exp(z_j a_s)``, everybody's rate times
    what the item's content says of the segment; an item nobody met has q alone. The history tells its segment as in
    naive Bayes, ``p(s | history) ~ n_s (prod_i P'(i | s))^(temper / sqrt(n))``, P' with all events alike, n items in
    the history: they are no independent witnesses, and prove as much as the root of their number.

    People are held out and cut to their first 1, 3, 5 and 10 events: the number of segments is the one under which
    their later events are likeliest, doubled until that gets worse twice; the temper the one that ranks these best, by
    NDCG@10. No segment rests on fewer than ``least`` people, and no person's vector is kept.

    Parameters
    ----------
    numbers
        Numbers of segments that are tried; empty = 2, 4, 8 ..., at most 256, and ten people a segment.
    tempers
        Tempers that are tried, in (0, 1].
    method
        "kmeans", or "hdbscan" (see ``cluster``), whose people in no cluster are one segment more.
    least
        People a segment, at least; 5 or more.
    half_life
        Share of a person's own history after which an event weighs half; 0 = all weigh the same.
    shape
        Events of what is expected, added to each segment.
    ridge
        Of the map from features to what content says, in items of mean count.
    sequence
        A transformer whose state after the newest event is joined to the interest vectors; it is fitted with the
        segments. None = without.
    people
        People whom segments are found among at most; of more, so many stand for all (``data.sample.some_people``).
    seed
        Of clusters and of the people drawn.

    References
    ----------
    T. Hofmann, J. Puzicha, Latent Class Models for Collaborative Filtering, IJCAI 1999; here classes come of clusters,
    as further steps of EM were measured to bring nothing.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters(seed=0)
    >>> scores = Segments().fit(data).score(data.histories(np.array([0])))
    >>> int(np.argmax(scores[0])) % 4  # of the user's own theme
    0
    """

    numbers: tuple[int, ...] = ()
    tempers: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 1.0)
    method: str = KMEANS
    least: int = LEAST_PEOPLE
    half_life: float = 0.5
    shape: float = 300.0
    ridge: float = 10.0
    sequence: SequenceTransformer | None = field(default=None, metadata={"class": SequenceTransformer})
    people: int = 100_000
    seed: int = 0

    def __post_init__(self) -> None:
        if any(type(k) is not int or k < 1 for k in self.numbers):
            raise ConfigError(f"numbers={self.numbers} must be whole and 1 or more, e.g. (8, 16, 32)")
        if not self.tempers or not all(0 < t <= 1 for t in self.tempers):
            raise ConfigError(f"tempers={self.tempers} must be above 0 and at most 1, e.g. (0.1, 0.3, 1.0)")
        if self.method not in METHODS:
            raise ConfigError(f"method={self.method!r} is unknown; use {' or '.join(METHODS)}")
        if self.people < self.least:
            raise ConfigError(f"people={self.people} are fewer than a segment needs, {self.least}; 100000 is usual")
        if self.least < LEAST_PEOPLE:
            raise ConfigError(f"least={self.least}: segments of fewer than {LEAST_PEOPLE} people tell of single ones")
        if not (self.half_life >= 0 and self.shape > 0 and self.ridge > 0):
            raise ConfigError(
                f"half_life={self.half_life:g}, shape={self.shape:g}, ridge={self.ridge:g}: they must be 0 or more, "
                "above 0, above 0; 0.5, 300 and 10 are usual"
            )

    def fit(self, data: Dataset) -> FittedSegments | None:
        """Choose the number of segments, then find them; None of fewer people with events than a segment needs."""
        x = sampled(data.interactions, self.people, self.seed)
        data = data if x is data.interactions else data.with_interactions(x)
        people = int((x.user_counts() > 0).sum())
        if people < self.least:
            return None
        k, temper = self._chosen(data, people)
        return replace(self._found(data, self.vectors(data), k), temper=temper)

    def vectors(self, data: Dataset) -> np.ndarray:
        """Interest vectors of all people: float32, shape (n_users, d)."""
        v = interest_vectors(data, self.half_life)
        fitted = None if self.sequence is None else self.sequence.fit(data)
        if fitted is not None:
            states = fitted.states(data.histories(np.arange(data.n_users)))
            centred = np.nan_to_num(states - np.nanmean(states, axis=0))
            v = np.hstack([v, unit_rows(centred) * np.linalg.norm(v, axis=1, keepdims=True)])
        return v.astype(np.float32)

    def tried(self, people: int, items: int = 1) -> tuple[int, ...]:
        """Numbers of segments that are tried for so many people and items.

        Examples
        --------
        >>> Segments().tried(943), Segments().tried(12), Segments(numbers=(7,)).tried(943)
        ((2, 4, 8, 16, 32, 64), (1,), (7,))
        """
        most = min(MOST, people // PEOPLE, max(1, CELLS // max(items, 1)))
        return self.numbers or tuple(2**i for i in range(1, MOST) if 2**i <= most) or (1,)

    def _chosen(self, data: Dataset, people: int) -> tuple[int, float]:
        """Number of segments and temper; the first of each where nobody can be held out."""
        tried, x = self.tried(people, data.n_items), data.interactions
        held, later = later_events(x, self.seed)
        if (len(tried) == 1 and len(self.tempers) == 1) or not len(later) or people - held.sum() < self.least:
            return tried[0], self.tempers[0]
        train = data.with_interactions(x.select(~held[x.user]))
        k, found = self._numbered(train, tried, later)
        return k, max(self.tempers, key=lambda t: later.ndcg(replace(found, temper=t)))

    def _numbered(self, train: Dataset, tried: tuple[int, ...], later: Later) -> tuple[int, FittedSegments]:
        """The number under which what came later is likeliest, at its best temper, and the segments found."""
        vectors, best, falls = self.vectors(train), -np.inf, 0
        chosen: tuple[int, FittedSegments] | None = None
        for k in tried:
            found = self._found(train, vectors, k)
            value = max(later.likelihood(replace(found, temper=t)) for t in self.tempers)
            falls = falls + 1 if value <= best else 0
            if value > best or chosen is None:
                best, chosen = value, (k, found)
            if falls == FALLS:
                break
        assert chosen is not None
        return chosen

    def _found(self, data: Dataset, vectors: np.ndarray, k: int) -> FittedSegments:
        """Cluster and count; where no cluster is large enough, all people are one segment."""
        people = np.flatnonzero(data.interactions.user_counts())
        labels = settled(cluster(main_directions(vectors[people]), k, self.method, self.seed), self.least)
        segment = np.full(data.n_users, -1)
        segment[people] = labels if labels.max() >= 0 else 0
        return FittedSegments.of(data, segment, self)


@dataclass(frozen=True, eq=False)
class FittedSegments:
    """Segments, and what their people take.

    Parameters
    ----------
    told
        float32, shape (n_items, k): log P'(item | segment), by which a history tells its segment.
    rates
        float32, shape (n_items, k): P(item | segment), newer events weighing more.
    events
        float64, shape (k,): events of each segment.
    people
        int64, shape (k,): how many each rests on, 5 or more.
    lift
        float32, shape (d, k): what features say of an item's rates; no rows without features.
    norm
        float64, shape (k,): sums that make expected rates add up to 1.
    weight
        float64, shape (2, k): part of what is expected in ``told`` and in ``rates``.
    expected
        Everybody's rates.
    temper
        How far a history of one item is believed, in (0, 1].
    """

    told: np.ndarray
    rates: np.ndarray
    events: np.ndarray
    people: np.ndarray
    lift: np.ndarray
    norm: np.ndarray
    weight: np.ndarray
    expected: FittedPopularity
    temper: float

    @classmethod
    def of(cls, data: Dataset, segment: np.ndarray, settings: Segments) -> FittedSegments:
        """Count what each segment takes, int64 (n_users,), -1 = in none; at a temper of 1."""
        size, x, shape = np.bincount(segment[segment >= 0]), data.interactions, settings.shape
        alike, newer = (taken(x, segment, len(size), newest_first(x, h)) for h in (0.0, settings.half_life))
        expected = Popularity().fit(data)
        share, lift = shares(expected.scores, 1), np.zeros((0, len(size)), np.float32)
        if data.features is not None:
            lift = content_lift(data.features, alike, share / share.sum(), settings.ridge)
        likely = share[:, None] * likelier(data.features, lift, len(share))
        norm = likely.sum(0)
        weight = np.stack([shape / (n.sum(0) + shape) for n in (alike, newer)])
        told, rates = (n * (w / shape) + likely * (w / norm) for n, w in zip((alike, newer), weight, strict=True))
        return cls(
            told=np.log(told).astype(np.float32),
            rates=rates.astype(np.float32),
            events=alike.sum(0),
            people=size,
            lift=lift,
            norm=norm,
            weight=weight,
            expected=expected,
            temper=1.0,
        )

    def posterior(self, histories: Histories) -> np.ndarray:
        """p(segment | history): float64, shape (n_queries, k); of an empty history the segments' share of events."""
        x = histories.sets
        believed = self.temper / np.sqrt(np.maximum(np.diff(x.indptr), 1))
        told = believed[:, None] * np.asarray(x @ self.told, np.float64) + np.log(self.events + 1e-9)
        likely = np.exp(told - told.max(axis=1, keepdims=True))
        out: np.ndarray = likely / likely.sum(axis=1, keepdims=True)
        return out

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items), log of a probability; NaN for an empty history."""
        scores: np.ndarray = np.log(self.posterior(histories).astype(np.float32) @ self.rates.T)
        scores[histories.lengths == 0] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """New items are as likely as everybody's rates and their content make them."""
        expected = self.expected.grow(features)
        share = shares(expected.scores, 1)[len(self.rates) :]
        q = share[:, None] * likelier(features, self.lift, len(share)) / self.norm
        told, rates = ((w * q).astype(np.float32) for w in self.weight)
        return replace(
            self, told=np.vstack([self.told, np.log(told)]), rates=np.vstack([self.rates, rates]), expected=expected
        )
