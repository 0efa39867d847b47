"""Small worlds for the experts."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary


@pytest.fixture(scope="session")
def make_data():
    """A dataset from a 0/1 matrix (users x items), with features if wanted."""

    def make(matrix, features=None, table=None):
        matrix = np.asarray(matrix)
        user, item = np.nonzero(matrix)
        n_users, n_items = matrix.shape
        items = pl.DataFrame(
            {"item_id": [f"i{i}" for i in range(n_items)], "title": [f"Item {i}" for i in range(n_items)]},
            schema={"item_id": pl.String, "title": pl.String},
        )
        return Dataset(
            Interactions.of(user, item, n_users, n_items),
            Catalog(items),
            Vocabulary(f"u{u}" for u in range(n_users)),
            user_table=table,
            features=None if features is None else np.asarray(features, np.float32),
        )

    return make


@pytest.fixture(scope="session")
def draw_world(make_data):
    """A random dataset of the given size: every user has an event, the last item has none."""

    def draw(seed, n_users, n_items, dim=3, density=0.35):
        rng = np.random.default_rng(seed)
        x = rng.random((n_users, n_items)) < density
        x[np.arange(n_users), rng.integers(0, n_items - 1, n_users)] = True
        x[:, -1] = False
        return make_data(x, rng.normal(size=(n_items, dim)))

    return draw
