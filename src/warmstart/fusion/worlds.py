"""Which worlds are simulated: what is hidden in each, by what the data show, to train as will be tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.sample import sampled
from warmstart.fusion.askers import Askers
from warmstart.fusion.simulate import LONG, UNMET, Episode, at_queries, people_episode, tail_episode, time_episode
from warmstart.fusion.unmet import exposed, random_unmet_share

WINDOWS = ((0.64, 0.8), (0.8, 1.0))
LEAST_UNMET = 0.05
LARGE_USERS, LARGE_ITEMS = 5000, 20_000


def episodes(data: Dataset, seed: int = 0, people: int | None = None, asked: int | None = None) -> Iterator[Episode]:
    """The worlds to train the fusion in, chosen by what the data show.

    Small data: each world hides one thing (the tails of all histories, twice, and random parts of them; three
    groups of people, four groups of items, three cuts of the clock). Where the catalogue holds items that were just
    added (``random_unmet_share``), tails and groups of items of that share are hidden together, four times, and
    random parts are not. Large data: fewer worlds hide several things at once, in each ``asked`` people of a state are
    asked at most, and they are made of the events of ``people`` (``sampled``). The last world of each kind is for
    checking.
    """
    unmet = random_unmet_share(data)
    pool = exposed(data, unmet, seed)
    x = data.interactions if people is None else sampled(data.interactions, people, seed)
    data, met = data.with_interactions(x) if x is not data.interactions else data, x.item_counts() > 0
    share = min(unmet / max(float(met.mean()), 1e-9), 0.3) if unmet >= LEAST_UNMET else 0.0
    if len(np.flatnonzero(x.user_counts())) > LARGE_USERS or met.sum() > LARGE_ITEMS:
        return large_worlds(data, seed, pool, share, Askers(asked, seed))
    return small_worlds(data, seed, pool, share)


def large_worlds(data: Dataset, seed: int, pool: np.ndarray, share: float, askers: Askers) -> Iterator[Episode]:
    """Two parts of the histories, in each a group of items (``share`` of them) and one of people; two cuts."""
    rng, x = np.random.default_rng(seed), data.interactions
    item, person, none = rng.random(data.n_items), rng.random(data.n_users), np.zeros(data.n_items, bool)
    for f, window in enumerate(WINDOWS):
        hidden = (x.item_counts() > 0) & groups(item, max(share, 0.05), f)
        held = groups(person, 0.1, f)
        yield tail_episode(data, *window, pool, hidden, hidden if share else none, held, askers=askers)
    if x.has_time:
        yield from (time_episode(data, pool, cut, seed, askers) for cut in (0.7, 0.8))


def small_worlds(data: Dataset, seed: int, pool: np.ndarray, share: float) -> Iterator[Episode]:
    """Four groups of items (``share`` of them, or a fifth), three of people; parts of the histories; three cuts."""
    rng, x = np.random.default_rng(seed), data.interactions
    item, person, none = rng.random(data.n_items), rng.random(data.n_users), np.zeros(data.n_items, bool)
    for f in range(4):
        hidden = (x.item_counts() > 0) & groups(item, share or 0.2, f)
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
        yield from (time_episode(data, pool, cut, seed) for cut in (0.6, 0.7, 0.8))


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
