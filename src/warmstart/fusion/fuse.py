"""Fusion: who is trusted how far, in which state; learned in simulated worlds, checked in others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.base import Expert
from warmstart.experts.panel import Panel, Progress
from warmstart.fusion.evidence import Support, candidates, columns_of, evidence
from warmstart.fusion.floor import Cell, judge, query_ndcg
from warmstart.fusion.gate import Gate, fit_gate
from warmstart.fusion.ranker import FittedRanker, Ranker
from warmstart.fusion.samples import Samples, collect, concatenate
from warmstart.fusion.simulate import LONG, NEW, SHORT, STATES, TYPED, UNMET, Episode, balanced, episodes, state_of

PLAIN = ("events", "recent_20", "expected", "unmet", "nearest_content", "nearest_people")
NOT_OF_UNMET = ("events", "recent_20", "unmet", "nearest_people", "links")
FALLBACK = {LONG: SHORT, SHORT: LONG, NEW: SHORT, TYPED: UNMET, UNMET: SHORT}


@dataclass(frozen=True)
class Fusion:
    """Hyper-parameters of the fusion.

    Parameters
    ----------
    top
        Candidates each expert puts forward.
    queries
        Most queries of a state in a simulated world.
    ridge
        Of the gate.
    late_new, late_long
        Weight of a query asked after a cut of the clock, among queries without history and with a long one.
    ranker_least
        Taken candidates that the ranker needs to be tried at all.
    ranker
        LambdaMART on top of the gate, or None.
    """

    top: int = 60
    queries: int = 1500
    ridge: float = 30.0
    late_new: float = 0.7
    late_long: float = 3.0
    ranker_least: int = 10_000
    ranker: Ranker | None = field(default_factory=Ranker)
    seed: int = 0

    def fit(self, experts: Mapping[str, Expert], data: Dataset, progress: Progress | None = None) -> FittedFusion:
        """Simulate, fit the experts in each world, and learn a gate (and ranker) for each state."""
        worlds = list(episodes(data, self.seed))
        last = {w.kind: i for i, w in enumerate(worlds)}
        gathered: dict[str, list[Samples]] = {s: [] for s in STATES}
        columns: list[str] = []
        for i, world in enumerate(worlds):
            if progress:
                progress("simulating sparsity", i, len(worlds))
            world = balanced(world, self.queries, self.seed + i)
            panel, support = Panel.fit(experts, world.train), Support.fit(world.train)
            columns = columns_of(panel.experts, panel.flat)
            self._gather(world, panel, support, i == last[world.kind], gathered)
            worlds[i] = None  # type: ignore[call-overload]
        heads, cells = {}, []
        for n, (state, parts) in enumerate(gathered.items()):
            if progress:
                progress("learning whom to trust", n, len(gathered))
            if parts:
                head, judged = self._learn(state, concatenate(parts), columns)
                cells += judged
                if head is not None:
                    heads[state] = head
        return FittedFusion(self.top, tuple(columns), heads, cells)

    def _gather(
        self, world: Episode, panel: Panel, support: Support, check: bool, gathered: dict[str, list[Samples]]
    ) -> None:
        for state in STATES:
            samples = collect(world, state, panel, support, self.top, check)
            if samples is not None:
                gathered[state].append(samples)

    def _learn(self, state: str, samples: Samples, columns: list[str]) -> tuple[Head | None, list[Cell]]:
        """Choose between gates, with or without ranker, in the worlds kept for checking."""
        samples = samples.part(samples.relevant > 0)
        if len(samples.length) < 20:
            return None, []
        importance = np.where(samples.late, {NEW: self.late_new, LONG: self.late_long}.get(state, 1.0), 1.0)
        known = ~samples.check if (~samples.check).sum() >= 20 else np.ones(len(importance), bool)
        seen, held = samples.part(known), samples.part(samples.check if samples.check.any() else known)
        trials: list[Head] = []
        for names in gate_columns(columns, state):
            trials.append(Head(fit_gate(seen.features, seen.query, seen.taken, importance[known], names, self.ridge)))
        best = self._best(trials, held)
        enough = seen.taken.sum() >= self.ranker_least
        if self.ranker is not None and enough and state not in (UNMET, TYPED):
            part = np.zeros(len(seen.length), bool)
            part[np.random.default_rng(self.seed).permutation(len(part))[: self.queries]] = True
            some = seen.part(part)
            boost = self.ranker.fit(some.features, some.query, some.taken, importance[known][part], best.gate)
            boosted = Head(best.gate, boost)
            gain = boosted.ndcg(held) - best.ndcg(held)
            if np.nanmean(gain) > np.nanstd(gain) / np.sqrt(len(gain)):
                best = boosted
        experts = {
            c[:-2]: query_ndcg(held.features[:, i], held.query, held.taken, held.relevant)
            for i, c in enumerate(columns)
            if c.endswith(".z")
        }
        cells = judge(state, held.length, best.ndcg(held), experts)
        if best.ranker is None:
            gate = fit_gate(samples.features, samples.query, samples.taken, importance, best.gate.columns, self.ridge)
            best = Head(gate)
        handed = {(c.low, c.high): columns.index(f"{c.chosen}.z") for c in cells if c.chosen != "fusion"}
        return Head(best.gate, best.ranker, handed), cells

    @staticmethod
    def _best(trials: list[Head], held: Samples) -> Head:
        """The plainest head that none beats by more than the standard error of the difference."""
        best = trials[0]
        for other in trials[1:]:
            gain = other.ndcg(held) - best.ndcg(held)
            if np.nanmean(gain) > np.nanstd(gain) / np.sqrt(len(gain)):
                best = other
        return best


def gate_columns(columns: list[str], state: str) -> list[np.ndarray]:
    """Two choices for the gate: standardised scores and support; these and ranks."""
    barred = NOT_OF_UNMET if state == UNMET else ()
    plain = [i for i, c in enumerate(columns) if (c.endswith(".z") or c in PLAIN) and c not in barred]
    return [np.array(plain), np.array(plain + [i for i, c in enumerate(columns) if c.endswith(".rank")])]


@dataclass(frozen=True)
class Head:
    """How one state is ranked: gate, ranker on top, and history lengths handed to a single expert."""

    gate: Gate
    ranker: FittedRanker | None = None
    handed: dict[tuple[int, int], int] = field(default_factory=dict)

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


@dataclass(frozen=True)
class FittedFusion:
    """Ranks candidates; the heads by state, and the table the floor was judged by."""

    top: int
    columns: tuple[str, ...]
    heads: dict[str, Head]
    cells: list[Cell]

    def head(self, state: str) -> Head | None:
        """The head of a state, or of the state nearest to it."""
        if state in self.heads:
            return self.heads[state]
        nearest = FALLBACK[state]
        return self.heads.get(nearest, next(iter(self.heads.values()), None))

    def rank(
        self, panel: Panel, support: Support, h: Histories, allowed: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Best ``k`` allowed items of each query.

        Returns
        -------
        tuple
            item int32 (n_queries, k), -1 = none left; score float64, same shape; lead int64, same shape:
            position in ``panel.experts`` of the expert that ranks the item highest.
        """
        scores = panel.score(h)
        query, item = candidates(scores, allowed, max(self.top, k))
        features = evidence(scores, panel.flat, support, h, query, item, allowed)
        value = np.zeros(len(query))
        states = states_of(h, allowed, support)
        for state in np.unique(states):
            mine = np.flatnonzero(states[query] == state)
            head = self.head(str(state))
            if head is None:
                value[mine] = np.nan_to_num(features[mine, 0], nan=-1e6)
            else:
                value[mine] = head.score(features[mine], h.lengths[query[mine]])
        z = [i for i, c in enumerate(self.columns) if c.endswith(".z")]
        lead = np.nan_to_num(features[:, z], nan=-np.inf).argmax(1) if len(query) else np.zeros(0, int)
        return top_rows(len(h), k, query, item, value, lead)


def states_of(h: Histories, allowed: np.ndarray, support: Support) -> np.ndarray:
    """State of each query: by its history, whether it has words, and whether anything allowed was ever met."""
    unmet = ~(allowed & (support.item[:, 0] > 0)).any(1)
    states = np.array([state_of(int(n)) for n in h.lengths], dtype=object)
    if h.vectors is not None:
        states[(h.lengths == 0) & h.vectors.any(1)] = TYPED
    states[unmet & (states != NEW)] = UNMET
    return states


def top_rows(
    n: int, k: int, query: np.ndarray, item: np.ndarray, value: np.ndarray, lead: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort candidates within queries, best first, and cut at k; padded with -1."""
    order = np.lexsort((item, -value, query))
    q = query[order]
    rank = np.arange(len(q)) - np.searchsorted(q, q)
    keep = rank < k
    items, values, leads = np.full((n, k), -1, np.int32), np.full((n, k), -np.inf), np.zeros((n, k), np.int64)
    at = (q[keep], rank[keep])
    items[at], values[at], leads[at] = item[order][keep], value[order][keep], lead[order][keep]
    return items, values, leads
