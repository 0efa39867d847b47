"""Simulated sparsity: worlds in which people, items or the future are hidden, to train as will be tested."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.popularity import content_rates, decayed_counts

LENGTHS = (0, 1, 3, 5, 10)
NEW, SHORT, LONG, UNMET = "new", "short", "long", "unmet"
STATES = (NEW, SHORT, LONG, UNMET)
SHORT_MOST = 10


@dataclass(frozen=True)
class Episode:
    """One simulated world, and questions asked in it whose answers are known.

    Parameters
    ----------
    train
        What the experts may see.
    queries
        Histories of the askers.
    targets
        Item codes each asker took afterwards.
    state
        ``new``, ``short``, ``long`` or ``unmet`` per query (str array).
    user
        int32 user code per query.
    pools
        Per state: bool, shape (n_items,): items that may be ranked.
    kind
        ``tail``, ``people`` or ``time``.
    """

    train: Dataset
    queries: Histories
    targets: list[np.ndarray]
    state: np.ndarray
    user: np.ndarray
    pools: dict[str, np.ndarray]
    kind: str


def state_of(length: int) -> str:
    """State of a history of so many events, over the whole catalogue."""
    return NEW if length == 0 else SHORT if length <= SHORT_MOST else LONG


def random_unmet_share(data: Dataset, tail: float = 0.2) -> float:
    """Share of the catalogue that is unmet for no reason of its own (just added), in [0, 1).

    Items are unmet either because few want them or because nobody could meet them yet. Two estimates, the
    smaller counts: unmet items beyond those that hiding the newest ``tail`` of the events makes unmet;
    and how much content puts unmet items among all items (1) rather than among the rarest (0).
    """
    counts = data.interactions.item_counts()
    unmet, met = counts == 0, counts > 0
    if not unmet.any() or not met.any():
        return 0.0
    x = data.interactions
    left = x.select(x.position() < np.ceil((1 - tail) * x.user_counts()[x.user])).item_counts()
    natural = (met & (left == 0)).sum() / met.sum()
    beyond = max(unmet.sum() - natural / max(1 - natural, 1e-9) * met.sum(), 0.0)
    like_all = 1.0
    if data.features is not None:
        b, _ = content_rates(data.features, counts, ridge=10.0)
        rate = data.features @ b[:-1]
        rare = met & (counts <= np.quantile(counts[met], 0.25))
        gap = rate[met].mean() - rate[rare].mean()
        like_all = float(np.clip((rate[unmet].mean() - rate[rare].mean()) / max(gap, 1e-9), 0, 1)) if gap > 1e-3 else 1.0
    return float(min(beyond, like_all * unmet.sum()) / len(counts))


def tail_episode(data: Dataset, low: float, high: float, hidden: np.ndarray, shown: np.ndarray) -> Episode:
    """Hide of everybody the events between two shares of their history, all later ones, and some items.

    ``hidden`` and ``shown`` are bool, shape (n_items,): hidden items leave training; those shown as well stay
    among the candidates with all their events as targets; the others serve only the state ``unmet``.
    """
    x = data.interactions
    counts, met = x.user_counts(), x.item_counts() > 0
    last = np.minimum(np.floor(low * counts), np.maximum(counts - 1, 1))[x.user]
    early = x.position() < last
    window = ~early & (x.position() < np.maximum(np.ceil(high * counts)[x.user], last + 1))
    kept = early & ~hidden[x.item]
    train = data.with_interactions(x.select(kept))
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows: list[tuple[np.ndarray, np.ndarray, str, int]] = []
    for u in np.flatnonzero(counts >= 2):
        at = np.arange(starts[u], starts[u + 1])
        items, history = x.item[at], x.item[at[kept[at]]]
        if len(history):
            rows.append((history, items[(window[at] & ~hidden[items]) | shown[items]], state_of(len(history)), u))
            rows.append((history, items[hidden[items]], UNMET, u))
    mixed = met & (~hidden | shown)
    return gather(train, data, rows, {SHORT: mixed, LONG: mixed, UNMET: hidden & met}, "tail")


def people_episode(data: Dataset, held: np.ndarray) -> Episode:
    """Hide people wholly (``held``: bool, shape (n_users,)) and ask after their first 0, 1, 3, 5 and 10 events."""
    x = data.interactions
    counts, met = x.user_counts(), x.item_counts() > 0
    train = data.with_interactions(x.select(~held[x.user]))
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows: list[tuple[np.ndarray, np.ndarray, str, int]] = []
    for u in np.flatnonzero(held & (counts >= 2)):
        items = x.item[starts[u] : starts[u + 1]]
        rows += [(items[:n], items[n:], state_of(n), u) for n in LENGTHS if n < len(items)]
    return gather(train, data, rows, {NEW: met, SHORT: met, LONG: met}, "people")


def time_episode(data: Dataset, cut: float, seed: int) -> Episode:
    """Hide everything after a point of the clock (``cut`` = share of the events before it)."""
    x, rng = data.interactions, np.random.default_rng(seed)
    when = np.quantile(x.time, cut)
    before = x.time < when
    met = x.item_counts() > 0
    counts, starts = x.user_counts(), np.concatenate([[0], np.cumsum(x.user_counts())])
    rows: list[tuple[np.ndarray, np.ndarray, str, int]] = []
    for u in np.flatnonzero(counts > 0):
        at = np.arange(starts[u], starts[u + 1])
        items, known = x.item[at], before[at]
        if known.all():
            continue
        history = items[known]
        rows.append((history, items[~known], state_of(len(history)), u))
        if not known.any():
            n = int(rng.choice(LENGTHS[1:]))
            if n < len(items):
                rows.append((items[:n], items[n:], SHORT, u))
    pools = dict.fromkeys((NEW, SHORT, LONG), met)
    return gather(data.with_interactions(x.select(before)), data, rows, pools, "time")


def gather(
    train: Dataset, data: Dataset, rows: list[tuple[np.ndarray, np.ndarray, str, int]], pools: dict[str, np.ndarray], kind: str
) -> Episode:
    """Rows of (history, targets, state, user) as an episode; rows without a target are left out."""
    rows = [(h, np.setdiff1d(t, h), s, u) for h, t, s, u in rows]
    rows = [r for r in rows if len(r[1])]
    user = np.array([r[3] for r in rows], dtype=np.int32)
    queries = replace(Histories.of([r[0] for r in rows], data.n_items), attributes=data.attributes(user))
    return Episode(train, queries, [r[1] for r in rows], np.array([r[2] for r in rows]), user, pools, kind)


def balanced(episode: Episode, most: int, seed: int) -> Episode:
    """At most ``most`` queries of each state, drawn evenly over history lengths."""
    rng, keep = np.random.default_rng(seed), []
    for state in STATES:
        mine = np.flatnonzero(episode.state == state)
        if len(mine) > most:
            mine = rng.choice(mine, most, replace=False)
        keep.append(np.sort(mine))
    at = np.concatenate(keep)
    return replace(episode, queries=episode.queries.take(at), targets=[episode.targets[i] for i in at],
                   state=episode.state[at], user=episode.user[at])


def recent_share(data: Dataset) -> np.ndarray:
    """Share of an item's events in the last tenth of the clock: float64, shape (n_items,)."""
    x = data.interactions
    return decayed_counts(x, 0.1) / np.maximum(decayed_counts(x, 0.0), 1.0)
