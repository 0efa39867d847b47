"""Paths as an engine tells them: names, kinds of event, effects; and what a saved or grown engine knows of them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.histories import Histories
from warmstart.data.relation_names import relation_names
from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity
from warmstart.explain.facts import Facts
from warmstart.explain.path_translation import PathTranslation
from warmstart.explain.paths import PathSettings
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.reasons import explainer
from warmstart.recipe import Recipe

HISTORY = ["i0", "i4", "i8", "i12", "i1", "i5"]
TRIPLE = ("head", "relation", "tail")
FILMS = Catalog(pl.DataFrame({"item_id": ["1", "2", "3"], "title": ["Alien", "Blade Runner", "Aliens"]}))
KNOWN = [
    ("1", "film.film.directed_by", "m.06mn7"),
    ("m.06mn7", "film.director.film", "1"),
    ("2", "film.film.directed_by", "m.06mn7"),
    ("m.06mn7", "film.director.film", "2"),
    ("1", "film.film.sequel", "3"),
    ("3", "film.film.written_by", "m.0x"),
    ("2", "film.film.produced_by", "m.0x"),
]


def facts(rows=KNOWN, labels=None, catalog=FILMS):
    known = None if labels is None else pl.DataFrame(labels, schema=["entity", "label", "language"], orient="row")
    return Facts(KnowledgeGraph(pl.DataFrame(rows, schema=TRIPLE, orient="row"), known), catalog)


def texts(f, history, item, language="en", kind="rate"):
    return [f.teller.text(path, kind, language) for path in f.between(history, item, PathSettings(edges=2)).found]


def test_the_known_sentence_in_both_languages():
    named = facts(labels=[("m.06mn7", "Ridley Scott", "en"), ("m.06mn7", "雷德利·斯科特", "zh")])
    assert texts(named, ["1"], "2") == ["You rated Alien -> directed by Ridley Scott -> Blade Runner"]
    assert texts(named, ["1"], "2", "zh") == ["您评价过 Alien -> 由 雷德利·斯科特 执导 -> Blade Runner"]


def test_what_has_no_name_is_not_told_by_its_id():
    f = facts()
    assert texts(f, ["1"], "2") == ["You rated Alien -> shares a director with Blade Runner"]
    assert texts(f, ["1"], "2", "zh") == ["您评价过 Alien -> 与 Blade Runner 有相同的导演"]
    assert texts(f, ["3"], "2", kind="") == ["You took Aliens -> via a writer -> producer of Blade Runner"]
    assert texts(f, ["3"], "2", "zh") == ["您评价过 Aliens -> 经由某个编剧 -> 制片 Blade Runner"]


def test_a_sequel_is_one_step_either_way():
    assert texts(facts(), ["1"], "3", kind="buy") == ["You bought Alien -> followed by Aliens"]
    assert texts(facts(), ["3"], "1", kind="buy") == ["You bought Aliens -> sequel of Alien"]


def test_a_path_as_json():
    f = facts(labels=[("m.06mn7", "Ridley Scott", None)])
    told = f.teller.told(f.between(["1"], "2").found[0], "view", 0.5).to_dict()
    assert told["nodes"] == [
        {"id": "1", "name": "Alien"},
        {"id": "m.06mn7", "name": "Ridley Scott"},
        {"id": "2", "name": "Blade Runner"},
    ]
    assert told["relations"] == [
        {"name": "film.film.directed_by", "forward": True},
        {"name": "film.film.directed_by", "forward": False},
    ]
    assert (told["effect"], told["text"]) == (0.5, "You viewed Alien -> directed by Ridley Scott -> Blade Runner")


@pytest.mark.parametrize(
    ("entity", "name"),
    [
        ("m.06mn7", None),
        ("/m/06mn7", None),
        ("Q56005", None),
        ("http://www.wikidata.org/entity/Q56005", None),
        ("http://dbpedia.org/resource/Ridley_Scott", "Ridley Scott"),
        ("Ridley Scott", "Ridley Scott"),
        ("雷德利", "雷德利"),
        ("1999", "1999"),
        ("19990", None),
        ("7", None),
        ("_:b0", None),
        ("0123456789abcdef0", None),
        ("2", "Blade Runner"),
    ],
)
def test_names_of_entities(entity, name):
    f = facts([("1", "by", entity)])
    assert f.name(entity) == name
    assert bool(f.named[f.graph.index.entities.codes([entity])[0]]) == (name is not None)


def test_kinds_are_those_of_the_newest_event():
    h = Histories.of([[0, 1, 0, 2]], 3)
    assert facts().kinds(h) == {"1": "", "2": "", "3": ""}
    kinds = {"kind": np.array([0, 1, 1, 0], np.int8), "kinds": ("interaction", "buy")}
    rated = Histories(h.indptr, h.item, h.weight, 3, rating=np.array([4, 4, np.nan, 3], np.float32), **kinds)
    assert facts().kinds(rated) == {"1": "buy", "2": "buy", "3": "rate"}


@pytest.fixture(scope="module")
def engine():
    experts = {"popularity": Popularity(), "content_map": ContentMap(), "people": PriorMeanEASE(strength=10.0)}
    words = {"relations": {"maker": {"match": ["made_by"], "en": ["out of the hands of {}", "maker of {}", "a maker"]}}}
    recipe = Recipe(
        encoder="tfidf",
        experts=experts,
        fusion=Fusion(queries=60, heads=HeadLearner(ranker=None)),
        relation_names=words,
    )
    return Engine(recipe).fit(clusters(120, 80, 4, seed=1))


def test_reasons_name_a_path_that_adds_to_the_score(engine):
    rows = engine.recommend(histories=[HISTORY], k=20, explain=True).to_dicts()
    said = {row["item_id"]: [r for r in row["reasons"] if " -> " in r] for row in rows}
    assert sum(map(bool, said.values())) >= 5
    for item, told in said.items():
        found = engine.explain(item, history=HISTORY)
        acting = [path.text for path in found.paths if path.effect > 0][:1]
        assert told == acting
        assert all(text in found.text for text in acting)
        assert [path.path.score for path in found.paths] == sorted((p.path.score for p in found.paths), reverse=True)
    assert any("out of the hands of maker" in text for told in said.values() for text in told)


def test_effects_add_up_to_the_share_of_the_fact(engine):
    f = engine.fitted
    by, items = explainer(f), f.catalog.items
    h = Histories.of([items.codes(HISTORY).tolist()], len(items))
    for item in items.codes(["i16", "i20", "i60"]).tolist():
        shares = dict(by.evidence(h, item).attributes)
        each = {t: by.effects(h, item, [(int(s), [t]) for s in items.codes(HISTORY)]) for t in shares}
        assert {t: sum(parts) for t, parts in each.items()} == pytest.approx(shares, rel=1e-3)


def test_nothing_is_told_where_there_is_nothing_to_tell(engine):
    assert engine.explain("i20", history=[]).paths == ()
    assert engine.explain("i0", history=["i0", "i20"]).paths == ()
    assert "->" not in "".join(engine.recommend(histories=[[]], k=3, explain=True)["reasons"].explode().to_list())
    assert engine.explain("nobody", history=HISTORY).to_dict()["paths"] == []


def test_saved_and_loaded_it_tells_the_same(engine, tmp_path):
    engine.save(tmp_path)
    before, after = (e.explain("i20", history=HISTORY).to_dict()["paths"] for e in (engine, load(tmp_path)))
    assert before == after
    assert before


def test_items_that_are_added_have_the_facts_the_graph_holds_of_them(engine, tmp_path):
    engine.save(tmp_path)
    grown = load(tmp_path)
    grown.add_items([{"item_id": "new", "title": "The Star of the Galaxy"}, {"item_id": "maker0_0", "title": "Maker"}])
    assert grown.explain("new", history=HISTORY).paths == ()
    assert grown.explain("i20", history=["new"]).paths == ()
    assert grown.explain("maker0_0", history=["i0"]).paths[0].path.nodes == ("i0", "maker0_0")
    assert len(grown.recommend(histories=[["new"]], k=5, explain=True)) == 5


def test_without_a_graph_there_are_no_facts():
    assert relation_names() is relation_names()
    data = clusters(40, 40, 4, seed=2)
    plain = Engine(
        Recipe(
            encoder="tfidf",
            experts={"popularity": Popularity(), "map": ContentMap()},
            fusion=Fusion(queries=40, heads=HeadLearner(ranker=None)),
        )
    )
    plain.fit(type(data)(data.interactions, data.catalog, data.users))
    assert plain.fitted.facts is None
    assert plain.explain("i4", history=["i0"]).paths == ()


def test_what_was_told_in_english_can_be_told_in_chinese(engine):
    in_chinese = PathTranslation()
    named = facts(labels=[("m.06mn7", "Ridley Scott", None)])
    for f, history, item in ((named, ["1"], "2"), (facts(), ["1"], "2"), (facts(), ["3"], "2"), (facts(), ["3"], "1")):
        for path in f.between(history, item).found:
            for kind in ("", "rate", "view", "cart"):
                assert in_chinese(f.teller.text(path, kind)) == f.teller.text(path, kind, "zh")
    assert in_chinese("You took A -> out of the hands of B -> C") == "您选过 A -> out of the hands of B -> C"
    for other in ("You Only Live Twice", "A -> B", "taken by 3 people"):
        assert in_chinese(other) is None


def small(experts, data):
    return Engine(
        Recipe(encoder="tfidf", experts=experts, fusion=Fusion(queries=30, heads=HeadLearner(ranker=None)))
    ).fit(data)


def test_what_a_graph_says_of_people_is_neither_learned_nor_told_nor_kept(tmp_path):
    data = clusters(40, 24, 4, seed=1)
    bought = [(f"user:{u}", "bought", f"i{i}") for u in range(6) for i in range(u % 4, 24, 4)]
    made = [(f"i{i}", "made_by", f"maker{i % 4}") for i in range(24)]
    told = KnowledgeGraph(pl.DataFrame(bought + made, schema=TRIPLE, orient="row"))
    engine = small({"popularity": Popularity(), "content_map": ContentMap()}, replace(data, graph=told))
    reasons = engine.recommend(histories=[["i0", "i4"]], k=5, explain=True)["reasons"].explode().to_list()
    assert any("maker" in reason for reason in reasons)
    assert not any("user:" in reason for reason in reasons)
    assert not any("user:" in token for token in engine.fitted.space.features.facts.tokens)
    engine.save(tmp_path / "engine")
    assert "user:" not in (tmp_path / "engine" / "parts.json").read_text(encoding="utf-8")
    assert engine.data_fingerprint == replace(data, graph=told).fingerprint()


def test_a_new_item_that_the_graph_knew_already_is_counted_by_its_facts(tmp_path):
    data = clusters(40, 24, 4, seed=1)
    made = [(f"i{i}", "made_by", f"maker{i % 4}") for i in range(25)]
    told = KnowledgeGraph(pl.DataFrame(made, schema=TRIPLE, orient="row"))
    small({"popularity": Popularity(), "content_map": ContentMap()}, replace(data, graph=told)).save(
        tmp_path / "engine"
    )
    engine = load(tmp_path / "engine")
    engine.add_items([{"item_id": "i24", "title": "new"}, {"item_id": "i25", "title": "newer"}])
    paths = engine.fitted.support.paths
    assert paths.degree[-3:].tolist() == [1, 1, 0]
    count, _ = paths(Histories.of([[0]], 26).sets)
    assert count[0, [4, 24, 25]].tolist() == [1, 1, 0]


def test_names_are_looked_up_once_while_events_arrive(engine):
    moved = engine.fitted.moved(np.array([0]), np.array([10**9]))
    assert moved.facts is engine.fitted.facts


def test_a_column_may_have_an_equals_sign(engine):
    table = engine.fitted.catalog.table.with_columns(pl.lit("x").alias("a=b"))
    asked = replace(explainer(engine.fitted), catalog=Catalog(table))
    assert asked._words(["a=b=x"]) == ("a: b=x",)
