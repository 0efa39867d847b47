"""Walks through the graph from what somebody took."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.histories import Histories
from warmstart.data.toy import checkerboard
from warmstart.errors import ConfigError
from warmstart.experts.graph import PersonalisedPageRank, largest, relation_weights


def graph_of(rows):
    return KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))


def known(rows, users=4, items=6):
    return replace(checkerboard(users, items), graph=graph_of(rows))


def by_hand(data, expert):
    """PageRank by its definition, on a dense matrix without pruning: shape (n_items, n_items)."""
    index = data.graph.index
    place = index.entities.codes(list(data.catalog.items.ids))
    weight = relation_weights(index, place, data, expert.floor)
    p = np.zeros((len(index.entities),) * 2)
    for v in range(len(p)):
        for edge in range(index.indptr[v], index.indptr[v + 1]):
            p[v, index.neighbour[edge]] += weight[index.relation[edge]]
    p /= np.maximum(p.sum(1, keepdims=True), 1e-12)
    power = [np.linalg.matrix_power(p, step) for step in range(1, expert.steps + 1)]
    visits = sum(expert.restart * (1 - expert.restart) ** (t + 1) * at for t, at in enumerate(power))
    out = np.zeros((data.n_items,) * 2)
    for i, one in enumerate(place):
        for j, other in enumerate(place):
            if i != j and min(one, other) >= 0:
                out[i, j] = visits[one, other]
    return out


ROWS = [("i0", "by", "ann"), ("i1", "by", "ann"), ("i1", "in", "noir"), ("i2", "in", "noir"), ("ann", "from", "rome")]


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_scores_are_those_of_the_formula(steps):
    data, expert = known([*ROWS, ("i3", "from", "rome")]), PersonalisedPageRank(steps=steps)
    fitted, n = expert.fit(data), data.n_items
    one_each = fitted.score(Histories.of([[i] for i in range(n)], n))
    np.testing.assert_allclose(one_each[:4, :4], by_hand(data, expert)[:4, :4], atol=1e-6)
    both = fitted.score(Histories.of([[0, 2]], n))[0]
    np.testing.assert_allclose(both[:4], one_each[0, :4] + one_each[2, :4], atol=1e-6)


def test_of_what_the_graph_does_not_speak_it_cannot_say():
    data = known(ROWS)
    scores = PersonalisedPageRank().fit(data).score(Histories.of([[0], [5], []], data.n_items))
    assert np.isfinite(scores[0, :3]).all()
    assert np.isnan(scores[0, 3:]).all()
    assert np.isnan(scores[1:]).all()


@pytest.mark.parametrize(
    "graph", [None, graph_of(ROWS).__class__(graph_of(ROWS).triples[:0]), graph_of([("x", "r", "y")])]
)
def test_without_facts_of_items_there_is_no_expert(graph):
    assert PersonalisedPageRank().fit(replace(checkerboard(4, 6), graph=graph)) is None


def test_new_items_are_not_spoken_of():
    data = known(ROWS)
    grown = PersonalisedPageRank().fit(data).grow(np.zeros((2, 3), np.float32))
    scores = grown.score(Histories.of([[0, 6]], data.n_items + 2))
    assert scores.shape == (1, 8)
    assert np.isnan(scores[0, 6:]).all()
    assert np.isfinite(scores[0, 1])


def test_hubs_are_not_walked_through():
    rows = [(f"i{i}", "in", "films") for i in range(200)] + [("i0", "by", "ann"), ("i1", "by", "ann")]
    data = known(rows, users=4, items=200)
    near = PersonalisedPageRank(hub=0.2).fit(data).score(Histories.of([[0]], 200))[0]
    assert near[1] > 0
    assert not near[2:].any()
    assert PersonalisedPageRank(hub=1.0).fit(data).score(Histories.of([[0]], 200))[0, 2:].all()


def test_relations_weigh_by_how_alike_their_items_are_taken():
    rows = [(f"i{i}", "parity", f"p{i % 2}") for i in range(12)] + [(f"i{i}", "half", f"h{i // 6}") for i in range(12)]
    data = known(rows, users=12, items=12)
    index = data.graph.index
    weight = relation_weights(index, index.entities.codes(list(data.catalog.items.ids)), data, 0.1)
    told = dict(zip(index.relations.ids, weight.tolist(), strict=True))
    assert told["parity"] > 1.5 * told["half"]
    assert weight.mean() == pytest.approx(1)


def test_walks_leave_the_graph_as_it_was():
    data = known([*ROWS, ("i0", "about", "ann")])  # two relations between the same two
    before = [a.copy() for a in (data.graph.index.indptr, data.graph.index.neighbour, data.graph.index.relation)]
    one, other = (PersonalisedPageRank().fit(data) for _ in range(2))
    after = (data.graph.index.indptr, data.graph.index.neighbour, data.graph.index.relation)
    for was, now in zip(before, after, strict=True):
        np.testing.assert_array_equal(was, now)
    assert (one.near != other.near).nnz == 0


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_largest_of_each_row(seed, keep):
    rows = sp.random(7, 9, density=0.6, format="csr", random_state=seed)
    found = largest(rows, keep).toarray()
    for before, after in zip(rows.toarray(), found, strict=True):
        np.testing.assert_allclose(np.sort(after)[::-1][:keep], np.sort(before)[::-1][:keep])
        assert (after > 0).sum() == min(keep, (before > 0).sum())


@pytest.mark.parametrize("wrong", [{"restart": 0.0}, {"restart": 1.0}, {"steps": 0}, {"keep": 0}, {"floor": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match="take a restart"):
        PersonalisedPageRank(**wrong)
