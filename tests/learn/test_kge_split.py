"""Held-out triples: everything asked for was met, and nothing gives the answer away."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_relations import same_relations
from warmstart.errors import ConfigError, DataError
from warmstart.learn.kge_split import TRIPLE, hold_out, told_once


def graph(rows):
    return pl.DataFrame(rows, schema=dict.fromkeys(TRIPLE, pl.String), orient="row")


def ring(n=30):
    return graph([(f"a{i}", r, f"a{(i + s) % n}") for i in range(n) for r, s in (("next", 1), ("skip", 2))])


def pairs(triples):
    return {frozenset((h, t)) for h, _, t in triples.rows()}


triples = st.lists(st.tuples(*(st.sampled_from(list("abcdef")), st.sampled_from("rs"), st.sampled_from("abcdef"))))


@given(triples.filter(bool), st.floats(0.05, 0.5), st.integers(0, 5))
def test_nothing_leaks_and_all_was_met(rows, share, seed):
    whole = graph(rows).unique()
    try:
        held = hold_out(whole, share, seed)
    except DataError:
        return
    assert held.train.height + held.test.height == whole.height
    assert not pairs(held.train) & pairs(held.test)
    met = {*held.train["head"], *held.train["tail"]}
    assert {*held.test["head"], *held.test["tail"]} <= met
    assert set(held.test["relation"]) <= set(held.train["relation"])


def test_an_inverse_goes_with_its_fact():
    both = KnowledgeGraph(ring()).with_inverses().triples
    held = hold_out(both, 0.1, 1)
    assert held.test.height >= 12
    assert not pairs(held.train) & pairs(held.test)
    assert held.test["relation"].str.starts_with("inverse:").sum() * 2 == held.test.height


def test_the_seed_decides():
    first, again, other = (hold_out(ring(), 0.2, seed).test.rows() for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 12


def test_share_nought_keeps_all():
    held = hold_out(ring(), 0.0)
    assert (held.train.height, held.test.height) == (60, 0)


def test_what_cannot_be_held_out_is_told():
    with pytest.raises(DataError, match=r"none of 2 triples can be held out.*test_share=0"):
        hold_out(graph([("a", "r", "b"), ("c", "r", "d")]), 0.5)
    with pytest.raises(ConfigError, match=r"test_share=1.5 is not in \[0, 1\)"):
        hold_out(ring(), 1.5)


def test_relations_are_told_once():
    rows = [(f"f{i}", "by", f"p{i % 3}") for i in range(9)]
    more = [(t, "did", h) for h, _, t in rows] + [(h, "made_by", t) for h, _, t in rows]
    whole = graph([*rows, *more, ("f0", "genre", "crime")])
    same = same_relations(whole)
    assert same == {"did": ("by", True), "made_by": ("by", False)}
    assert sorted(told_once(whole, same).rows()) == sorted([*rows, ("f0", "genre", "crime")])


def test_a_symmetric_relation_keeps_both_directions():
    whole = graph([("a", "near", "b"), ("b", "near", "a"), ("b", "near", "c"), ("c", "near", "b")])
    assert same_relations(whole) == {}
    assert told_once(whole, {}).height == 4
