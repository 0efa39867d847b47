"""The index of a graph: each fact once, from both ends."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.adjacency import Adjacency
from warmstart.data.path_count import PathCount
from warmstart.data.vocab import Vocabulary

NAMES = st.sampled_from("abcdefg")
TRIPLES = st.lists(st.tuples(NAMES, st.sampled_from(["r", "s", "t"]), NAMES), max_size=25)
SCHEMA = dict.fromkeys(("head", "relation", "tail"), pl.String)


def graph(rows):
    return Adjacency.of(pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def edges(index):
    names, out = index.entities.ids, set()
    for v, name in enumerate(names):
        row = index.row(v)
        for u, r, f in zip(index.neighbour[row], index.relation[row], index.forward[row], strict=True):
            out.add((name, index.relations.ids[r], names[u]) if f else (names[u], index.relations.ids[r], name))
    return out


def test_relations_told_from_both_ends_are_one():
    rows = [(f"film{i}", "directed_by", f"person{i % 3}") for i in range(9)]
    rows += [(f"film{i}", "genre", "crime") for i in range(9)]
    index = graph(rows + [(t, "director_of", h) for h, r, t in rows if r == "directed_by"])
    assert edges(index) == set(rows)
    assert (len(index), index.doubled, dict(index.kept)) == (18, 9, {"director_of": "directed_by"})
    assert index.told_as("directed_by") == ["director_of"]
    assert index.degree[index.entities.codes(["crime", "person0", "film0"])].tolist() == [9, 3, 2]


def test_a_symmetric_relation_is_one_fact_a_pair():
    index = graph([("a", "spouse", "b"), ("b", "spouse", "a"), ("c", "spouse", "d"), ("d", "spouse", "c")])
    assert edges(index) == {("a", "spouse", "b"), ("c", "spouse", "d")}


def test_relations_that_share_few_pairs_stay_apart():
    rows = [("f1", "directed_by", "p"), ("f2", "directed_by", "q"), ("p", "produced", "f1"), ("p", "produced", "f3")]
    assert edges(graph(rows)) == set(rows)


def test_loops_and_missing_parts_and_repeats_are_left_out():
    index = graph([("a", "r", "a"), ("a", "r", "b"), ("a", "r", "b"), (None, "r", "b"), ("a", "r", None)])
    assert (edges(index), index.loops, index.doubled) == ({("a", "r", "b")}, 1, 1)


def test_an_empty_graph_has_nothing():
    index = graph([])
    assert (len(index), index.entities.ids, index.degree.tolist()) == (0, (), [])


def test_specificity_and_rarity_fall_with_facts():
    index = graph([("a", "r", "hub"), ("b", "r", "hub"), ("c", "r", "hub"), ("a", "s", "x")])
    of = dict(zip(index.entities.ids, index.specificity.tolist(), strict=True))
    assert of["x"] == 1.0
    assert of["hub"] == pytest.approx(1 - np.log(3) / np.log(5))
    assert index.rarity.tolist() == pytest.approx([1 - np.log(3) / np.log(4), 1.0])


@given(TRIPLES, st.randoms())
def test_rows_hold_each_fact_twice_in_whatever_order_it_was_told(rows, random):
    index = graph(rows)
    mixed = rows[:]
    random.shuffle(mixed)
    assert np.array_equal(graph(mixed).neighbour, index.neighbour)
    assert index.degree.sum() == 2 * len(index) == 2 * len(edges(index))
    assert index.loops + index.doubled + len(index) == len(rows)
    told = {frozenset((h, t)) for h, _, t in rows if h != t}
    assert {frozenset((h, t)) for h, _, t in edges(index)} == told
    for v in range(len(index.entities)):
        assert (np.diff(index.neighbour[index.row(v)]) >= 0).all()


@given(TRIPLES, st.lists(st.integers(0, 4), max_size=3))
def test_counts_are_those_of_sets(rows, history):
    index, items = graph(rows), Vocabulary("abcde")
    counts = PathCount.of(index, items, hub=6)
    near = {v: set() for v in items.ids}
    for h, _, t in edges(index):
        for one, other in ((h, t), (t, h)):
            if one in near and index.degree[index.entities.codes([other])[0]] <= 6:
                near[one].add(other)
    sets = sp.csr_matrix((np.ones(len(history)), (np.zeros(len(history), int), history)), shape=(1, 5))
    around = set().union(*(near[items.ids[i]] for i in history))
    shared = [around & (near[v] | {v}) for v in items.ids]
    special = dict(zip(index.entities.ids, index.specificity.tolist(), strict=True))
    count, weight = counts(sets)
    assert count[0].tolist() == [len(s) for s in shared]
    assert weight[0] == pytest.approx([sum(special[v] for v in s) for s in shared], abs=1e-5)
    pairs = counts.pairs(sets, np.zeros(5, int), np.arange(5))
    assert np.allclose(pairs[0], count[0])
    assert np.allclose(pairs[1], weight[0])


def test_items_that_are_new_have_no_counts():
    counts = PathCount.of(graph([("a", "by", "x"), ("b", "by", "x")]), Vocabulary(["a", "b", "new"]))
    assert counts(sp.csr_matrix(np.eye(3)[[0, 2]]))[0].tolist() == [[1, 1, 0], [0, 0, 0]]
