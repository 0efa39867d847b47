"""Training samples of the fusion: candidates of simulated queries with their evidence and answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.data.popularity import long_tail, popularity_groups
from warmstart.experts.panel import Panel
from warmstart.fusion.asking import Asking
from warmstart.fusion.evidence import evidence
from warmstart.fusion.simulate import Episode
from warmstart.fusion.support import Support

BLOCK = 16_000_000


@dataclass(frozen=True)
class Samples:
    """Candidates of many queries, query by query.

    Parameters
    ----------
    features
        float32, shape (n_candidates, n_columns).
    query
        int64, shape (n_candidates,), ascending.
    taken
        bool, shape (n_candidates,).
    length
        int64, shape (n_queries,): history lengths.
    relevant
        int64, shape (n_queries,): relevant items, candidates or not.
    late
        bool, shape (n_queries,): asked after a cut of the clock.
    check
        bool, shape (n_queries,): of a world kept for checking.
    head, tail
        bool, shape (n_candidates,): among the items that hold half of the world's events; of its long tail.
    """

    features: np.ndarray
    query: np.ndarray
    taken: np.ndarray
    length: np.ndarray
    relevant: np.ndarray
    late: np.ndarray
    check: np.ndarray
    head: np.ndarray
    tail: np.ndarray

    def part(self, queries: np.ndarray) -> Samples:
        """The queries of a boolean mask; itself where these are all."""
        if queries.all():
            return self
        rows = queries[self.query]
        number = np.cumsum(queries) - 1
        candidates = (self.features[rows], number[self.query[rows]], self.taken[rows])
        asked = (self.length[queries], self.relevant[queries], self.late[queries], self.check[queries])
        return Samples(*candidates, *asked, self.head[rows], self.tail[rows])


def concatenate(parts: list[Samples]) -> Samples:
    """Samples one after another, queries renumbered."""
    offset = np.cumsum([0, *(len(p.length) for p in parts)])
    return Samples(
        np.concatenate([p.features for p in parts]),
        np.concatenate([p.query + o for p, o in zip(parts, offset, strict=False)]),
        *(
            np.concatenate([getattr(p, c) for p in parts])
            for c in ("taken", "length", "relevant", "late", "check", "head", "tail")
        ),
    )


def blocks(n_queries: int, n_items: int, tables: int) -> Iterator[np.ndarray]:
    """Positions of queries, in blocks whose scores fit in bounded memory."""
    step = int(np.clip(BLOCK // max(n_items * tables, 1), 4, 512))
    for s in range(0, n_queries, step):
        yield np.arange(s, min(s + step, n_queries))


def allowed_items(h: Histories, pool: np.ndarray) -> np.ndarray:
    """Which items may be ranked for each query: the pool without the query's own history; bool (n, n_items)."""
    allowed = np.broadcast_to(pool, (len(h), h.n_items)).copy()
    allowed[np.repeat(np.arange(len(h)), h.lengths), h.item] = False
    return allowed


def collect(
    episode: Episode, state: str, panel: Panel, support: Support, asking: Asking, check: bool
) -> Samples | None:
    """Samples of one state of a world; None where it has no query."""
    mine = np.flatnonzero(episode.state == state)
    if not len(mine):
        return None
    counts = episode.train.interactions.item_counts()
    head, tail = popularity_groups(counts) == 0, long_tail(counts)
    parts = []
    for block in blocks(len(mine), episode.queries.n_items, asking.tables(panel, episode.pools[state])):
        at = mine[block]
        h = episode.queries.take(at)
        allowed = allowed_items(h, episode.pools[state])
        for row, q in enumerate(at):
            allowed[row, episode.barred[q]] = False
        scores = asking.scores(panel, h, allowed)
        query, item = scores.candidates(asking.top)
        answer = np.zeros(allowed.shape, bool)
        for row, q in enumerate(at):
            answer[row, episode.targets[q]] = True
        answer &= allowed
        features = evidence(scores, panel.flat, support, h, query, item)
        late = np.full(len(at), episode.kind == "time")
        flags = np.full(len(at), check)
        counted = (h.lengths, answer.sum(1), late, flags)
        parts.append(Samples(features, query, answer[query, item], *counted, head[item], tail[item]))
    return concatenate(parts)
