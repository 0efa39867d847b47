"""Controls that must lose: the same system with the texts shuffled among the items, or the facts of the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.graph_relations import same_relations
from warmstart.data.split import Split
from warmstart.errors import DataError
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


def shuffle_graph(data: Dataset, seed: int = 0) -> Dataset:
    """Every relation with its tails drawn anew among its triples: who has how many facts stays, which ones does not.

    Relations that tell another's facts again, from either end, are left out first: they would tell of others.

    Examples
    --------
    >>> import polars as pl
    >>> from warmstart.data.example import example
    >>> from warmstart.data.graph import KnowledgeGraph
    >>> facts = pl.DataFrame({"head": list("abcd"), "relation": ["by"] * 4, "tail": ["x", "x", "y", "z"]})
    >>> shuffled = shuffle_graph(replace(example(), graph=KnowledgeGraph(facts)), seed=2).graph.triples
    >>> shuffled["head"].to_list(), sorted(shuffled["tail"].to_list())
    (['a', 'b', 'c', 'd'], ['x', 'x', 'y', 'z'])
    """
    if data.graph is None:
        raise DataError("there is no graph to shuffle; give one, e.g. by --graph")
    facts, rng = data.graph.triples, np.random.default_rng(seed)
    told = facts.filter(~pl.col("relation").is_in(list(same_relations(facts))))
    parts = told.partition_by("relation", maintain_order=True)
    drawn = [part.with_columns(part["tail"][rng.permutation(len(part)).astype(np.uint32)]) for part in parts]
    return replace(data, graph=replace(data.graph, triples=pl.concat(drawn) if drawn else facts))


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
