"""Small systems and worlds with a known answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary
from warmstart.errors import NotFitted


def planted(n_users: int = 60, n_items: int = 40, per_user: int = 12, seed: int = 0) -> Dataset:
    """Even users like even items, odd users odd ones; the genre tells which; features are the genre."""
    rng = np.random.default_rng(seed)
    popular = 1 / (1 + np.arange(n_items // 2))
    picks = [rng.choice(n_items // 2, per_user, replace=False, p=popular / popular.sum()) * 2 for _ in range(n_users)]
    item = np.concatenate([p + u % 2 for u, p in enumerate(picks)])
    user = np.repeat(np.arange(n_users), per_user)
    table = pl.DataFrame(
        {
            "item_id": [f"i{i}" for i in range(n_items)],
            "genres": ["Even" if i % 2 == 0 else "Odd" for i in range(n_items)],
        }
    )
    features = np.eye(2, dtype=np.float32)[np.arange(n_items) % 2]
    x = Interactions.of(user, item, n_users, n_items, time=rng.integers(0, 1000, len(item)))
    return Dataset(x, Catalog(table), Vocabulary(f"u{u}" for u in range(n_users)), features=features)


@dataclass
class ParityEngine:
    """An engine in 20 lines: the genre of the history, most popular first."""

    data: Dataset | None = None
    asked: tuple = ()

    @property
    def data_fingerprint(self) -> str | None:
        return None if self.data is None else self.data.fingerprint()

    def fit(self, data: Dataset) -> ParityEngine:
        self.data = data
        return self

    def recommend(
        self,
        users: Sequence[str] | None = None,
        histories: Sequence[Sequence[str]] | None = None,
        *,
        k: int = 10,
        candidates: Sequence[str] | None = None,
        exclude_seen: bool = True,
    ) -> pl.DataFrame:
        if self.data is None:
            raise NotFitted("fit first")
        self.asked = (users, k)
        items = self.data.catalog.items
        rows = [items.codes(h) for h in histories]
        wanted = None if candidates is None else items.codes(candidates)
        codes = ParityRanker(self.data)(Histories.of(rows, len(items)), k, wanted)
        query, place = np.nonzero(codes >= 0)
        names = items.names(codes[query, place].tolist())
        table = pl.DataFrame({"query": query, "item_id": names, "score": -place.astype(float), "rank": place + 1})
        return table.sample(fraction=1.0, shuffle=True, seed=0)  # order of rows is no promise


@dataclass
class ParityRanker:
    """The same as a function of codes, by the genre column."""

    data: Dataset

    def __call__(self, histories: Histories, k: int, candidates: np.ndarray | None = None) -> np.ndarray:
        genre = (self.data.catalog.table["genres"] == "Odd").to_numpy().astype(float)
        counts = self.data.interactions.item_counts()
        allowed = np.ones(len(genre), bool) if candidates is None else np.isin(np.arange(len(genre)), candidates)
        out = np.full((len(histories), k), -1, np.int32)
        for q in range(len(histories)):
            history = histories.row(q)
            likes = genre[history].mean() if len(history) else 0.5
            score = 1000 * (1 - np.abs(genre - likes)) + counts
            ranked = [i for i in np.argsort(-score, kind="stable") if allowed[i] and i not in set(history.tolist())][:k]
            out[q, : len(ranked)] = ranked
        return out


@pytest.fixture(scope="session")
def make_planted():
    return planted


@pytest.fixture(scope="session")
def engine_class():
    return ParityEngine


@pytest.fixture(scope="session")
def ranker_class():
    return ParityRanker
