"""warmstart graph build, stats, show, check."""

import json

import polars as pl
import pytest

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.ingest import read

FILMS = {
    "item_id": ["1", "2", "3", "4"],
    "title": ["Alien (1979)", "Blade Runner", "Heat", "Heat"],
    "description": [
        "A crew in space meets a killer.",
        "A killer in Paris.",
        "A killer in Paris, by Michael Mann.",
        None,
    ],
    "directors": ["Ridley Scott", "Quentin Tarantino", "Quentin Tarantno", None],
    "genre": ["Horror|Sci-Fi", "sci fi", "Crime", "Crime|Horror"],
}
KG = {"head": ["m.1", "m.2", "m.1"], "relation": ["by", "by", "genre"], "tail": ["m.9", "m.9", "war"]}
LINKS = {"item_id": ["1", "2"], "entity_id": ["m.1", "m.2"]}


@pytest.fixture
def place(tmp_path, monkeypatch):
    pl.DataFrame(FILMS).write_csv(tmp_path / "films.csv")
    pl.DataFrame(KG).write_csv(tmp_path / "kg.csv")
    pl.DataFrame({"entity": ["m.9"], "label": ["Ridley Scott"]}).write_csv(tmp_path / "kg_labels.csv")
    pl.DataFrame(LINKS).write_csv(tmp_path / "links.csv")
    pl.DataFrame({"user_id": ["u1", "u2"], "job": ["nurse", "nurse"]}).write_csv(tmp_path / "users.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ITEMS = ("--items", "films.csv")
BUILD = ("graph", "build", *ITEMS)


def test_build_from_columns_and_read_it(shell, place):
    report = shell.json(*BUILD, "--from-columns", "directors,genre", "-o", "g")
    assert report["numbers"]["items with facts"] == 4
    assert report["separators"] == {"directors": None, "genre": "|"}
    assert json.loads((place / "g" / "report.json").read_text(encoding="utf-8")) == report
    merges = pl.read_parquet(place / "g" / "merges.parquet").select("kept", "merged", "why").rows()
    near, same = ("Quentin Tarantino", "Quentin Tarantno", "near"), ("Sci-Fi", "sci fi", "spelling")
    assert merges == [near, same]
    data = read({"user": ["u"], "item": ["1"]}, graph="g")
    assert ("1", "genre", "Sci-Fi") in data.graph.triples.select("head", "relation", "tail").rows()


def test_build_from_everything(shell, place):
    sources = (
        "--triples",
        "kg.csv",
        "--links",
        "links.csv",
        "--from-columns",
        "directors",
        "--from-text",
        "phrases,entities",
    )
    people = ("--users", "users.csv", "--from-users", "job", "--encoder", "tfidf", "--inverses", "--csv")
    report = shell.json(*BUILD, *sources, *people, "-o", "g")
    assert set(report["sources"]) >= {"kg.csv", "column:directors", "users:job", "text:spacy"}
    assert report["told"]["names of columns that triples know"] == 1
    assert report["told"]["kg.csv: graph: entities that are items"] == 2
    graph = pl.read_csv(place / "g" / "graph.csv").select("head", "relation", "tail").rows()
    assert {("1", "by", "m.9"), ("1", "directors", "m.9"), ("user:u1", "user_job", "job:nurse")} <= set(graph)
    assert ("job:nurse", "inverse:user_job", "user:u1") in graph
    assert {("2", "mentions_place", "Paris"), ("3", "mentions_place", "Paris")} <= set(graph)
    assert pl.read_csv(place / "g" / "graph_labels.csv")["label"].to_list().count("Ridley Scott") == 1


def test_build_again_replaces_what_was_there(shell, place):
    shell(*BUILD, "--from-columns", "genre", "-o", "g", "--csv")
    shell(*BUILD, "--from-columns", "genre", "-o", "g")
    assert sorted(p.name for p in (place / "g").iterdir()) == ["graph.parquet", "merges.parquet", "report.json"]
    assert isinstance(KnowledgeGraph.load(place / "g"), KnowledgeGraph)


def test_names_may_be_left_apart_and_separators_said(shell, place):
    words = ("--no-merge", "--separator", "genre=", "-o", "g")
    assert shell.json(*BUILD, "--from-columns", "directors,genre", *words)["separators"]["genre"] is None
    assert "Quentin Tarantno" in pl.read_parquet(place / "g" / "graph.parquet")["tail"].to_list()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "nothing to build from"),
        (("--from-columns", "genre"), "--from-columns needs the table of items"),
        ((*ITEMS, "--from-columns", "genres"), "did you mean 'genre'"),
        ((*ITEMS, "--from-text", "entity"), "'entity' is none of phrases, entities, mentions"),
        (("--from-users", "job"), "give --users"),
        (("--triples", "nowhere.ttl"), "there is no file 'nowhere.ttl'"),
        ((*ITEMS, "--from-columns", "genre", "--separator", "genre"), "no name=value"),
    ],
)
def test_mistakes_are_one_line(shell, place, words, told):
    said = shell("graph", "build", *words, "-o", "g", code=2)
    assert told in said.stderr
    assert not (place / "g").exists()


def test_stats(shell, place):
    words = ("graph", "stats", "kg.csv", *ITEMS, "--links", "links.csv")
    found = shell.json(*words)
    assert found["numbers"]["items_linked"] == 2
    assert found["relations"][0] == {"relation": "by", "triples": 2, "heads": 2, "tails": 1, "items": 2}
    assert "share items linked" in shell(*words).stdout


def test_check_ends_with_1_where_there_is_a_problem(shell, place):
    said = shell("graph", "check", "kg.csv", *ITEMS, code=1)
    assert "problem" in said.stdout
    found = json.loads(shell("graph", "check", "kg.csv", *ITEMS, "--json", code=1).stdout)
    assert (found["worst"], found["findings"][0]["name"]) == ("problem", "no_item")
    found = shell.json("graph", "check", "kg.csv", *ITEMS, "--links", "links.csv")
    assert {f["name"] for f in found["findings"]} >= {"items_without_facts", "repair"}


def test_refused_rows_are_counted_and_kept(shell, place):
    pl.DataFrame({**KG, "tail": ["m.9", None, "m.1"]}).write_csv(place / "bad.csv")
    said = shell("graph", "check", "bad.csv", "--rejects", "out.csv")
    assert "2 of 3 rows refused" in said.stderr
    assert set(pl.read_csv("out.csv")["reason"]) == {"head, relation or tail is missing", "head is the tail"}


def test_show_by_id_and_by_title_with_pictures(shell, place):
    shell(*BUILD, "--from-columns", "directors,genre", "-o", "g")
    found = shell.json("graph", "show", "g", "blade runner", *ITEMS, "--picture", "a.svg")
    assert found["entity"] == "2"
    assert {row["entity"] for row in found["near"]} == {"Quentin Tarantino", "Sci-Fi"}
    assert (place / "a.svg").read_text(encoding="utf-8").startswith("<svg")
    only = shell.json("graph", "show", "g", "2", *ITEMS, "--relation", "genre")
    assert {row["relation"] for row in only["near"]} == {"genre"}
    said = shell("graph", "show", "g", "1", *ITEMS, "-k", "1", "--picture", "a.html")
    assert "Alien (1979)" in said.stdout
    assert "more facts; --most shows more" in said.stderr
    assert (place / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("Heat",), "2 items have the title 'Heat': 3, 4"),
        (("Hoat",), "the graph holds no 'Hoat'"),
        (("1", "--relation", "genres"), "the graph has no relation 'genres'; did you mean 'genre'?"),
        (("1", "--relation", "zzz"), "the graph has no relation 'zzz'; it has genre"),
        (("1", "--picture", "a.png"), "use .svg or .html"),
    ],
)
def test_show_mistakes(shell, place, words, told):
    shell(*BUILD, "--from-columns", "genre", "-o", "g")
    assert told in shell("graph", "show", "g", *words, *ITEMS, code=2).stderr


def test_an_engine_takes_a_built_graph_and_keeps_no_user(shell, place):
    words = ("--from-columns", "genre", "--users", "users.csv", "--from-users", "job", "-o", "g")
    shell(*BUILD, *words)
    data = read({"user": ["u1", "u1", "u2"], "item": ["1", "2", "3"]}, items="films.csv", graph="g")
    assert any(data.graph.triples["head"].str.starts_with("user:"))
    from warmstart.engine import Engine
    from warmstart.recipe import Recipe

    quick = {"encoder": "tfidf", "fusion": {"queries": 10, "heads": {"ranker": False}}}
    quick["experts"] = {"popularity": {"class": "Popularity"}}
    Engine(Recipe.of(quick)).fit(data).save(place / "engine")
    kept = KnowledgeGraph.load(place / "engine")
    assert len(kept) == 6
    assert not any(kept.triples["head"].str.starts_with("user:"))
