"""What a graph is like, what is wrong with it, what lies around an entity."""

import polars as pl
import pytest

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_check import check_graph
from warmstart.data.graph_cycles import cycles
from warmstart.data.graph_join import join_graphs, known_by_name
from warmstart.data.graph_stats import graph_stats
from warmstart.data.neighbourhood import neighbourhood
from warmstart.data.toy import clusters
from warmstart.errors import DataError


def graph(rows, labels=None):
    return KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"), labels)


def names(report):
    return {f.name: f for f in report.findings}


def test_statistics_of_a_known_graph():
    g = graph([("a", "by", "x"), ("b", "by", "x"), ("b", "in", "y"), ("z1", "like", "z2")])
    found = graph_stats(g, pl.Series(["a", "b", "c"]))
    assert found.numbers == {
        "triples": 4,
        "facts": 4,
        "entities": 6,
        "relations": 3,
        "labels": 0,
        "components": 2,
        "items": 3,
        "items_linked": 2,
        "share_items_linked": 2 / 3,
    }
    assert found.relations.rows() == [("by", 2, 2, 1, 2), ("in", 1, 1, 1, 1), ("like", 1, 1, 1, 0)]
    assert found.degrees == {"min": 1, "p25": 1, "median": 1, "p75": 1, "p90": 2, "p99": 2, "max": 2}
    assert found.histogram.rows() == [(1, 1, 4), (2, 3, 2)]
    assert found.hubs["entity"].to_list()[:2] == ["b", "x"]
    assert found.components == (4, 2)
    assert graph_stats(g).relations["items"].to_list() == [None, None, None]
    assert found.to_dict()["hubs"][0] == {"entity": "b", "label": None, "degree": 2}


def test_an_empty_graph_has_statistics_and_a_problem():
    g = graph([])
    g = KnowledgeGraph(g.triples.cast(pl.String))
    assert graph_stats(g).numbers["entities"] == 0
    assert check_graph(g, pl.Series(["a"])).worst == "problem"


def test_a_healthy_graph():
    data = clusters()
    report = check_graph(data.graph, pl.Series(data.catalog.items.ids))
    assert set(names(report)) == {"components"}  # one a theme
    assert report.to_dict()["worst"] == report.worst == "advice"
    assert names(report)["components"].text == "4 components; the largest has 25% of the entities"


def test_no_item_is_a_problem():
    found = names(check_graph(graph([("m.1", "by", "Lem")]), pl.Series(["1", "2"])))["no_item"]
    assert found.severity == "problem"
    assert "--links" in found.advice


def test_items_without_facts():
    g = graph([("a", "by", "x"), ("b", "by", "x")])
    few = names(check_graph(g, pl.Series(list("abcde"))))["items_without_facts"]
    assert (few.severity, few.text) == ("warning", "3 of 5 items have no fact (c, d, e)")
    assert names(check_graph(g, pl.Series(list("abc"))))["items_without_facts"].severity == "advice"


def test_a_hub_of_fifty_thousand_facts_is_told():
    heads = pl.DataFrame({"head": [f"i{n}" for n in range(50_000)], "relation": "country", "tail": "US"})
    found = names(check_graph(KnowledgeGraph(heads), pl.Series(["i1"])))["hubs"]
    assert "1 entity has more than 500 facts (US), up to 50,000" in found.text
    assert "left out of paths and walks" in found.advice


def test_triples_that_say_nothing():
    rows = [("a", "by", "x"), ("a", "by", "x"), ("b", "by", "b"), ("c", None, "x")]
    texts = [f.text for f in check_graph(graph(rows)).findings if f.name == "refused"]
    assert texts == [
        "1 triples say nothing: head, relation or tail is missing",
        "1 triples say nothing: triple occurs before",
        "1 triples say nothing: head is the tail",
    ]
    report = check_graph(graph(rows[:1]), refused={"graph: triple occurs before": 3}, repairs={"graph: links of x": 2})
    assert names(report)["refused"].severity == "warning"
    assert names(report)["repair"].severity == "advice"


def test_relations_with_one_tail_and_relations_told_twice():
    rows = [(f"i{n}", r, f"p{n}") for n in range(5) for r in ("director", "directors")]
    rows += [(f"i{n}", "medium", "film") for n in range(5)]
    found = names(check_graph(graph(rows)))
    assert "(medium)" in found["one_tail"].text
    assert "'director' and 'directors'" in found["duplicate_relations"].text


def test_inverse_relations_are_told():
    found = names(check_graph(graph([("a", "by", "x"), ("x", "made", "a")])))
    assert "by / made" in found["inverses"].text


def test_a_cycle_in_an_order_is_found_and_a_symmetric_relation_is_none():
    chain = [(f"p{n}", "sequel", f"p{n + 1}") for n in range(30)]
    assert list(cycles(graph(chain).triples)) == []
    found = list(cycles(graph([*chain, ("p4", "sequel", "p2")]).triples))
    assert found == [("sequel", 3, ["p2", "p3", "p4", "p2"])]
    both = [("a", "similar_to", "b"), ("b", "similar_to", "a")]
    assert list(cycles(graph(both).triples)) == []
    report = names(check_graph(graph([*chain, ("p4", "sequel", "p2")])))
    assert "p2 -> p3 -> p4 -> p2" in report["cycle"].text
    assert report["cycle"].severity == "warning"


def test_names_nearly_alike_are_told_and_ids_are_not_names():
    labels = pl.DataFrame({"entity": ["m.1", "m.2"], "label": ["Quentin Tarantino", "Quentin Tarantno"]})
    rows = [("a", "by", "m.1"), ("b", "by", "m.1"), ("c", "by", "m.2")]
    assert "Quentin Tarantno / Quentin Tarantino" in names(check_graph(graph(rows, labels)))["near_duplicates"].text
    assert "near_duplicates" not in names(check_graph(graph([("a", "by", "m.0abcde1"), ("b", "by", "m.0abcde")])))


def test_graphs_are_joined_once_a_triple_and_by_the_surest():
    one = KnowledgeGraph(graph([("a", "r", "x")]).triples.with_columns(confidence=pl.lit(0.4), source=pl.lit("text:a")))
    two = KnowledgeGraph(graph([("a", "r", "x")]).triples.with_columns(confidence=pl.lit(0.7), source=pl.lit("text:b")))
    labels = pl.DataFrame({"entity": ["x"], "label": ["X"]})
    joined = join_graphs([one, two, graph([("b", "r", "x")], labels)])
    assert set(joined.triples.select("head", "source").rows()) == {("a", "text:b"), ("b", None)}
    assert joined.names() == {"x": "X"}


def test_names_that_two_entities_have_are_no_links():
    g = graph([("i", "by", "Ridley Scott"), ("i", "in", "Drama")])
    assert known_by_name(g, {"m.1": "Ridley Scott", "m.2": "ridley scott"})[1] == 0
    assert known_by_name(g, {"m.1": "Drama"})[1] == 0
    found, n = known_by_name(g, {"m.1": "Ridley SCOTT"})
    assert (n, found.triples["tail"].to_list()) == (1, ["m.1", "Drama"])


def test_a_neighbourhood_is_specific_first_and_stops_at_hubs():
    rows = [(f"i{n}", "country", "US") for n in range(600)]
    rows += [("i0", "by", "ann"), ("i1", "by", "ann"), ("i0", "tag", "alone"), ("i0", "in", "club")]
    rows += [(f"i{n}", "in", "club") for n in range(1, 6)]
    index = graph(rows).index
    found = neighbourhood(index, "i0", frozenset(f"i{n}" for n in range(600)), beyond=2)
    assert found.near["entity"].to_list() == ["ann", "club", "US", "alone"]
    assert found.near["facts"].to_list() == [2, 6, 600, 1]
    assert found.far.select("via", "entity").rows() == [("ann", "i1"), ("club", "i2"), ("club", "i3")]
    short = neighbourhood(index, "i0", hops=1, most=2)
    assert (short.far.height, short.left_out) == (0, 2)


def test_an_unknown_entity_is_told_with_the_nearest():
    with pytest.raises(DataError, match="holds no 'an'; did you mean 'ann'"):
        neighbourhood(graph([("i0", "by", "ann")]).index, "an")


def test_what_two_relations_say_is_listed_once_beyond_each():
    rows = [(item, relation, "x") for item in ("i0", "i1", "i2") for relation in ("by", "with")]
    found = neighbourhood(graph(rows).index, "i0", frozenset({"i0", "i1", "i2"}), beyond=2)
    assert sorted(found.far["entity"].to_list()) == ["i1", "i1", "i2", "i2"]  # beyond x as by, and beyond x as with
