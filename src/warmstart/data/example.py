"""The smallest data set on which splits and measures can be checked by hand; the documentation uses it."""

from __future__ import annotations

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary


def example() -> Dataset:
    """Three users, four items, twelve events at times 0 to 11, the users taking turns.

    Examples
    --------
    >>> example().interactions.matrix().toarray().sum(axis=0).tolist()
    [3.0, 3.0, 3.0, 3.0]
    """
    user = np.repeat([0, 1, 2], 4)
    item = np.array([0, 1, 2, 3, 1, 2, 3, 0, 2, 3, 0, 1])
    time = np.tile(np.arange(4), 3) * 3 + user
    items = Catalog(pl.DataFrame({"item_id": list("abcd"), "title": ["Ant", "Bee", "Cat", "Dog"]}))
    return Dataset(Interactions.of(user, item, 3, 4, time=time), items, Vocabulary(["u", "v", "w"]))
