"""A control that must lose: the same system with the texts shuffled among the items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.split import Split
from warmstart.evaluate.ask import System, ask
from warmstart.evaluate.intervals import intervals, paired
from warmstart.evaluate.metrics import ranking
from warmstart.evaluate.report import Control


def shuffle_texts(data: Dataset, seed: int = 0) -> Dataset:
    """Every item with the description (all columns but the id, and the features) of another, drawn at random.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> shuffled = shuffle_texts(example(), seed=1)
    >>> shuffled.catalog.table["item_id"].to_list(), sorted(shuffled.catalog.table["title"].to_list())
    (['a', 'b', 'c', 'd'], ['Ant', 'Bee', 'Cat', 'Dog'])
    """
    order = np.random.default_rng(seed).permutation(data.n_items)
    table = data.catalog.table
    described = table.drop(ITEM_ID)
    described = described[order.astype(np.uint32)] if described.width else described
    catalog = Catalog(described.insert_column(0, table[ITEM_ID]))
    return replace(data, catalog=catalog, features=None if data.features is None else data.features[order])


def shuffled_text_control(
    fit: Callable[[Dataset], System],
    split: Split,
    *,
    k: int = 10,
    measure: str = "ndcg",
    seed: int = 0,
    n_boot: int = 1000,
) -> Control:
    """Fit on right and on shuffled texts and compare; a system that uses text must lose by the shuffling.

    Parameters
    ----------
    fit
        From training data to a system, e.g. ``Engine().fit``.
    split, k, measure
        The task, the places that count, and the name of the measure.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> from warmstart.experts.popularity import Popularity
    >>> shuffled_text_control(Popularity().fit, last_n(example()), n_boot=20).lost
    False
    """
    values = []
    for train in (split.train, shuffle_texts(split.train, seed)):
        task = replace(split, train=train)
        values.append(ranking(ask(fit(train), task, k), split.targets, k)[measure])
    intact, shuffled = intervals(np.column_stack(values), n_boot, seed=seed)
    return Control(f"{measure}@{k}", intact, shuffled, paired(values[0], values[1], n_boot, seed=seed))
