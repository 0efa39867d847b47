"""The splits of the tasks on ratings: what is learned from, what is told of somebody new, what is asked for.

A task is one schedule over all ratings: ``since`` is the level from which on a rating is known, where a level is the
number of ratings known of somebody new (``few``) or the share of the training part that is there (``thin``; 1 for the
tasks with one training part). ``write`` puts it into a table, so that other systems answer for the very same ratings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions

KS, SHARES = (0, 1, 2, 4, 8, 16, 32), (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Task:
    """Ratings and when they are known.

    Parameters
    ----------
    ratings
        All of them.
    levels
        Ascending; each is measured.
    since
        float64, by rating: the least level at which it is known; 0 = always, infinity = it is asked for (test set).
    """

    ratings: Interactions
    levels: tuple[float, ...]
    since: np.ndarray

    def learned(self, level: float) -> Interactions:
        """What is known at a level: the training set."""
        return self.ratings.select(self.since <= level)

    def told(self, level: float) -> Interactions:
        """What is known at a level, but not at level 0: the histories of new people."""
        return self.ratings.select((self.since > 0) & (self.since <= level))

    def asked(self) -> Interactions:
        """The test set, the same at each level."""
        return self.ratings.select(np.isinf(self.since))


def task_of(data: Dataset, folder: Path, name: str) -> Task:
    """The task of a name: ``few``, ``thin``, ``random``, ``time`` or ``u1`` to ``u5``."""
    x = data.interactions
    if name == "few":
        return few_split(x)
    return thin_split(x) if name == "thin" else single_split(x, asked_rows(data, folder, name))


def new_people(x: Interactions, seed: int = 0) -> np.ndarray:
    """A sixth of the people with 40 ratings or more: codes."""
    able = np.flatnonzero(x.user_counts() >= 40)
    chosen: np.ndarray = np.random.default_rng(seed).permutation(able)[: len(able) // 6]
    return chosen


def few_split(x: Interactions) -> Task:
    """New people, told of by up to 32 ratings in random order; the rest of theirs is asked for."""
    rng, since = np.random.default_rng(1), np.zeros(len(x))
    for user in new_people(x).tolist():
        rows = rng.permutation(np.flatnonzero(x.user == user))
        since[rows] = np.inf
        since[rows[: max(KS)]] = [next(k for k in KS if place < k) for place in range(max(KS))]
    return Task(x, KS, since)


def thin_split(x: Interactions) -> Task:
    """A fifth is asked for, as in ``random``; nested samples of the others are the training sets."""
    rng, since = np.random.default_rng(0), np.ones(len(x))
    asked, draw = rng.random(len(x)) < 0.2, rng.random(len(x))
    for share in SHARES[::-1]:
        since[draw < share] = share
    since[asked] = np.inf
    return Task(x, SHARES, since)


def single_split(x: Interactions, asked: np.ndarray) -> Task:
    """One training set and one test set."""
    return Task(x, (1.0,), np.where(asked, np.inf, 1.0))


def asked_rows(data: Dataset, folder: Path, name: str) -> np.ndarray:
    """Which ratings are asked for: bool, by rating."""
    x, rng = data.interactions, np.random.default_rng(0)
    if name == "random":
        return rng.random(len(x)) < 0.2
    if name == "time":
        return np.asarray(x.time >= np.quantile(x.time, 0.8))
    lines = pl.read_csv(folder / "interactions.csv", infer_schema=False)
    user, item = data.users.codes(lines["user_id"].to_list()), data.catalog.items.codes(lines["item_id"].to_list())
    first = 20_000 * (int(name.removeprefix("u")) - 1)
    wanted = (user.astype(np.int64) * data.n_items + item)[first : first + 20_000]
    return np.isin(x.user.astype(np.int64) * data.n_items + x.item, wanted)


def write(task: Task, data: Dataset, path: Path) -> None:
    """A line a rating: ``user_id, item_id, rating, since``; ``since`` is empty where the rating is asked for."""
    x = task.ratings
    columns = {
        "user_id": data.users.names(x.user.tolist()),
        "item_id": data.catalog.items.names(x.item.tolist()),
        "rating": x.rating,
        "since": [None if np.isinf(level) else level for level in task.since.tolist()],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_csv(path)
