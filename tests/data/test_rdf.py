"""N-Triples, Turtle and JSON-LD as triples of plain names."""

import gzip
import json

import polars as pl
import pytest

from warmstart.data.graph_files import read_triples
from warmstart.data.graph_shape import shape_graph
from warmstart.data.ingest import read, read_graph
from warmstart.data.ntriples import read_lines
from warmstart.data.rdf import read_rdf
from warmstart.errors import DataError

NT = """
# a comment
<http://x.org/film/Alien> <http://x.org/o#director> <http://x.org/person/Ridley_Scott> .
<http://x.org/film/Alien> <http://www.w3.org/2000/01/rdf-schema#label> "Alien"@en .
<http://x.org/film/Alien> <http://www.w3.org/2000/01/rdf-schema#label> "\\u5f02\\u5F62"@zh .
<http://x.org/film/Alien> <http://x.org/o#genre> "horror" . # trailing
<http://x.org/film/Alien> <http://x.org/o#year> "1979"^^<http://www.w3.org/2001/XMLSchema#gYear> .
<http://x.org/film/Alien> <http://x.org/o#award> _:b1 .
_:b1 <http://x.org/o#of> <http://x.org/film/7> .
<http://x.org/film/Alien> <http://x.org/o#plot> "LONG" .
this is no triple
<http://x.org/film/Alien> <http://x.org/o#quote> "a \\"word\\"\\n" .
""".replace("LONG", "x" * 100)
TTL = """@prefix ex: <http://x.org/film/> . @prefix o: <http://x.org/o#> . @prefix p: <http://x.org/person/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:Alien o:director p:Ridley_Scott ; rdfs:label "Alien"@en , "异形"@zh ; o:genre "horror" ; o:award [ o:of ex:7 ] .
"""
LD = {
    "@context": {
        "@vocab": "http://x.org/o#",
        "film": "http://x.org/film/",
        "label": "http://www.w3.org/2000/01/rdf-schema#label",
    },
    "@id": "film:Alien",
    "label": [{"@value": "Alien", "@language": "en"}, {"@value": "异形", "@language": "zh"}],
    "director": {"@id": "http://x.org/person/Ridley_Scott"},
    "genre": "horror",
}
CORE = {("Alien", "director", "Ridley_Scott"), ("Alien", "genre", '"horror"')}


def test_n_triples():
    table = read_rdf(NT.encode(), "a.nt")
    found = set(table.frame.rows())
    assert found == CORE | {
        ("Alien", "year", '"1979"'),
        ("Alien", "award", "_:b1"),
        ("_:b1", "of", "film/7"),
        ("Alien", "quote", '"a "word"\n"'),
    }
    assert table.refused.rows() == [(11, "the line is no triple of N-Triples", "this is no triple")]
    assert table.repairs == {
        "labels of entities": 2,
        "literals of more than 80 characters, left out": 1,
        "blank nodes, kept as entities of their own": 1,
    }
    graph = shape_graph(table).graph
    assert graph.names()["Alien"] == "Alien"
    assert graph.names("zh")["Alien"] == "异形"
    assert graph.names()["Ridley_Scott"] == "Ridley Scott"
    assert graph.names()['"1979"'] == "1979"


@pytest.mark.parametrize(("name", "raw"), [("a.ttl", TTL.encode()), ("a.jsonld", json.dumps(LD).encode())])
def test_turtle_and_json_ld_say_the_same(name, raw):
    table = read_rdf(raw, name)
    assert set(table.frame.rows()) >= CORE
    names = {(entity, label, language) for entity, label, language in table.labels.rows()}
    assert {("Alien", "Alien", "en"), ("Alien", "异形", "zh"), ("Ridley_Scott", "Ridley Scott", None)} <= names
    assert read_rdf(raw, name).frame.rows() == table.frame.rows()


def test_blank_nodes_of_turtle_have_stable_names():
    found = set(read_rdf(TTL.encode(), "a.ttl").frame.rows())
    assert {("Alien", "award", "_:b0"), ("_:b0", "of", "film/7")} <= found


def test_names_are_of_one_iri_only():
    line = "<http://x.org/a/Heat> <http://x.org{}/r> <http://{}.org/b/Heat> .\n"
    found = read_rdf((line.format("", "x") + line.format("/s", "y")).encode(), "a.nt").frame
    assert found["head"].unique().to_list() == ["a/Heat"]
    assert found["tail"].to_list() == ["http://x.org/b/Heat", "http://y.org/b/Heat"]
    assert found["relation"].n_unique() == 2


def test_the_context_of_schema_org_is_known_and_others_are_not_fetched():
    told = {
        "@context": "https://schema.org",
        "@id": "http://x.org/Alien",
        "director": {"@id": "http://x.org/Scott"},
        "name": "Alien",
    }
    table = read_rdf(json.dumps(told).encode(), "a.jsonld")
    assert table.frame.rows() == [("Alien", "director", "Scott")]
    assert table.labels.select("entity", "label").rows() == [("Alien", "Alien")]
    for context in (
        "http://evil.example/c.jsonld",
        ["http://evil.example/c.jsonld"],
        {"@import": "http://evil.example/c"},
    ):
        with pytest.raises(DataError, match=r"evil\.example/c.*not fetched"):
            read_rdf(json.dumps(told | {"@context": context}).encode(), "a.jsonld")
    inner = {"@id": "http://x.org/a", "http://x.org/p": {"@context": "http://evil.example/c", "@id": "http://x.org/b"}}
    with pytest.raises(DataError, match="not fetched"):
        read_rdf(json.dumps(inner).encode(), "a.jsonld")


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("a.nt", b"nothing here\n", "no triple of N-Triples"),
        ("a.ttl", b"ex:a ex:b ex:c .", "a.ttl is no Turtle"),
        ("a.ttl", b"@prefix ex: <http://x.org/> .", "no triple of Turtle"),
        ("a.jsonld", b"{", "a.jsonld is no JSON-LD"),
    ],
)
def test_files_that_are_not_what_they_say(name, raw, told):
    with pytest.raises(DataError, match=told):
        read_rdf(raw, name)


def test_escapes_that_mean_no_character():
    terms, _ = read_lines('<x:a> <x:b> "\\uD800\\U0001F600\\t" .')
    assert terms["object"].to_list() == ["\ufffd\U0001f600\t"]


def test_links_name_entities_by_iri_or_by_name(tmp_path):
    (tmp_path / "a.nt.gz").write_bytes(gzip.compress(NT.encode()))
    for entity in ("http://x.org/film/Alien", "Alien"):
        links = pl.DataFrame({"item_id": ["348"], "entity_id": [entity]})
        graph, report = read_graph(tmp_path / "a.nt.gz", links=links)
        assert ("348", "director", "Ridley_Scott") in graph.triples.rows()
        assert graph.names("zh")["348"] == "异形"
        assert report.repairs["graph: entities that are items"] == 1
        assert report.refused == {"graph: the line is no triple of N-Triples": 1}


def test_read_takes_rdf_and_folders_and_labels_beside(tmp_path):
    events = {"user": ["u"], "item": ["Alien"]}
    (tmp_path / "facts.ttl").write_text(TTL, encoding="utf-8")
    assert ("Alien", "genre", '"horror"') in read(events, graph=tmp_path / "facts.ttl").graph.triples.rows()
    folder = tmp_path / "built"
    folder.mkdir()
    pl.DataFrame({"head": ["Alien"], "relation": ["by"], "tail": ["m.1"]}).write_csv(folder / "graph.csv")
    pl.DataFrame({"entity": ["m.1"], "label": ["Scott"]}).write_csv(folder / "graph_labels.csv")
    data = read(events, graph=folder)
    assert data.graph.names() == {"m.1": "Scott"}
    data.save(tmp_path / "saved")
    again = read(tmp_path / "saved").graph
    assert again.names() == {"m.1": "Scott"}
    pl.DataFrame({"id": ["m.1"], "label": ["Scott"]}).write_csv(folder / "graph_labels.csv")
    with pytest.raises(DataError, match=r"graph_labels.csv has no column 'entity'"):
        read_triples(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no graph"):
        read_triples(str(tmp_path / "empty"))
    with pytest.raises(DataError, match="there is no file"):
        read_triples(tmp_path / "nowhere.ttl")


def test_recbole_graphs_and_links(tmp_path):
    (tmp_path / "a.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\nm.1\tfilm.director\tm.2\n")
    (tmp_path / "a.link").write_text("item_id:token\tentity_id:token\n348\tm.1\n")
    graph, _ = read_graph(tmp_path / "a.kg", links=tmp_path / "a.link")
    assert graph.triples.rows() == [("348", "film.director", "m.2")]
