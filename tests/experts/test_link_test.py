"""Graphs whose links name wrong items are found, and left out."""

import logging
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.toy import clusters
from warmstart.experts.link_test import ENOUGH, believed, link_test

N = 120


def world(order, items=N, seed=0):
    """Clusters in which each maker makes three items of a cluster; the graph says so of items in some order."""
    data = clusters(200, items, 4, seed=seed)
    column = next(c for c in data.catalog.table.columns if c in {"genre", "cluster", "theme", "genres"})
    kind = data.catalog.table[column].to_list()
    place: dict[str, int] = {}
    maker = [f"{k}_{(place.update({k: place.get(k, -1) + 1}) or place[k]) // 3}" for k in kind]
    table = pl.DataFrame({"item_id": list(data.catalog.items.ids), "maker": maker})
    told = table.select(pl.Series("head", np.array(data.catalog.items.ids)[order]), relation=pl.lit("by"), tail="maker")
    return replace(data, catalog=Catalog(table), graph=KnowledgeGraph(told))


@pytest.mark.parametrize("seed", range(4))
def test_right_links_are_borne_out_and_wrong_ones_not(seed):
    right, wrong = world(np.arange(N), seed=seed), world(np.random.default_rng(seed).permutation(N), seed=seed)
    assert link_test(right).borne_out is True
    assert link_test(wrong).borne_out is False
    assert link_test(right).alike == link_test(right).alike


def test_how_much_is_told_bears_a_graph_out_too():
    data = world(np.random.default_rng(0).permutation(N))
    counts = data.interactions.item_counts()
    rows = [(i, "won", f"{i}_{n}") for i, c in zip(data.catalog.items.ids, counts, strict=True) for n in range(c)]
    facts = pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")
    found = link_test(replace(data, graph=KnowledgeGraph(facts)))
    assert np.isnan(found.alike)  # no two items share a fact, in whatever order
    assert found.known > 3


def test_nothing_is_said_of_few_items_or_without_a_graph():
    data = world(np.arange(ENOUGH - 1), items=ENOUGH - 1)
    assert link_test(data).borne_out is None
    assert link_test(replace(data, graph=None)).borne_out is None
    bare = data.with_interactions(data.interactions.select(np.zeros(len(data.interactions), bool)))
    assert link_test(bare).borne_out is None


def test_a_graph_of_wrong_links_is_left_out_and_told(caplog):
    right, wrong = world(np.arange(N)), world(np.random.default_rng(0).permutation(N))
    with caplog.at_level(logging.WARNING):
        assert believed(right) is right
        assert believed(wrong, doubtful=True) is wrong
        assert not caplog.records
        assert believed(wrong).graph is None
    assert "doubtful_graph = true" in caplog.text
    silent = replace(wrong, catalog=Catalog(wrong.catalog.table.select("item_id")))
    assert believed(silent) is silent  # the catalogue says nothing alike
    alone = replace(right, graph=None)
    assert believed(alone) is alone


def test_where_too_little_is_known_the_graph_stays_with_a_warning(caplog):
    wrong = world(np.random.default_rng(0).permutation(N))
    few = wrong.with_interactions(wrong.interactions.select(wrong.interactions.item < ENOUGH - 5))
    assert believed(few) is few
    assert "too few events to tell" in caplog.text
