"""Relations of a graph as blocks of the machine."""

from dataclasses import replace

import numpy as np
import polars as pl

from warmstart.data.graph import KnowledgeGraph
from warmstart.experts.ratings.graph_blocks import graph_blocks
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.rated import Rated


def with_graph(data, rows):
    return replace(data, graph=KnowledgeGraph(pl.DataFrame(rows, ["head", "relation", "tail"], orient="row")))


def test_a_block_for_each_relation_of_ends_met_often_enough(planted):
    data = planted(0)[0]
    by = [(f"i{i}", "by", f"d{i % 3}") for i in range(12)]
    about = [(f"i{i}", "about", t) for i in range(8) for t in ("war", "love")]
    alone = [(f"i{i}", "made_in", "there") for i in range(20)]
    blocks = graph_blocks(with_graph(data, by + about + alone + [("i20", "by", "d9")]))
    assert [block.shape for block in blocks] == [(40, 2), (40, 3)]
    for block in blocks:
        length = np.sqrt(np.asarray(block.multiply(block).sum(1))).ravel()
        assert np.isin(length.round(6), [0, 1]).all()
    assert graph_blocks(data) == []


def test_a_relation_of_too_many_ends_is_left_out(planted):
    data = planted(0, n_items=64)[0]
    rows = [(f"i{i}", "by", f"d{i // 3}") for i in range(60)]
    assert graph_blocks(with_graph(data, rows)) == []


def test_relations_tell_items_apart_that_nobody_rated(planted):
    """Items are good or bad by who made them; the last ten have no ratings."""
    data = planted(0)[0]
    rng = np.random.default_rng(0)
    user, item = np.nonzero((rng.random((60, 40)) < 0.3) & (np.arange(40) < 30))
    rating = (3 + 1.5 * np.where(item % 2, 1, -1) + 0.3 * rng.normal(size=len(item))).astype(np.float32)
    x = type(data.interactions).of(user, item, 60, 40, rating=rating)
    data = with_graph(data.with_interactions(x), [(f"i{i}", "by", f"d{i % 2}") for i in range(40)])
    unrated = np.arange(30, 40)
    truth = 3 + 1.5 * np.where(unrated % 2, 1, -1)
    off = []
    for graph in (False, True):
        one = FactorisationMachine((Chain(ordered=False, graph=graph),), rank=1, steps=60, dropped=20, kept=10)
        fitted = one.fit(data, Rated.of(data.interactions), np.empty(0))
        off.append(np.abs(fitted.predict(data.histories(np.arange(1)), np.zeros(10, int), unrated) - truth).mean())
    assert off[1] < 0.5 * off[0]
