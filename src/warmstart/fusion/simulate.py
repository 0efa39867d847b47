"""Simulated sparsity: a world in which people, items or the future are hidden, and what is asked in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.fusion.askers import Askers

LENGTHS = (0, 1, 3, 5, 10)
NEW, SHORT, LONG, UNMET, TYPED = "new", "short", "long", "unmet", "typed"
STATES = (NEW, SHORT, LONG, UNMET, TYPED)
SHORT_MOST = 10
EVERYBODY = Askers()


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
        ``new``, ``short``, ``long``, ``unmet`` or ``typed`` per query (str array).
    user
        int32 user code per query.
    pools
        Per state: bool, shape (n_items,): items that may be ranked.
    barred
        Item codes that may not be ranked for a query: taken, but neither shown nor asked for.
    kind
        ``tail``, ``people``, ``items`` or ``time``.
    """

    train: Dataset
    queries: Histories
    targets: list[np.ndarray]
    state: np.ndarray
    user: np.ndarray
    pools: dict[str, np.ndarray]
    barred: list[np.ndarray]
    kind: str


@dataclass(frozen=True)
class Question:
    """One row of an episode: what is shown, what is asked for, and what is neither (item codes)."""

    history: np.ndarray
    targets: np.ndarray
    state: str
    user: int
    barred: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))


def state_of(length: int) -> str:
    """State of a history of so many events, over the whole catalogue."""
    return STATES[int(state_codes(np.array(length)))]


def state_codes(length: np.ndarray) -> np.ndarray:
    """``state_of`` as positions in ``STATES``: int64, same shape.

    Examples
    --------
    >>> state_codes(np.array([0, 10, 11])).tolist()
    [0, 1, 2]
    """
    return (length > 0).astype(np.int64) + (length > SHORT_MOST)


def tail_episode(
    data: Dataset,
    low: float,
    high: float,
    pool: np.ndarray,
    hidden: np.ndarray,
    shown: np.ndarray,
    held: np.ndarray | None = None,
    shuffle: np.random.Generator | None = None,
    askers: Askers = EVERYBODY,
) -> Episode:
    """Hide of everybody the events between two shares of their history, all later ones, and some items.

    ``hidden`` and ``shown`` are bool, shape (n_items,): hidden items leave training; those shown as well stay
    among the candidates with all their events as targets; the others serve only the state ``unmet``. ``held``
    people (bool, shape (n_users,)) leave training wholly and are asked as in ``people_episode``. With ``shuffle``
    a random part of each history is hidden in place of the newest. Of each state, and of those who took hidden items,
    ``askers`` are asked.
    """
    x = data.interactions
    place = x.position() if shuffle is None else shuffled(x, shuffle)
    held = np.zeros(data.n_users, bool) if held is None else held
    counts = x.user_counts()
    last = np.maximum(np.minimum(np.floor(low * counts), counts - 1), 1)[x.user]
    early = place < last
    window = ~early & (place < np.maximum(np.ceil(high * counts)[x.user], last + 1))
    kept = early & ~hidden[x.item] & ~held[x.user]
    train = data.with_interactions(x.select(kept))
    starts, rows = x.starts, few_shot_rows(data, held, ~hidden, askers)
    length = np.bincount(x.user[kept], minlength=data.n_users)
    able = (counts >= 2) & ~held & (length > 0)
    mixed = askers.of(np.where(able, state_codes(length), -1))
    unmet = askers.of(np.where(able & (np.bincount(x.user[hidden[x.item]], minlength=data.n_users) > 0), 0, -1))
    for u in np.flatnonzero(mixed | unmet).tolist():
        at = slice(starts[u], starts[u + 1])
        items, history = x.item[at], x.item[at][kept[at]]
        if mixed[u]:
            asked = (window[at] & ~hidden[items]) | shown[items]
            rows.append(Question(history, items[asked], state_of(len(history)), u))
        if unmet[u]:
            rows.append(Question(history, items[hidden[items]], UNMET, u))
    pools = dict.fromkeys((NEW, SHORT, LONG, TYPED), pool & (~hidden | shown)) | {UNMET: hidden}
    return gather(train, data, rows, pools, "tail")


def shuffled(x: Interactions, rng: np.random.Generator) -> np.ndarray:
    """Place of each event in its user's history, in random order: int64, shape (n_events,)."""
    order = np.lexsort((rng.random(len(x)), x.user))
    starts = np.concatenate([[0], np.cumsum(x.user_counts())])
    place = np.empty(len(x), np.int64)
    place[order] = np.arange(len(x)) - starts[x.user[order]]
    return place


def people_episode(data: Dataset, pool: np.ndarray, held: np.ndarray, askers: Askers = EVERYBODY) -> Episode:
    """Hide people wholly (``held``: bool, shape (n_users,)) and ask after their first 0, 1, 3, 5 and 10 events."""
    train = data.with_interactions(data.interactions.select(~held[data.interactions.user]))
    rows = few_shot_rows(data, held, np.ones(data.n_items, bool), askers)
    return gather(train, data, rows, dict.fromkeys((NEW, SHORT, LONG, TYPED), pool), "people")


def few_shot_rows(data: Dataset, held: np.ndarray, usable: np.ndarray, askers: Askers = EVERYBODY) -> list[Question]:
    """First events as history; once more the first two as if described in words.

    Asked for is, at every length, what came after the longest history that is at most half of the events: what
    somebody takes next is much what everybody takes on that day, what they take later is their own. Of people with
    few events a new user's question asks for all: there is nothing to spare.
    """
    x, counts, starts = data.interactions, data.interactions.user_counts(), data.interactions.starts
    rows: list[Question] = []
    for u in np.flatnonzero(askers.of(np.where(held & (counts >= 2), 0, -1))).tolist():
        items = x.item[starts[u] : starts[u + 1]]
        items = items[usable[items]]
        last = max(n for n in LENGTHS if 2 * n <= len(items))
        rows += [Question(items[:n], items[last:], state_of(n), u, items[n:last]) for n in LENGTHS[1:] if n <= last]
        late = last if last == LENGTHS[-1] else 0
        rows.append(Question(items[:0], items[late:], NEW, u, items[:late]))
        if data.features is not None and len(items) > 2:
            rows.append(Question(items[:2], items, TYPED, u))
    return rows


def time_episode(data: Dataset, pool: np.ndarray, cut: float, seed: int, askers: Askers = EVERYBODY) -> Episode:
    """Hide everything after a point of the clock (``cut`` = share of the events before it)."""
    x, rng = data.interactions, np.random.default_rng(seed)
    when = np.quantile(x.time, cut)
    before = x.time < when
    counts, starts = x.user_counts(), x.starts
    length = np.bincount(x.user[before], minlength=data.n_users)
    rows: list[Question] = []
    for u in np.flatnonzero(askers.of(np.where(counts > length, state_codes(length), -1))).tolist():
        at = slice(starts[u], starts[u + 1])
        items, known = x.item[at], before[at]
        history = items[known]
        rows.append(Question(history, items[~known], state_of(len(history)), u))
        if not known.any():
            n = int(rng.choice(LENGTHS[1:]))
            if n < len(items):
                rows.append(Question(items[:n], items[n:], SHORT, u))
    pools = dict.fromkeys((NEW, SHORT, LONG), pool)
    return gather(data.with_interactions(x.select(before)), data, rows, pools, "time")


def gather(
    train: Dataset,
    data: Dataset,
    rows: list[Question],
    pools: dict[str, np.ndarray],
    kind: str,
) -> Episode:
    """Questions as an episode; those without a target are left out.

    A ``typed`` question gives its items as a vector, not as a history.
    """
    rows = [
        replace(r, targets=np.unique(r.targets) if r.state == TYPED else np.setdiff1d(r.targets, r.history))
        for r in rows
    ]
    rows = [r for r in rows if len(r.targets)]
    user = np.array([r.user for r in rows], dtype=np.int32)
    events = [r.history[:0] if r.state == TYPED else r.history for r in rows]
    queries = replace(Histories.of(events, data.n_items), attributes=data.attributes(user))
    if data.features is not None:
        vectors = np.zeros((len(rows), data.features.shape[1]), np.float32)
        for q, row in enumerate(rows):
            if row.state == TYPED:
                vectors[q] = data.features[row.history].mean(0)
        queries = replace(queries, vectors=vectors)
    states = np.array([r.state for r in rows])
    return Episode(train, queries, [r.targets for r in rows], states, user, pools, [r.barred for r in rows], kind)


def balanced(episode: Episode, most: int, seed: int) -> Episode:
    """At most ``most`` queries of each state, drawn at random."""
    rng, keep = np.random.default_rng(seed), []
    for state in STATES:
        mine = np.flatnonzero(episode.state == state)
        if len(mine) > most:
            mine = rng.choice(mine, most, replace=False)
        keep.append(np.sort(mine))
    return at_queries(episode, np.concatenate(keep))


def at_queries(episode: Episode, at: np.ndarray) -> Episode:
    """The queries at the given positions."""
    return replace(
        episode,
        queries=episode.queries.take(at),
        targets=[episode.targets[i] for i in at],
        state=episode.state[at],
        user=episode.user[at],
        barred=[episode.barred[i] for i in at],
    )
