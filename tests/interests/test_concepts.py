"""Concepts of a catalogue, as an engine keeps and tells them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.errors import ConfigError, DataError
from warmstart.experts.content import ContentMap
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.interests.concepts import Concepts, ConceptSettings
from warmstart.interests.profile import ProfileSettings
from warmstart.interests.sparse import SparseSettings
from warmstart.interests.steer import Steering
from warmstart.interests.tree import TreeSettings
from warmstart.interests.vectors import FusedSpace
from warmstart.recipe import Recipe

SMALL = Recipe(
    encoder="tfidf",
    experts={"popularity": Popularity(), "content_map": ContentMap()},
    fusion=Fusion(queries=60, heads=HeadLearner(ranker=None)),
)
OVERLAPPING = replace(SMALL, concepts=ConceptSettings("sparse", sparse=SparseSettings(active=3, steps=200)))
NEW = [{"item_id": "fresh", "title": "rocket to a far planet", "genre": "space"}]


@pytest.fixture(scope="module")
def data():
    return clusters(120, 80, 4, seed=1)


@pytest.fixture(scope="module")
def engine(data):
    return Engine(SMALL).fit(data)


@pytest.fixture(scope="module")
def overlapping(data):
    return Engine(OVERLAPPING).fit(data)


def theme(engine, item):
    """The cluster an item belongs to: item i<n> to n modulo 4."""
    return int(engine.fitted.catalog.items.ids[item][1:]) % 4


def test_coarse_concepts_are_the_clusters_the_data_were_made_of(engine):
    f = engine.fitted
    for concept in f.concepts.members.at(0):
        themes = [theme(engine, int(i)) for i in f.concepts.members.items(int(concept))]
        assert np.bincount(themes).max() / len(themes) > 0.9


def test_the_table_tells_all(engine):
    table = engine.concepts()
    assert table.columns == ["concept", "level", "parent", "name", "items", "share", "typical"]
    for level in range(3):
        part = table.filter(pl.col("level") == level)
        assert part["items"].sum() == 80
        assert part["share"].sum() == pytest.approx(1)
        assert part.equals(engine.concepts(level))
    assert table.filter(pl.col("level") == 0)["parent"].null_count() == len(engine.concepts(0))
    assert all(table["name"].to_list())
    with pytest.raises(ConfigError, match="level=3 is unknown; the levels are 0 to 2"):
        engine.concepts(3)


def test_names_are_words_of_the_items(engine):
    f = engine.fitted
    text = " ".join(" ".join(str(v) for v in row) for row in f.catalog.table.rows()).lower()
    for name in engine.concepts(0)["name"]:
        assert all(word in text for word in name.split(", "))


def test_interests_are_those_of_the_history(engine):
    told = engine.interests(histories=[["i0", "i4", "i8", "i12", "i1"], []])
    assert told["query"].unique().to_list() == [0]
    f, first = engine.fitted, told.row(0, named=True)
    items = f.concepts.members.items(first["concept"])
    assert np.mean([theme(engine, int(i)) == 0 for i in items]) > 0.9
    assert first["evidence"][0] == f.catalog.title(int(f.catalog.items.codes(["i12"])[0]))
    assert told["weight"].sum() == pytest.approx(1)
    assert len(engine.interests(histories=[["i0", "i1", "i2", "i3"]], settings=ProfileSettings(most=1))) == 1


def test_by_user_they_are_those_of_the_stored_history(engine, data):
    row = [data.catalog.items.ids[i] for i in data.histories(np.array([5])).row(0)]
    user = data.users.ids[5]
    assert engine.interests(users=[user, "nobody"]).equals(engine.interests(histories=[row, []]))


def test_one_interest_is_served(engine):
    told = engine.interests(histories=[["i0", "i4", "i8"]])
    concept = told["concept"][0]
    inside = set(engine.fitted.catalog.items.names(engine.fitted.concepts.members.items(concept)))
    got = engine.recommend(histories=[["i0", "i4", "i8"]], k=80, interest=concept)
    assert set(got["item_id"]) == inside - {"i0", "i4", "i8"}
    assert got["rank"].to_list() == list(range(1, len(got) + 1))
    names = engine.fitted.concepts.names
    if names.count(names[concept]) == 1:
        assert engine.recommend(histories=[["i0"]], interest=names[concept].upper(), k=3).equals(
            engine.recommend(histories=[["i0"]], interest=str(concept), k=3)
        )


@pytest.mark.parametrize(
    ("asked", "told"),
    [(10_000, "concept 10000 is unknown; the concepts are 0 to"), ("knitting", "no concept is called 'knitting'")],
)
def test_an_unknown_concept_is_refused(engine, asked, told):
    with pytest.raises(DataError, match=told):
        engine.recommend(histories=[[]], interest=asked)


def test_they_are_saved_and_new_items_join_them(engine, tmp_path):
    engine.save(tmp_path / "engine")
    again = load(tmp_path / "engine")
    assert again.concepts().equals(engine.concepts())
    asked = [["i0", "i4", "i8"]]
    assert again.interests(histories=asked).equals(engine.interests(histories=asked))
    vectors = engine.fitted.concepts.vectors(engine.features)
    np.testing.assert_array_equal(again.fitted.concepts.vectors(again.features), vectors)
    assert again.add_items(NEW) == 1
    grown = again.fitted.concepts.vectors(again.features)
    np.testing.assert_array_equal(grown[:80], vectors)
    assert grown.shape == (81, vectors.shape[1])
    tree = again.fitted.concepts.members
    assert len(tree.paths) == 81
    mates = [theme(again, int(i)) for i in tree.items(int(tree.paths[80, 0])) if i < 80]
    space = int(again.fitted.catalog.table.with_row_index().filter(pl.col("genre") == "space")["index"][0])
    assert np.bincount(mates).argmax() == theme(again, space)


def test_vectors_are_those_the_tree_was_made_of(engine, data):
    f = engine.fitted
    again = FusedSpace.fit(data.with_features(engine.features))[1]
    np.testing.assert_array_equal(f.concepts.vectors(engine.features), again)


def test_overlapping_concepts_are_told(overlapping):
    table = overlapping.concepts()
    assert table["level"].unique().to_list() == [0]
    assert table["parent"].null_count() == len(table)
    assert table["items"].sum() > 80
    assert table["share"].sum() == pytest.approx(1)
    assert all(table["name"].to_list())
    assert table.equals(overlapping.concepts(0))
    with pytest.raises(ConfigError, match="level=1 is unknown; the levels are 0 to 0"):
        overlapping.concepts(1)
    f = overlapping.fitted
    for concept in range(len(table)):
        themes = [theme(overlapping, int(i)) for i in f.concepts.typical[concept] if i >= 0]
        assert np.bincount(themes).max() / len(themes) > 0.5


def test_overlapping_interests_are_told_served_and_steered(overlapping):
    asked = [["i0", "i4", "i8", "i12", "i1"]]
    told = overlapping.interests(histories=asked)
    f, first = overlapping.fitted, told.row(0, named=True)
    inside = set(f.catalog.items.names(f.concepts.members.items(first["concept"])))
    assert set(first["evidence"]) == {f.catalog.title(f.catalog.items.ids.index(i)) for i in inside & set(asked[0])}
    assert told["weight"].sum() == pytest.approx(1)
    assert set(overlapping.recommend(histories=asked, k=80, interest=first["concept"])["item_id"]) == inside - {
        *asked[0]
    }
    off = overlapping.recommend(histories=asked, k=80, steer=Steering(without=[first["concept"]]))
    assert not inside & set(off["item_id"])


def test_overlapping_concepts_are_saved_and_new_items_join_them(overlapping, tmp_path):
    overlapping.save(tmp_path / "engine")
    again = load(tmp_path / "engine")
    assert again.recipe.concepts == OVERLAPPING.concepts
    assert again.concepts().equals(overlapping.concepts())
    assert again.interests(histories=[["i0", "i4"]]).equals(overlapping.interests(histories=[["i0", "i4"]]))
    assert again.add_items(NEW) == 1
    members = again.fitted.concepts.members
    mates = [theme(again, int(i)) for i in members.items(int(members.paths[80, 0])) if i < 80]
    space = int(again.fitted.catalog.table.with_row_index().filter(pl.col("genre") == "space")["index"][0])
    assert np.bincount(mates).argmax() == theme(again, space)


@pytest.mark.parametrize("n", [1, 10])
@pytest.mark.parametrize("recipe", [SMALL, OVERLAPPING])
def test_few_items_of_one_kind(recipe, n):
    tiny = clusters(30, n, 1, seed=0)
    engine = Engine(recipe).fit(tiny)
    table = engine.concepts()
    assert table["level"].unique().to_list() == ([0, 1, 2] if recipe is SMALL else [0])
    assert table.filter(pl.col("level") == 0)["items"].sum() >= n
    assert engine.interests(histories=[["i0", "i1"]]).columns == engine.interests(histories=[[]]).columns
    assert len(engine.recommend(histories=[[]], interest=0, k=3)) > 0


@pytest.mark.parametrize("kind", ["tree", "sparse"])
def test_one_concept_says_nothing_of_anybody(data, kind):
    z = np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)
    one = ConceptSettings(kind, TreeSettings(sizes=(1,)), SparseSettings(size=1, steps=5))
    concepts = Concepts.fit(data.with_features(z), settings=one)
    assert concepts.table(data.catalog)["items"].to_list() == [80]
    assert concepts.of(np.array([0, 4, 8])) == []


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match="kind='flat' of concepts is unknown; it is 'tree' or 'sparse'"):
        ConceptSettings("flat")
