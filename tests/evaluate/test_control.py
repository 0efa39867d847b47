"""Graphs whose facts are shuffled."""

from dataclasses import replace

import polars as pl
import pytest

from warmstart.data.example import example
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.toy import clusters
from warmstart.errors import DataError
from warmstart.evaluate.control import shuffle_graph


def test_who_has_how_many_facts_stays_and_which_does_not():
    data = clusters(seed=0)
    before, after = data.graph.triples, shuffle_graph(data, seed=1).graph.triples
    for end in ("head", "tail"):
        counts = [t.group_by("relation", end).len().sort("relation", end) for t in (before, after)]
        assert counts[0].equals(counts[1])
    assert before.join(after, on=before.columns, how="semi").height < 0.7 * before.height
    assert shuffle_graph(data, seed=1).graph.triples.equals(after)


def test_the_other_end_of_a_fact_tells_no_other_tale():
    rows = [(f"i{i}", "by", f"p{i % 3}") for i in range(9)]
    told = [*rows, *((tail, "made", head) for head, _, tail in rows)]
    graph = KnowledgeGraph(pl.DataFrame(told, schema=["head", "relation", "tail"], orient="row"))
    shuffled = shuffle_graph(replace(example(), graph=graph)).graph.triples
    assert shuffled["relation"].unique().to_list() == ["by"]
    assert shuffled.height == 9


def test_no_graph_is_told():
    with pytest.raises(DataError, match="no graph to shuffle"):
        shuffle_graph(example())


def test_a_graph_without_triples_stays_empty():
    graph = KnowledgeGraph(pl.DataFrame(schema=dict.fromkeys(("head", "relation", "tail"), pl.String)))
    assert not len(shuffle_graph(replace(example(), graph=graph)).graph)
