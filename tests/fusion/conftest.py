"""Toy data with features, and what is known of its items."""

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.fusion.support import Support


@pytest.fixture(scope="module")
def data():
    toy = clusters(seed=0)
    z = np.random.default_rng(0).normal(size=(toy.n_items, 4)) + np.array([0, 0, 0, 3.0])
    return toy.with_features(z.astype(np.float32))


@pytest.fixture(scope="module")
def support(data):
    return Support.fit(data)
