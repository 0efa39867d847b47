"""Planted worlds of ratings."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary


@pytest.fixture(scope="session")
def rated_data():
    """A dataset from pairs and ratings; ``items`` and ``people`` are further columns, ``features`` Z."""

    def make(user, item, rating, n_users, n_items, items=None, people=None, features=None, time=None):
        table = pl.DataFrame({"item_id": [f"i{i}" for i in range(n_items)], **(items or {})})
        return Dataset(
            Interactions.of(np.asarray(user), np.asarray(item), n_users, n_items, rating=rating, time=time),
            Catalog(table.with_columns(title="item " + pl.col("item_id"))),
            Vocabulary(f"u{u}" for u in range(n_users)),
            user_table=None if people is None else pl.DataFrame(people),
            features=features,
        )

    return make


@pytest.fixture(scope="session")
def planted(rated_data):
    """Low rank plus biases plus noise, its step or none; returns the data to learn from, and pairs that are hidden."""

    def make(seed=0, n_users=60, n_items=40, density=0.6, noise=0.4, step=None, hidden=0.2, **more):
        rng = np.random.default_rng(seed)
        truth = 3 + 0.4 * rng.normal(size=(n_users, 1)) + 0.4 * rng.normal(size=n_items)
        truth = truth + 0.8 * rng.normal(size=(n_users, 2)) @ rng.normal(size=(2, n_items))
        values = truth + noise * rng.normal(size=truth.shape)
        if step:
            values = np.clip(np.round(values / step) * step, 1, 5)
        user, item = np.nonzero(rng.random(truth.shape) < density)
        out = rng.random(len(user)) < hidden
        kept = user[~out], item[~out], values[user[~out], item[~out]]
        data = rated_data(*kept, n_users, n_items, **more)
        return data, user[out], item[out], values[user[out], item[out]]

    return make
