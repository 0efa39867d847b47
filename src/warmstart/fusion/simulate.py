"""Simulated sparsity: worlds in which people, items or the future are hidden, to train as will be tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.fusion.unmet import exposed, random_unmet_share

LENGTHS = (0, 1, 3, 5, 10)
NEW, SHORT, LONG, UNMET, TYPED = "new", "short", "long", "unmet", "typed"
STATES = (NEW, SHORT, LONG, UNMET, TYPED)
SHORT_MOST = 10
WINDOWS = ((0.64, 0.8), (0.8, 1.0))
LEAST_UNMET = 0.05
LARGE_USERS, LARGE_ITEMS = 5000, 20_000


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
    return NEW if length == 0 else SHORT if length <= SHORT_MOST else LONG


def tail_episode(
    data: Dataset,
    low: float,
    high: float,
    pool: np.ndarray,
    hidden: np.ndarray,
    shown: np.ndarray,
    held: np.ndarray | None = None,
    shuffle: np.random.Generator | None = None,
) -> Episode:
    """Hide of everybody the events between two shares of their history, all later ones, and some items.

    ``hidden`` and ``shown`` are bool, shape (n_items,): hidden items leave training; those shown as well stay
    among the candidates with all their events as targets; the others serve only the state ``unmet``. ``held``
    people (bool, shape (n_users,)) leave training wholly and are asked as in ``people_episode``. With ``shuffle``
    a random part of each history is hidden in place of the newest.
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
    starts, rows = x.starts, few_shot_rows(data, held, ~hidden)
    for u in np.flatnonzero((counts >= 2) & ~held).tolist():
        at = np.arange(starts[u], starts[u + 1])
        items, history = x.item[at], x.item[at[kept[at]]]
        if len(history):
            asked = (window[at] & ~hidden[items]) | shown[items]
            rows.append(Question(history, items[asked], state_of(len(history)), u))
            rows.append(Question(history, items[hidden[items]], UNMET, u))
    mixed = pool & (~hidden | shown)
    pools = dict.fromkeys((NEW, SHORT, LONG, TYPED), mixed) | {UNMET: hidden}
    return gather(train, data, rows, pools, "tail")


def shuffled(x: Interactions, rng: np.random.Generator) -> np.ndarray:
    """Place of each event in its user's history, in random order: int64, shape (n_events,)."""
    order = np.lexsort((rng.random(len(x)), x.user))
    starts = np.concatenate([[0], np.cumsum(x.user_counts())])
    place = np.empty(len(x), np.int64)
    place[order] = np.arange(len(x)) - starts[x.user[order]]
    return place


def people_episode(data: Dataset, pool: np.ndarray, held: np.ndarray) -> Episode:
    """Hide people wholly (``held``: bool, shape (n_users,)) and ask after their first 0, 1, 3, 5 and 10 events."""
    train = data.with_interactions(data.interactions.select(~held[data.interactions.user]))
    rows = few_shot_rows(data, held, np.ones(data.n_items, bool))
    return gather(train, data, rows, dict.fromkeys((NEW, SHORT, LONG, TYPED), pool), "people")


def few_shot_rows(data: Dataset, held: np.ndarray, usable: np.ndarray) -> list[Question]:
    """First events as history; once more the first two as if described in words.

    Asked for is, at every length, what came after the longest history that is at most half of the events: what
    somebody takes next is much what everybody takes on that day, what they take later is their own. Of people with
    few events a new user's question asks for all: there is nothing to spare.
    """
    x, counts, starts = data.interactions, data.interactions.user_counts(), data.interactions.starts
    rows: list[Question] = []
    for u in np.flatnonzero(held & (counts >= 2)).tolist():
        items = x.item[starts[u] : starts[u + 1]]
        items = items[usable[items]]
        last = max(n for n in LENGTHS if 2 * n <= len(items))
        rows += [Question(items[:n], items[last:], state_of(n), u, items[n:last]) for n in LENGTHS[1:] if n <= last]
        late = last if last == LENGTHS[-1] else 0
        rows.append(Question(items[:0], items[late:], NEW, u, items[:late]))
        if data.features is not None and len(items) > 2:
            rows.append(Question(items[:2], items, TYPED, u))
    return rows


def time_episode(data: Dataset, pool: np.ndarray, cut: float, seed: int) -> Episode:
    """Hide everything after a point of the clock (``cut`` = share of the events before it)."""
    x, rng = data.interactions, np.random.default_rng(seed)
    when = np.quantile(x.time, cut)
    before = x.time < when
    counts, starts = x.user_counts(), x.starts
    rows: list[Question] = []
    for u in np.flatnonzero(counts > 0).tolist():
        at = np.arange(starts[u], starts[u + 1])
        items, known = x.item[at], before[at]
        if known.all():
            continue
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


def episodes(data: Dataset, seed: int = 0) -> Iterator[Episode]:
    """The worlds to train the fusion in, chosen by what the data show.

    Small data: each world hides one thing (the tails of all histories, twice, and random parts of them; three
    groups of people, four groups of items, three cuts of the clock). Where the catalogue holds items that were just
    added (``random_unmet_share``), tails and groups of items of that share are hidden together, four times, and
    random parts are not. Large data: fewer worlds hide several things at once. The last world of each kind is for
    checking.
    """
    rng, x = np.random.default_rng(seed), data.interactions
    unmet = random_unmet_share(data)
    pool, met = exposed(data, unmet, seed), x.item_counts() > 0
    item, person, none = rng.random(data.n_items), rng.random(data.n_users), np.zeros(data.n_items, bool)
    share = min(unmet / max(float(met.mean()), 1e-9), 0.3) if unmet >= LEAST_UNMET else 0.0
    large = len(np.flatnonzero(x.user_counts())) > LARGE_USERS or met.sum() > LARGE_ITEMS
    if large:
        for f, window in enumerate(WINDOWS):
            hidden = met & groups(item, max(share, 0.05), f)
            yield tail_episode(data, *window, pool, hidden, hidden if share else none, groups(person, 0.1, f))
    else:
        for f in range(4):
            hidden = met & groups(item, share or 0.2, f)
            if share:
                yield tail_episode(data, *WINDOWS[f % 2], pool, hidden, hidden)
            else:
                yield only(tail_episode(data, 1.0, 1.0, pool, hidden, none), UNMET, "items")
        if not share:
            yield tail_episode(data, *WINDOWS[0], pool, none, none)
            yield unordered(tail_episode(data, *WINDOWS[1], pool, none, none, shuffle=rng), x.has_time)
            yield tail_episode(data, *WINDOWS[1], pool, none, none)
        yield from (people_episode(data, pool, groups(person, 0.25, f)) for f in range(3))
    if x.has_time:
        yield from (time_episode(data, pool, cut, seed) for cut in ((0.7, 0.8) if large else (0.6, 0.7, 0.8)))


def groups(draw: np.ndarray, part: float, fold: int) -> np.ndarray:
    """Members of a fold that holds a ``part`` of all; ``draw`` float64 in [0, 1). Folds of one draw are disjoint.

    Examples
    --------
    >>> groups(np.array([0.1, 0.3, 0.9]), 0.25, 0).tolist(), groups(np.array([0.1, 0.3, 0.9]), 0.25, 1).tolist()
    ([True, False, False], [False, False, True])
    """
    inside: np.ndarray = ((draw + part * fold) % 1.0) < part
    return inside


def unordered(episode: Episode, has_time: bool) -> Episode:
    """A world of random parts; where a clock tells the order, nothing is asked there after long histories.

    What they say lies much in their order, and who is asked for the future must not unlearn it.
    """
    return at_queries(episode, np.flatnonzero(episode.state != LONG)) if has_time else episode


def only(episode: Episode, state: str, kind: str) -> Episode:
    """The queries of one state, as a kind of world of its own."""
    return replace(at_queries(episode, np.flatnonzero(episode.state == state)), kind=kind)


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
