"""Small data with known answers, for tests and first steps."""

from __future__ import annotations

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary

START = 1_577_836_800  # 2020-01-01
DAY = 86_400
THEMES = (
    ("space", "宇宙", ("Star", "Orbit", "Galaxy", "Rocket"), ("星际", "飞船", "银河", "火箭")),
    ("crime", "犯罪", ("Murder", "Detective", "Alibi", "Heist"), ("谋杀", "侦探", "证词", "劫案")),
    ("romance", "爱情", ("Love", "Wedding", "Kiss", "Letter"), ("恋人", "婚礼", "初吻", "情书")),
    ("cooking", "美食", ("Kitchen", "Bread", "Chef", "Spice"), ("厨房", "面包", "厨师", "香料")),
    ("sports", "体育", ("Goal", "Race", "Coach", "Final"), ("进球", "赛跑", "教练", "决赛")),
    ("music", "音乐", ("Song", "Guitar", "Choir", "Rhythm"), ("歌声", "吉他", "合唱", "节奏")),
)
AGES = (12, 60, 30, 45, 20, 70)


def checkerboard(n_users: int = 20, n_items: int = 20, *, seed: int = 0) -> Dataset:
    """Even users like even items, odd users odd ones; the pair (u, u) is withheld: it is the right answer.

    Examples
    --------
    >>> data = checkerboard(4, 4)
    >>> data.interactions.matrix().toarray().astype(int).tolist()
    [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]
    """
    user, item = np.nonzero(
        (np.arange(n_users)[:, None] % 2 == np.arange(n_items) % 2)
        & (np.arange(n_users)[:, None] != np.arange(n_items))
    )
    time = START + np.random.default_rng(seed).permutation(len(user)).astype(np.int64) * 60
    items = [f"i{i}" for i in range(n_items)]
    titles = [("Even" if i % 2 == 0 else "Odd") + f" number {i}" for i in range(n_items)]
    return Dataset(
        Interactions.of(user, item, n_users, n_items, time=time),
        Catalog(pl.DataFrame({"item_id": items, "title": titles}, schema={"item_id": pl.String, "title": pl.String})),
        Vocabulary(f"u{u}" for u in range(n_users)),
    )


def clusters(
    n_users: int = 200,
    n_items: int = 120,
    n_clusters: int = 4,
    *,
    noise: float = 0.05,
    new_items: float = 0.1,
    seed: int = 0,
) -> Dataset:
    """Planted themes: user u and item i belong to themes ``u % n_clusters`` and ``i % n_clusters`` and meet there.

    Titles (every other one Chinese), a ``genre``, the graph and the users' age all tell the theme. Users have 1 to 30
    events, popularity within a theme falls off, and the last ``new_items`` of the catalogue have no event.

    Parameters
    ----------
    noise
        Share of events outside the user's theme.
    new_items
        Share of the catalogue nobody has met.

    Examples
    --------
    >>> data = clusters(seed=1)
    >>> data.catalog.title(0), data.catalog.title(1), int((data.interactions.item_counts()[-12:]).sum())
    ('The Orbit of the Galaxy 0', '侦探与谋杀 1', 0)
    """
    rng = np.random.default_rng(seed)
    known = n_items - round(new_items * n_items)
    rows = [_events(rng, u, known, n_clusters, noise) for u in range(n_users)]
    user = np.repeat(np.arange(n_users), [len(r) for r in rows])
    item = np.concatenate(rows)
    rating = np.clip(np.where(item % n_clusters == user % n_clusters, 4, 2) + rng.integers(-1, 2, len(item)), 1, 5)
    time = START + rng.integers(0, 365 * DAY, len(item))
    x = Interactions.of(user, item, n_users, n_items, rating=rating.astype(np.float32), time=time)
    users = Vocabulary(f"u{u}" for u in range(n_users))
    return Dataset(
        x, _catalog(rng, n_items, n_clusters), users, _graph(n_items, n_clusters), _people(rng, n_users, n_clusters)
    )


def _events(rng: np.random.Generator, user: int, known: int, n_clusters: int, noise: float) -> np.ndarray:
    """Distinct items of one user, mostly of the theme, popular ones more often."""
    own = np.arange(known) % n_clusters == user % n_clusters
    weight = np.where(own, 1 - noise, noise / max(1, n_clusters - 1)) / (1 + np.arange(known) // n_clusters) ** 0.5
    n = min(int(rng.integers(1, 31)), int(own.sum()))
    return rng.choice(known, size=n, replace=False, p=weight / weight.sum())


def _catalog(rng: np.random.Generator, n_items: int, n_clusters: int) -> Catalog:
    titles = []
    for i in range(n_items):
        _, _, english, chinese = THEMES[i % n_clusters % len(THEMES)]
        a, b = rng.choice(len(english), 2, replace=False)
        titles.append(f"{chinese[a]}与{chinese[b]} {i}" if i % 2 else f"The {english[a]} of the {english[b]} {i}")
    table = {
        "item_id": [f"i{i}" for i in range(n_items)],
        "title": titles,
        "genre": [THEMES[i % n_clusters % len(THEMES)][0] for i in range(n_items)],
        "year": rng.integers(1960, 2021, n_items),
    }
    return Catalog(pl.DataFrame(table))


def _graph(n_items: int, n_clusters: int) -> KnowledgeGraph:
    """Every item has one of five makers of its theme; makers are linked to the theme."""
    made = [(f"i{i}", "made_by", f"maker{i % n_clusters}_{i // n_clusters % 5}") for i in range(n_items)]
    works = [(f"maker{c}_{m}", "works_in", THEMES[c % len(THEMES)][1]) for c in range(n_clusters) for m in range(5)]
    return KnowledgeGraph(pl.DataFrame(made + works, schema=["head", "relation", "tail"], orient="row"))


def _people(rng: np.random.Generator, n_users: int, n_clusters: int) -> pl.DataFrame:
    theme = np.arange(n_users) % n_clusters
    age = np.array(AGES)[theme % len(AGES)] + rng.integers(-3, 4, n_users)
    return pl.DataFrame({"age": age, "city": rng.choice(["Oslo", "北京", "Lima"], n_users).tolist()})
