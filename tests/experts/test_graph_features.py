"""Blocks of features that a graph gives."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.experts.features import FeatureSpace
from warmstart.experts.graph_features import Degrees, GraphSpace, by_relation, fact_tokens, told_once

FILMS = Catalog(pl.DataFrame({"item_id": list("abcdef"), "title": list("ABCDEF")}))
FACTS = [
    *[(film, "by", "ann") for film in "abc"],
    *[(film, "by", "bob") for film in "def"],
    *[(film, "stars", "cid") for film in "abcd"],
    ("a", "stars", "dan"),
]


def graph_of(rows):
    return KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))


@pytest.fixture
def text():
    return np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


def placed(space, text, graph, catalog=FILMS):
    fitted = space.fit(FILMS, graph, text)
    rows = fact_tokens(catalog, graph)
    return fitted, np.hstack([fitted.facts.apply(rows), fitted.besides(rows, text)])


def test_items_that_share_facts_lie_together(text):
    fitted, z = placed(GraphSpace(dim=4, min_count=1, max_share=1.0, degrees=0), text, graph_of(FACTS))
    near = z @ z.T
    assert near[0, 1] > near[0, 4] + 0.2
    assert fitted.width == 0
    np.testing.assert_array_less(np.linalg.norm(z, axis=1), 1 + 1e-5)


def test_degrees_are_standardised_logs_and_zero_where_nothing_is_known():
    degrees = Degrees.fit([["r>a", "r>b", "s<c"], ["r>a"], []])
    assert degrees.relations == ("r>", "s<")
    np.testing.assert_allclose(degrees.mean, [np.log([3, 2]).mean(), np.log(2) / 2], rtol=1e-6)
    found = degrees.apply([["r>a", "r>b", "s<c"], ["r>x", "t>y"], []])
    np.testing.assert_allclose(found[0], [2**-0.5, 2**-0.5], rtol=1e-5)
    assert found[1, 0] < 0
    assert not found[2].any()


def test_metapaths_are_spaces_of_one_relation_each(text):
    space = GraphSpace(dim=0, min_count=1, max_share=1.0, degrees=0, metapaths=2, metapath_scale=2.0)
    fitted, z = placed(space, text, graph_of(FACTS))
    assert [sorted(path.tokens) for path in fitted.metapaths] == [["by>ann", "by>bob"], ["stars>cid", "stars>dan"]]
    np.testing.assert_allclose(z[1] @ z[2], 2.0**2 / 2 * 2, rtol=1e-4)  # both relations agree
    assert z[1] @ z[4] == pytest.approx(0, abs=1e-5)


def test_text_is_carried_by_what_items_share(text):
    space = GraphSpace(min_count=1, max_share=1.0, degrees=0, rounds=1, text_scale=1.0)
    fitted, _ = placed(space, text, graph_of(FACTS))
    carried = fitted.besides(fact_tokens(FILMS, graph_of(FACTS)), text)
    ann = text[:3].mean(0)
    np.testing.assert_allclose(fitted.carried.entities[fitted.facts.tokens["by>ann"]], ann, rtol=1e-5)
    told = 0.5 * text[4] + 0.5 * text[3:].mean(0)  # e has one fact: its director
    np.testing.assert_allclose(carried[4], told / np.linalg.norm(told), rtol=1e-4)
    twice = replace(space, rounds=2).fit(FILMS, graph_of(FACTS), text)
    assert not np.allclose(twice.carried.entities, fitted.carried.entities)


def test_a_new_item_without_text_has_that_of_its_facts(text):
    space = GraphSpace(min_count=1, max_share=1.0, rounds=1, text_scale=1.0)
    fitted = space.fit(FILMS, graph_of(FACTS), text)
    new = fitted.besides([["by>ann"], []], np.zeros((2, 4), np.float32))
    ann = text[:3].mean(0)
    np.testing.assert_allclose(new[0, -4:], ann / np.linalg.norm(ann), rtol=1e-4)
    assert not new[1].any()


def test_facts_that_are_told_twice_count_once():
    facts = [("a", "by", "ann"), ("ann", "wrote", "a"), ("a", "author", "ann"), ("a", "next", "b"), ("b", "next", "a")]
    graph = graph_of(facts)
    rows = told_once(fact_tokens(Catalog(FILMS.table[:2]), graph), graph)
    assert rows[0] == ["author>ann", "next>b", "next<b"]
    assert list(by_relation(rows)) == ["author>", "next<", "next>"]


@pytest.mark.parametrize("graph", [None, graph_of([("x", "r", "y")]), KnowledgeGraph(graph_of(FACTS).triples[:0])])
def test_a_graph_that_says_nothing_adds_nothing(text, graph):
    fitted, z = placed(GraphSpace(metapaths=3, rounds=2), text, graph)
    assert z.shape == (6, fitted.width)
    assert not z[:, : -4 or None].any()


def test_new_and_old_items_are_placed_alike_with_everything_on():
    toy = clusters(seed=0)
    text = np.random.default_rng(1).normal(size=(toy.n_items, 5)).astype(np.float32)
    space = FeatureSpace(graph=GraphSpace(metapaths=4, rounds=2)).fit(toy.catalog, text, toy.graph)
    z = space.items(toy.catalog, text, toy.graph)
    some = Catalog(toy.catalog.table[5:8])
    np.testing.assert_allclose(space.items(some, text[5:8], toy.graph), z[5:8], atol=1e-5)
    assert space.texts(text[:2]).shape[1] == z.shape[1]


@pytest.mark.parametrize("wrong", [{"dim": -1}, {"metapaths": -2}, {"rounds": -1}, {"max_share": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match="at least 0"):
        GraphSpace(**wrong)
