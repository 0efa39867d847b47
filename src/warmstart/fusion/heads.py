"""A head ranks the candidates of one state: a gate, perhaps a ranker on top, perhaps a single expert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from warmstart.errors import ConfigError
from warmstart.fusion.floor import Cell, judge, query_ndcg
from warmstart.fusion.gate import Gate, fit_gate
from warmstart.fusion.price import MOST, WAYS, Price, fame, price_of
from warmstart.fusion.ranker import FittedRanker, Ranker
from warmstart.fusion.samples import Samples
from warmstart.fusion.simulate import LONG, NEW, SHORT, UNMET

PLAIN = ("events", "recent_20", "expected", "unmet", "nearest_content", "nearest_people", "degree", "paths")
NOT_OF_UNMET = ("events", "recent_20", "unmet", "nearest_people", "links", "attributes.z", "attributes.rank")
LIST = 10
LEAST = 20  # queries to learn a head from, or to check one on


@dataclass(frozen=True)
class Head:
    """How one state is ranked: gate, ranker on top, history lengths handed to an expert; what the tail costs."""

    gate: Gate
    ranker: FittedRanker | None = None
    handed: dict[tuple[int, int], int] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)

    def score(self, features: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Scores of candidates; ``length`` int64 (n_candidates,) is the query's history length."""
        out = self.gate.score(features)
        if self.ranker is not None:
            out = out + self.ranker.score(features)
        for (low, high), column in self.handed.items():
            mine = (length >= low) & (length <= high)
            out[mine] = np.nan_to_num(features[mine, column], nan=-1e6)
        return out

    def ndcg(self, samples: Samples) -> np.ndarray:
        """NDCG@10 per query."""
        score = self.score(samples.features, samples.length[samples.query])
        return query_ndcg(score, samples.query, samples.taken, samples.relevant)

    def priced(self, samples: Samples, columns: Sequence[str]) -> dict[str, Price]:
        """What each way of making less known items rise costs for these queries, by its name.

        Nothing where they have too few candidates of the tail to tell, as people without history do: fewer than a list
        of ten takes, on average.
        """
        if samples.tail.sum() < LIST * len(samples.length):
            return {}
        samples = samples.part(np.arange(len(samples.length)) % -(-len(samples.length) // MOST) == 0)
        score = self.score(samples.features, samples.length[samples.query])
        events = samples.features[:, columns.index("events")]
        asked = (samples.taken, samples.relevant, samples.head)
        return {way: price_of(way, score, samples.query, fame(way, events, samples.tail), *asked) for way in WAYS}


@dataclass(frozen=True)
class HeadLearner:
    """Learns heads from simulated worlds, and chooses between them in worlds kept for checking.

    Two names have a meaning: the gate shrinks to the expert called ``popularity``, and ``attributes`` is not asked
    where nothing was ever met.

    Parameters
    ----------
    ridge
        Of the gate.
    ridge_thin
        Of the gate of queries with no event or few, strongest first: a weaker one must gain more than the standard
        error in the worlds kept for checking.
    anchor
        Weight of popularity (standardised) that the gate shrinks to where there is little to learn from.
    late_new
        Weights tried, for people without history, for queries asked after a cut of the clock, relative to those of
        people drawn from any time (``serves_both`` chooses, on all worlds).
    late_short
        The same weight for a short history, fixed.
    late_long
        Least and largest weight for a long history: an eighth of the number of such queries, for few are mostly noise.
    ranker
        LambdaMART on top of the gate, or None.
    ranker_least
        Taken candidates that the ranker needs to be tried at all.
    ranker_queries
        Most queries that it learns from.
    propensity
        a, in [0, 1]: a taken candidate counts ``p_j^-a`` with ``p_j`` in proportion to ``n_j^0.5``, so that items which
        few could meet speak as loudly as those that everybody meets; 0 = all count alike.
    seed
        Of their draw.
    """

    ridge: float = 30.0
    ridge_thin: tuple[float, ...] = (3000.0, 300.0, 30.0)
    anchor: float = 1.0
    late_new: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
    late_short: float = 0.3
    late_long: tuple[float, float] = (3.0, 10.0)
    ranker: Ranker | None = field(default_factory=Ranker)
    ranker_least: int = 10_000
    ranker_queries: int = 1500
    propensity: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.propensity <= 1:
            raise ConfigError(f"propensity={self.propensity:g} is not between 0 and 1; 0 counts all targets alike")
        if len(self.late_long) != 2 or not 0 <= self.late_long[0] <= self.late_long[1]:
            raise ConfigError(f"late_long={self.late_long} is no least and largest weight, 0 or more; (3, 10) is usual")

    def learn(self, state: str, samples: Samples, columns: Sequence[str]) -> tuple[Head | None, list[Cell]]:
        """The head of a state and the floor's table; no head from fewer than 20 queries with an answer."""
        samples = samples.part(samples.relevant > 0)
        if len(samples.length) < LEAST:
            return None, []
        every = np.ones(len(samples.check), bool)
        known = ~samples.check if (~samples.check).sum() >= LEAST else every
        seen, held = samples.part(known), samples.part(samples.check if samples.check.sum() >= LEAST else every)
        two_kinds = state == NEW and samples.late.any() and not samples.late.all()
        late = self.late_new if two_kinds else (self._late(state, samples),)
        ridge = self._ridge_thin(seen, held, columns, state, min(late)) if state in (NEW, SHORT) else self.ridge
        trials = [(used, w, ridge) for used in gate_columns(columns, state) for w in late]
        heads = [Head(self._gate(seen, columns, *trial)) for trial in trials]
        at = serves_both(heads, samples, columns) if two_kinds else plainest(heads, held)
        best = self._with_ranker(heads[at], seen, held, columns, trials[at][1]) if state in (SHORT, LONG) else heads[at]
        cells = self._judged(state, best, held, columns)
        handed = {(c.low, c.high): columns.index(f"{c.chosen}.z") for c in cells if c.chosen != "fusion"}
        prices = replace(best, handed=handed).priced(held, columns) if state != UNMET else {}
        if best.ranker is None:
            best = Head(self._gate(samples, columns, *trials[at]))
        return replace(best, handed=handed, prices=prices), cells

    def _late(self, state: str, samples: Samples) -> float:
        if state == SHORT:
            return self.late_short
        return float(np.clip(samples.late.sum() / 8, *self.late_long)) if state == LONG else 1.0

    def _judged(self, state: str, head: Head, held: Samples, columns: Sequence[str]) -> list[Cell]:
        """The floor's table; queries without history are handed over only if both kinds of them name one expert."""
        ndcg, experts = head.ndcg(held), alone(held, columns, state)
        cells = judge(state, held.length, ndcg, experts)
        if state != NEW or held.late.all() or not held.late.any():
            return cells
        kinds = []
        for k in (held.late, ~held.late):
            kinds.append(judge(state, held.length[k], ndcg[k], {name: v[k] for name, v in experts.items()}))
        agreed = {c.chosen for kind in kinds for c in kind}
        chosen = agreed.pop() if len(agreed) == 1 else "fusion"
        return [replace(c, chosen=chosen) for c in cells]

    def _ridge_thin(self, seen: Samples, held: Samples, columns: Sequence[str], state: str, late: float) -> float:
        used = gate_columns(columns, state)[0]
        heads = [Head(self._gate(seen, columns, used, late, ridge)) for ridge in self.ridge_thin]
        return self.ridge_thin[plainest(heads, held)]

    def _gate(self, samples: Samples, columns: Sequence[str], used: np.ndarray, late: float, ridge: float) -> Gate:
        anchor = np.array([self.anchor if columns[i] == "popularity.z" else 0.0 for i in used])
        importance = np.where(samples.late, late, 1.0)
        worth = self._worth(samples, columns)
        return fit_gate(samples.features, samples.query, samples.taken, importance, used, ridge, anchor, worth=worth)

    def _worth(self, samples: Samples, columns: Sequence[str]) -> np.ndarray | None:
        """How much each candidate counts where it was taken: float64, shape (n_candidates,); None = 1."""
        if not self.propensity:
            return None
        events = np.expm1(samples.features[:, columns.index("events")].astype(np.float64))
        worth: np.ndarray = np.maximum(events, 1.0) ** (-0.5 * self.propensity)
        return worth

    def _with_ranker(self, head: Head, seen: Samples, held: Samples, columns: Sequence[str], late: float) -> Head:
        """With LambdaMART on top, if it gains more than the standard error in the worlds kept for checking."""
        if self.ranker is None or seen.taken.sum() < self.ranker_least:
            return head
        part = np.zeros(len(seen.length), bool)
        part[np.random.default_rng(self.seed).permutation(len(part))[: self.ranker_queries]] = True
        some = seen.part(part)
        importance = np.where(some.late, late, 1.0)
        worth = self._worth(some, columns)
        boost = self.ranker.fit(some.features, some.query, some.taken, importance, head.gate, worth)
        heads = [head, replace(head, ranker=boost)]
        return heads[plainest(heads, held)]


def gate_columns(columns: Sequence[str], state: str) -> list[np.ndarray]:
    """Two choices for the gate: standardised scores and support; these and ranks.

    Examples
    --------
    >>> [used.tolist() for used in gate_columns(["a.raw", "a.z", "a.rank", "events"], "long")]
    [[1, 3], [1, 3, 2]]
    """
    barred = NOT_OF_UNMET if state == UNMET else ()
    plain = [i for i, c in enumerate(columns) if (c.endswith(".z") or c in PLAIN) and c not in barred]
    ranks = [i for i, c in enumerate(columns) if c.endswith(".rank") and c not in barred]
    return [np.array(plain), np.array(plain + ranks)]


def alone(samples: Samples, columns: Sequence[str], state: str) -> dict[str, np.ndarray]:
    """NDCG@10 per query of every expert that may speak in this state, by itself."""
    barred = NOT_OF_UNMET if state == UNMET else ()
    return {
        c[:-2]: query_ndcg(samples.features[:, i], samples.query, samples.taken, samples.relevant)
        for i, c in enumerate(columns)
        if c.endswith(".z") and c not in barred
    }


def gain(ndcg: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Mean difference per query, and its standard error; NaN queries do not count.

    Examples
    --------
    >>> gain(np.array([1.0, 3.0]), np.array([0.0, 0.0]))[0]
    2.0
    """
    difference = ndcg - other
    return float(np.nanmean(difference)), float(np.nanstd(difference) / np.sqrt(len(difference)))


def plainest(heads: Sequence[Head], held: Samples) -> int:
    """Position of the first head that no later one beats by more than the standard error of the difference."""
    best = 0
    for i in range(1, len(heads)):
        mean, error = gain(heads[i].ndcg(held), heads[best].ndcg(held))
        best = i if mean > error else best
    return best


def serves_both(heads: Sequence[Head], samples: Samples, columns: Sequence[str]) -> int:
    """Position of the head with the largest product of NDCG for late queries and for the others.

    A random person of the past and the next one to come want different things, and events do not show who will
    ask. So both count, as ratios; and a head that ranks for the others worse than their best expert, by more than
    two standard errors of the paired difference, is out (if all are, the best for the others is taken).
    """
    early, late = samples.part(~samples.late), samples.part(samples.late)
    experts = alone(early, columns, NEW)
    floor = max(experts.values(), key=np.nanmean)
    ndcg = [h.ndcg(early) for h in heads]
    gaps = [gain(v, floor) for v in ndcg]
    fair = [i for i, (mean, error) in enumerate(gaps) if mean >= -2 * error]
    if not fair:
        return int(np.argmax([mean for mean, _ in gaps]))
    return max(fair, key=lambda i: float(np.nanmean(ndcg[i]) * np.nanmean(heads[i].ndcg(late))))
