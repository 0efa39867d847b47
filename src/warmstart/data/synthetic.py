"""Made-up data of any size with a known plan: tastes, popularity, words and drift; written as a stream of parts."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from warmstart.data.identifiers import FORMS, named
from warmstart.data.readers import parts_of
from warmstart.errors import ConfigError

START, YEAR = 1_577_836_800, 365 * 86_400  # 2020-01-01, in seconds
BATCH = 1_000_000  # events drawn at a time
SPARE = 2.2  # events drawn for each that is kept: some are repeats, some come before their item


@dataclass(frozen=True)
class Synthetic:
    """People of a few tastes each meet items of planted clusters, within a year.

    A cluster is a topic (``genre``) and a mood, and both are told by the title. An item's popularity within its cluster
    falls off as ``rank^-zipf``; half of the items are there from the start, the others arrive evenly over the year, and
    nobody meets an item before. With chance ``loyalty`` an event is of one of two own clusters, otherwise of any; the
    second one is met with chance ``1/4 + drift (t - 1/2)`` at the point t of the year, so that tastes turn; both are
    drawn alike, and may be the same. A person has one event at least, others by a log-normal activity. Ratings of 1 to
    5 are a star higher where the event is of an own cluster for being one.

    Parameters
    ----------
    users, items
        At least 1.
    events
        From ``users`` to ``users * items``; about so many are drawn, no person meeting an item twice. Fewer come where
        people run out of items of their clusters: each event is tried about twice.
    clusters
        From 1 to 200.
    zipf
        At least 0; 0 = all items of a cluster alike.
    loyalty
        In [0, 1].
    drift
        In [0, 1/2]; 0 = tastes stay.
    unmet
        Share of the items that have no event, in [0, 1); the first of each cluster has some in any case.
    ids
        ``"short"`` (u12, i7), ``"integer"`` (64 bits), or ``"uuid"``.
    seed
        At least 0; the same seed gives the same data, part by part.

    Examples
    --------
    >>> small = Synthetic(users=50, items=20, events=200, clusters=4)
    >>> small.catalogue().columns
    ['item_id', 'title', 'genre', 'arrived']
    >>> events = pl.concat(small.stream())
    >>> events.columns, events["user_id"].n_unique()
    (['user_id', 'item_id', 'rating', 'timestamp'], 50)
    """

    users: int = 10_000
    items: int = 2_000
    events: int = 200_000
    clusters: int = 40
    zipf: float = 0.8
    loyalty: float = 0.8
    drift: float = 0.25
    unmet: float = 0.0
    ids: Literal["short", "integer", "uuid"] = "short"
    seed: int = 0

    def __post_init__(self) -> None:
        least, most = self.users, self.users * self.items
        for name, fits, right in (
            ("users", self.users >= 1, "1 at least"),
            ("items", self.items >= 1, "1 at least"),
            ("clusters", 1 <= self.clusters <= len(kinds()), f"1 to {len(kinds())}"),
            ("zipf", self.zipf >= 0, "0 or more"),
            ("loyalty", 0 <= self.loyalty <= 1, "0 to 1"),
            ("drift", 0 <= self.drift <= 0.5, "0 to 0.5"),
            ("unmet", 0 <= self.unmet < 1, "0 to below 1"),
            ("ids", self.ids in FORMS, f"one of {', '.join(FORMS)}"),
            ("seed", self.seed >= 0, "0 or more"),
            ("events", least <= self.events <= most, f"{least:,} to {most:,}: one a user, to one a user and item"),
        ):
            if not fits:
                raise ConfigError(f"made-up data cannot have {name}={getattr(self, name)}; give {right}")

    @cached_property
    def plan(self) -> Plan:
        """Clusters, arrival and popularity of items."""
        return Plan.of(self)

    def catalogue(self) -> pl.DataFrame:
        """``item_id``, ``title``, ``genre``, ``arrived`` (seconds since the epoch) of all items."""
        plan, (topics, moods) = self.plan, words()
        rng = np.random.default_rng([self.seed, 1])
        said = rng.integers(0, 8, (self.items, 2))
        names = [(topic, mood) for topic, mood in kinds()[: self.clusters]]
        titles, genres = [], []
        for at, (cluster, (a, b)) in enumerate(zip(plan.cluster.tolist(), said.tolist(), strict=True)):
            topic, mood = names[cluster]
            titles.append(f"The {topics[topic][a]} and the {topics[topic][b]} {moods[mood]}, part {at}")
            genres.append(topic)
        return pl.DataFrame({
            "item_id": named("i", np.arange(self.items), self.ids),
            "title": titles,
            "genre": genres,
            "arrived": START + (plan.arrival * YEAR).astype(np.int64),
        })  # fmt: skip

    def stream(self) -> Iterator[pl.DataFrame]:
        """Parts of about a million events, people by people.

        ``user_id`` and ``item_id`` (String, or Int64 of integer ids), ``rating`` (Float32), ``timestamp`` (Int64,
        seconds since the epoch, UTC).
        """
        each = max(1, int(BATCH * self.users / self.events))
        for part, first in enumerate(range(0, self.users, each)):
            people = np.arange(first, min(first + each, self.users))
            user, item, rating, t = self._drawn(people, np.random.default_rng([self.seed, 2, part]))
            yield pl.DataFrame({
                "user_id": named("u", user, self.ids),
                "item_id": named("i", item, self.ids),
                "rating": rating,
                "timestamp": START + (t * YEAR).astype(np.int64),
            })  # fmt: skip

    def write(self, folder: str | Path) -> Iterator[int]:
        """Write ``items.parquet`` and ``interactions/part-*.parquet``; tells the events written so far.

        Raises
        ------
        ConfigError
            If there are parts already.
        """
        path, written = Path(folder), 0
        if old := parts_of(path / "interactions"):
            raise ConfigError(f"'{path}' holds {len(old)} parts of events already; name another folder, or remove it")
        (path / "interactions").mkdir(parents=True, exist_ok=True)
        self.catalogue().write_parquet(path / "items.parquet")
        for at, part in enumerate(self.stream()):
            part.write_parquet(path / "interactions" / f"part-{at:05d}.parquet")
            written += len(part)
            yield written

    def _drawn(self, people: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Users, items, ratings and times of one part, by user and time."""
        plan, n = self.plan, len(people)
        active = rng.lognormal(-0.5, 1.0, n)  # of mean 1
        wanted = np.minimum(1 + rng.poisson((self.events / self.users - 1) * active), self.items)
        own, joined = rng.integers(0, self.clusters, (n, 2)), rng.random(n) ** 2
        at = np.repeat(np.arange(n), np.ceil(SPARE * wanted).astype(np.int64) + 4)
        t = joined[at] + (1 - joined[at]) * rng.random(len(at))
        second = rng.random(len(at)) < 0.25 + self.drift * (t - 0.5)
        loyal = rng.random(len(at)) < self.loyalty
        cluster = np.where(loyal, own[at, second.astype(int)], plan.any_cluster(rng.random(len(at))))
        item = plan.item_of(cluster, rng.random(len(at)))
        possible, first = plan.arrival[item] <= t, np.searchsorted(at, np.arange(n))
        item[first] = np.where(possible[first], item[first], plan.head(cluster[first]))  # so that everybody has one
        possible[first] = True
        rows = kept(at, item, possible, wanted)
        at, item, t, loyal = at[rows], item[rows], t[rows], loyal[rows]
        rating = np.clip(np.round(2.9 + loyal + 0.8 * rng.normal(size=len(at))), 1, 5).astype(np.float32)
        order = np.lexsort((t, at))
        return people[at][order], item[order], rating[order], t[order]


@dataclass(frozen=True, eq=False)
class Plan:
    """What every part has in common.

    Parameters
    ----------
    cluster
        int64, shape (n_items,).
    arrival
        float64 in [0, 1), shape (n_items,): when an item comes, in years; 0 = from the start.
    order
        int64: items that can be met, by cluster.
    until, bounds
        float64, shape (n_met + 1,) and int64, shape (n_clusters + 1,): summed popularity before each of ``order``, and
        where clusters begin in it.
    """

    cluster: np.ndarray
    arrival: np.ndarray
    order: np.ndarray
    until: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, settings: Synthetic) -> Plan:
        """Draw it; the first item of each cluster is met, and there from the start."""
        rng, n, c = np.random.default_rng([settings.seed, 0]), settings.items, settings.clusters
        cluster = np.concatenate([np.arange(min(c, n)), rng.integers(0, min(c, n), max(n - c, 0))])
        arrival = np.maximum(rng.random(n) * 2 - 1, 0.0)
        arrival[:c] = 0.0
        met = np.concatenate([np.arange(min(c, n)), np.flatnonzero(rng.random(n) >= settings.unmet)])
        order = np.unique(met)[np.argsort(cluster[np.unique(met)], kind="stable")]
        bounds = np.searchsorted(cluster[order], np.arange(c + 1))
        rank = np.arange(len(order)) - bounds[cluster[order]]
        until = np.concatenate([[0.0], np.cumsum((1.0 + rank) ** -settings.zipf)])
        return cls(cluster, arrival, order, until, bounds)

    def any_cluster(self, u: np.ndarray) -> np.ndarray:
        """Clusters by their popularity, from numbers in [0, 1)."""
        ends = self.until[self.bounds[1:]] / self.until[-1]
        found: np.ndarray = np.minimum(np.searchsorted(ends, u, side="right"), len(self.bounds) - 2)
        return found

    def head(self, cluster: np.ndarray) -> np.ndarray:
        """The most popular item of clusters; it is there from the start."""
        found: np.ndarray = self.order[np.minimum(self.bounds[cluster], len(self.order) - 1)]
        return found

    def item_of(self, cluster: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Items of clusters by their popularity, from numbers in [0, 1); of any where a cluster is empty."""
        low, high = self.until[self.bounds[cluster]], self.until[self.bounds[cluster + 1]]
        empty = high <= low
        place = np.where(empty, u * self.until[-1], low + u * (high - low))
        at = np.searchsorted(self.until, place, side="right") - 1
        found: np.ndarray = self.order[np.clip(at, 0, len(self.order) - 1)]
        return found


def kept(at: np.ndarray, item: np.ndarray, possible: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Positions of the first ``wanted`` different possible items of each person; ``at`` ascends.

    Examples
    --------
    >>> kept(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 5]), np.ones(4, bool), np.array([2, 1])).tolist()
    [0, 2, 3]
    """
    rows = np.flatnonzero(possible)
    pair = at[rows] * (int(item.max(initial=0)) + 1) + item[rows]
    rows = rows[np.sort(np.unique(pair, return_index=True)[1])]
    begins = np.searchsorted(at[rows], np.arange(len(wanted)))
    found: np.ndarray = rows[np.arange(len(rows)) - begins[at[rows]] < wanted[at[rows]]]
    return found


def words() -> tuple[dict[str, list[str]], dict[str, str]]:
    """Words of each topic, and the phrase of each mood."""
    table = tomllib.loads((files("warmstart.data") / "synthetic_words.toml").read_text(encoding="utf-8"))
    return table["topics"], table["moods"]


def kinds() -> list[tuple[str, str]]:
    """Topic and mood of each cluster: all topics in one mood first.

    Examples
    --------
    >>> len(kinds()), kinds()[0], kinds()[20]
    (200, ('space', 'winter'), ('space', 'sea'))
    """
    topics, moods = words()
    return [(topic, mood) for mood, topic in product(moods, topics)]
