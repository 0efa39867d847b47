"""Links, and triples that cannot be taken as they are: counted and told, or refused with the remedy."""

import polars as pl
import pytest

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_relations import duplicate_pairs, inverse_pairs
from warmstart.data.graph_shape import shape_graph
from warmstart.data.ingest import read, read_graph, read_items, read_with_report
from warmstart.data.table import Table
from warmstart.errors import DataError

EVENTS = {"user": ["u", "u"], "item": ["1", "2"]}
KG = pl.DataFrame({"head": ["m.1", "m.1", "m.2"], "relation": ["by", "then", "by"], "tail": ["Lem", "m.2", "2"]})


def graph(rows):
    return KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))


def told(links, kg=KG):
    data, report = read_with_report(
        EVENTS, graph=kg, links=pl.DataFrame(links, schema=["item_id", "entity_id"], orient="row")
    )
    return data.graph.triples.rows(), report


def test_of_an_entity_linked_to_two_items_the_first_counts_and_the_other_is_told():
    rows, report = told([("1", "m.1"), ("2", "m.1")])
    assert ("1", "by", "Lem") in rows
    assert report.refused == {"links: entity is linked to another item before": 1}


def test_an_item_linked_to_two_entities_has_the_facts_of_both():
    rows, report = told([("1", "m.1"), ("1", "m.2")])
    assert ("1", "by", "Lem") in rows
    assert report.repairs["links: items linked to two entities or more, whose facts they share"] == 1
    assert report.refused == {"graph: head is the tail": 1}  # m.1 then m.2 is now of the item with itself


def test_links_to_what_is_not_there_are_told():
    rows, report = told([("1", "m.1"), ("9", "m.2"), ("2", "m.7"), (None, "m.8"), ("1", "m.1")])
    assert ("1", "then", "9") in rows
    assert report.repairs["graph: links of entities that are not in the graph"] == 1
    assert report.repairs["graph: links to items that are not in the catalogue"] == 1
    assert report.refused == {"links: item or entity is missing": 1, "links: link occurs before": 1}


def test_an_entity_with_an_items_id_by_chance_is_not_that_item():
    rows, report = told([("1", "m.1")])
    assert ("m.2", "by", "entity:2") in rows
    assert report.repairs["graph: entities with an item's id but no link to it, renamed entity:ID"] == 1


def test_ids_of_items_stay_where_the_links_do_not_fit_the_graph():
    rows, report = told([("1", "q.1")])
    assert ("m.2", "by", "2") in rows
    assert report.repairs["graph: links of entities that are not in the graph"] == 1


def test_triples_that_say_nothing_are_refused_by_reason():
    rows = [
        ("1", "by", None),
        ("1", "by", "Lem"),
        ("1", "by", "Lem"),
        ("1", "like", "1"),
        (None, "by", "x"),
        ("1", "", "x"),
    ]
    _, report = read_with_report(EVENTS, graph=pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    assert report.refused == {
        "graph: head, relation or tail is missing": 3,
        "graph: triple occurs before": 1,
        "graph: head is the tail": 1,
    }
    assert (report.rows["graph"], report.kept["graph"]) == (6, 1)


def test_confidence_and_source_are_kept_and_checked():
    rows = {"head": ["1"] * 6, "relation": ["by"] * 6, "tail": list("abcdef")}
    table = pl.DataFrame(rows | {"confidence": ["0.5", "", "0", "1.5", "much", "1"], "source": ["text:x"] * 6})
    data, report = read_with_report(EVENTS, graph=table)
    assert data.graph.triples.select("tail", "confidence").rows() == [("a", 0.5), ("b", None), ("f", 1.0)]
    assert report.refused == {"graph: confidence is not within 0 to 1": 3}
    assert data.graph.triples.schema["confidence"] == pl.Float32
    assert data.graph.triples["source"].unique().to_list() == ["text:x"]


def test_a_column_source_that_is_the_head_is_no_origin():
    table = Table(pl.DataFrame({"source": ["1"], "relation": ["by"], "target": ["Lem"]}), "edges.csv")
    assert shape_graph(table).graph.triples.columns == ["head", "relation", "tail"]


def test_a_graph_that_says_nothing_of_any_item_is_refused_with_the_remedy():
    with pytest.raises(DataError, match=r"none of the graph's 2 entities .* is an item \(1, 2 .*links= or --links"):
        read(EVENTS, graph={"head": ["m.1"], "relation": ["by"], "tail": ["Lem"]})
    with pytest.raises(DataError, match="none of the graph's 0 entities"):
        read(EVENTS, graph={"head": ["1"], "relation": ["by"], "tail": [None]})


def test_a_graph_alone_may_say_nothing_of_any_item():
    catalog, _ = read_items({"item_id": ["1"]})
    found, report = read_graph({"head": ["m.1"], "relation": ["by"], "tail": ["Lem"]}, items=catalog)
    assert len(found) == 1
    assert report.refused == {}


def test_a_graph_needs_its_columns_and_labels_theirs():
    with pytest.raises(DataError, match="no column 'tail'"):
        KnowledgeGraph(pl.DataFrame({"head": ["a"], "relation": ["b"]}))
    with pytest.raises(DataError, match="labels have no column 'label'"):
        KnowledgeGraph(KG, pl.DataFrame({"entity": ["a"]}))


def test_inverse_and_symmetric_relations_are_found():
    pairs = [(f"f{i}", f"p{i % 7}") for i in range(40)]
    rows = [(a, "directed_by", b) for a, b in pairs] + [(b, "directed", a) for a, b in pairs[1:]]
    rows += [(a, "near", b) for a, b in pairs[:5]] + [(b, "near", a) for a, b in pairs[:5]]
    rows += [(b, "produced", a) for a, b in pairs[4:]]
    found = inverse_pairs(graph(rows).triples)
    assert found.select("relation", "inverse").rows() == [("directed", "directed_by"), ("near", "near")]
    assert found["share"].to_list() == [39 / 40, 1.0]
    assert inverse_pairs(graph(rows).triples, share=0.9)["inverse"].to_list() == ["directed_by", "produced", "near"]


def test_with_inverses_adds_only_what_is_not_told_yet():
    g = graph([("f", "by", "p"), ("p", "made", "f"), ("f", "genre", "war")])
    assert g.with_inverses().triples.rows() == [*g.triples.rows(), ("war", "inverse:genre", "f")]
    assert g.with_inverses().with_inverses().triples.rows() == g.with_inverses().triples.rows()


def test_inverses_keep_confidence():
    g = KnowledgeGraph(graph([("f", "genre", "war")]).triples.with_columns(confidence=pl.lit(0.5, pl.Float32)))
    assert g.with_inverses().triples["confidence"].to_list() == [0.5, 0.5]


def test_relations_that_duplicate_each_other():
    rows = [(f"f{i}", r, f"p{i}") for i in range(20) for r in ("directors", "director")] + [("f1", "writer", "p1")]
    assert duplicate_pairs(graph(rows).triples).rows() == [("director", "directors", 1.0)]
