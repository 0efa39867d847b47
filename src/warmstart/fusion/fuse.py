"""Fusion: who is trusted how far, in which state; learned in simulated worlds, checked in others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.base import Expert, Slow
from warmstart.experts.panel import Panel, Progress
from warmstart.experts.silent import Silent
from warmstart.fusion.able import able, world_panel
from warmstart.fusion.asking import Asking
from warmstart.fusion.evidence import columns_of, evidence
from warmstart.fusion.floor import Cell
from warmstart.fusion.heads import Head, HeadLearner
from warmstart.fusion.samples import Samples, collect, concatenate
from warmstart.fusion.scores import Scores
from warmstart.fusion.simulate import LONG, NEW, SHORT, STATES, TYPED, UNMET, Episode, balanced, state_of
from warmstart.fusion.support import Support
from warmstart.fusion.worlds import episodes

WIDE, LEAST = 25_000, 200  # items beyond which fewer queries are asked; so many are asked in any case
SPARE = 2  # people asked for each query that is kept: what some took is hidden, or was in their history
FALLBACK = {LONG: SHORT, SHORT: LONG, NEW: SHORT, TYPED: UNMET, UNMET: SHORT}


@dataclass(frozen=True)
class Fusion:
    """Hyper-parameters of the fusion.

    Parameters
    ----------
    top
        Candidates each expert puts forward.
    large, sample
        See ``Asking``.
    queries
        Most queries of a state in a simulated world; of more than 25,000 items fewer, see ``asked``.
    people
        People whose events simulated worlds are made of, at most: of more, so many are drawn (``some_people``).
    heads
        How a state learns to rank.
    graph
        Whether the degree of a candidate in the graph, and what ties it to the history there, are among what it learns
        from, where there is a graph.
    seed
        Of the simulated worlds.
    """

    top: int = 60
    large: int = 10_000
    sample: int = 1_024
    queries: int = 1500
    people: int = 100_000
    heads: HeadLearner = field(default_factory=HeadLearner)
    graph: bool = True
    seed: int = 0

    def fit(self, experts: Mapping[str, Expert], data: Dataset, progress: Progress | None = None) -> FittedFusion:
        """Simulate, fit the experts in each world, and learn a gate (and ranker) for each state."""
        experts = able(experts, data)
        gathered, columns, spoke = self._simulated(experts, data, progress)
        if gathered and any(n not in spoke for n, e in experts.items() if isinstance(e, Slow)):
            return self.fit({n: e for n, e in experts.items() if n in spoke or not isinstance(e, Slow)}, data, progress)
        heads, cells = {}, []
        for n, state in enumerate(STATES):
            if progress:
                progress("learning whom to trust", n, len(STATES))
            if gathered.get(state):
                head, judged = self.heads.learn(state, concatenate(gathered.pop(state)), columns)
                cells += judged
                if head is not None:
                    heads[state] = head
        return FittedFusion(self.asking, tuple(columns), heads, cells)

    def asked(self, n_items: int) -> int:
        """Most queries of a state in a world of so many items, as each is held against all of them; 200 at least.

        Examples
        --------
        >>> Fusion().asked(25_000), Fusion().asked(100_000), Fusion().asked(1_000_000)
        (1500, 375, 200)
        """
        return min(self.queries, max(self.queries * WIDE // max(n_items, 1), LEAST))

    def _simulated(
        self, experts: Mapping[str, Expert], data: Dataset, progress: Progress | None
    ) -> tuple[dict[str, list[Samples]], list[str], set[str]]:
        """What is learned from, by state (nothing without worlds); its columns; and the experts that spoke in any."""
        queries = self.asked(data.n_items)
        made = episodes(data, self.seed, self.people, SPARE * queries)
        worlds = [world for world in made if len(world.train.interactions)]
        last = {w.kind: i for i, w in enumerate(worlds)}
        graph = self.graph and data.graph is not None and len(data.graph) > 0
        whole = Panel({}) if worlds else Panel.fit(experts, data)
        gathered, columns = dict[str, list[Samples]](), columns_of(whole.experts, whole.flat, graph)
        many, spoke = len(worlds), set[str]()
        for i in range(many):
            if progress:
                progress("simulating sparsity", i, many)
            world = balanced(worlds.pop(0), queries, self.seed + i)
            panel, support = world_panel(experts, world), Support.fit(world.train, graph=self.graph)
            spoke |= {n for n, e in panel.experts.items() if not isinstance(e, Silent)}
            found = columns_of(panel.experts, panel.flat, graph)
            if len(found) < len(columns):
                continue  # a world in which an expert had nothing to learn from
            if len(found) > len(columns) or not gathered:
                gathered, columns = {s: [] for s in STATES}, found
            self._gather(world, panel, support, i == last[world.kind], gathered)
        return gathered, columns, spoke

    @property
    def asking(self) -> Asking:
        """How experts are asked."""
        return Asking(self.top, self.large, self.sample)

    def _gather(
        self, world: Episode, panel: Panel, support: Support, check: bool, gathered: dict[str, list[Samples]]
    ) -> None:
        for state in STATES:
            samples = collect(world, state, panel, support, self.asking, check)
            if samples is not None:
                gathered[state].append(samples)


@dataclass(frozen=True)
class FittedFusion:
    """Ranks candidates; the heads by state, and the table the floor was judged by."""

    asking: Asking
    columns: tuple[str, ...]
    heads: dict[str, Head]
    cells: list[Cell]

    def heard(self, panel: Panel) -> Panel:
        """The experts that the fusion has met; one that learned something in no simulated world is left out."""
        return Panel({n: e for n, e in panel.experts.items() if f"{n}.z" in self.columns})

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
        return top_rows(len(h), k, *self.weighed(panel, support, h, allowed, k))

    def weighed(
        self,
        panel: Panel,
        support: Support,
        h: Histories,
        allowed: np.ndarray,
        k: int,
        besides: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All candidates of each query with their scores, in no order of rank.

        Parameters
        ----------
        k
            Each expert puts forward its best ``max(top, k)``.
        besides
            bool, shape (n_items,): items of which each expert puts forward its best ``top`` as well; None = none.

        Returns
        -------
        tuple
            query int64 ascending, item int64, score float64, lead int64, each of shape (n_candidates,).
        """
        scores, top = self.asking.scores(panel, h, allowed), self.asking.top
        query, item = scores.candidates(max(top, k))
        if besides is not None:
            query, item = united((query, item), scores.candidates(top, besides), allowed.shape[1])
        return query, item, *self._led(scores, panel, support, h, query, item, allowed)

    def among(
        self, panel: Panel, support: Support, h: Histories, allowed: np.ndarray, few: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All items of small pools with the scores they have among all items; returns what ``weighed`` does.

        Scores are standardised over what is allowed, which means little where that is a handful.

        Parameters
        ----------
        few
            bool, shape (n_queries, n_items): the pools, within ``allowed``.
        """
        scores = self.asking.scores(panel, h, allowed)
        at, which = np.nonzero(few)
        query, item = united(scores.candidates(self.asking.top), (at, which), allowed.shape[1])
        value, lead = self._led(scores, panel, support, h, query, item, allowed)
        mine = few[query, item]
        return query[mine], item[mine], value[mine], lead[mine]

    def _led(
        self,
        scores: Scores,
        panel: Panel,
        support: Support,
        h: Histories,
        query: np.ndarray,
        item: np.ndarray,
        allowed: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fused scores of candidates, and the expert that ranks each highest."""
        value, features = self.judged(scores, panel.flat, support, h, query, item, allowed)
        z = [i for i, c in enumerate(self.columns) if c.endswith(".z")]
        return value, np.nan_to_num(features[:, z], nan=-np.inf).argmax(1) if len(query) else np.zeros(0, int)

    def judged(
        self,
        scores: Scores,
        flat: Collection[str],
        support: Support,
        h: Histories,
        query: np.ndarray,
        item: np.ndarray,
        allowed: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fused scores of given candidates, float64 (n_candidates,), and the evidence they rest on.

        Takes what ``fusion.evidence.evidence`` takes, and what is allowed; scores compare within a query alone.
        """
        features = evidence(scores, flat, support, h, query, item)
        value = np.zeros(len(query))
        states = states_of(h, allowed, support)
        for state in np.unique(states):
            mine = np.flatnonzero(states[query] == state)
            head = self.head(str(state))
            if head is None:
                value[mine] = np.nan_to_num(features[mine, 0], nan=-1e6)
            else:
                value[mine] = head.score(features[mine], h.lengths[query[mine]])
        return value, features


def united(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], n_items: int
) -> tuple[np.ndarray, np.ndarray]:
    """Candidates of either kind: query ascending and item of each, once.

    Examples
    --------
    >>> [part.tolist() for part in united((np.array([0]), np.array([2])), (np.array([0, 0]), np.array([1, 2])), 3)]
    [[0, 0], [1, 2]]
    """
    return np.divmod(np.union1d(a[0] * n_items + a[1], b[0] * n_items + b[1]), n_items)


def states_of(h: Histories, allowed: np.ndarray, support: Support) -> np.ndarray:
    """State of each query: by its history, whether it has words, and whether anything allowed was ever met."""
    unmet = ~(allowed & support.met).any(1)
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
