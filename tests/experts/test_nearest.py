"""A graph of neighbours: what it finds, how well it says it does, and an engine that looks for items by it."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import warmstart as ws
from warmstart.data.toy import clusters
from warmstart.experts import asked, best, nearest
from warmstart.experts.nearest import Neighbours, attach, linked, neighbours_of
from warmstart.recipe import Recipe


@pytest.fixture(scope="module")
def z():
    return np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def graph(z):
    return Neighbours.build(z)


def test_nearly_all_of_the_best_are_found_and_it_says_so(z, graph):
    assert graph.recall > 0.9
    q = np.random.default_rng(1).normal(size=(50, 16)).astype(np.float32)
    truth = np.argsort(-(q @ z.T), axis=1)[:, :20]
    found = graph.search(q, 20)
    assert found.shape == (50, 20)
    assert np.mean([len(set(a) & set(b)) / 20 for a, b in zip(truth, found, strict=True)]) > 0.9


def test_recall_is_of_what_people_took(z, monkeypatch):
    x = clusters(30, 2000, 3, seed=0).interactions
    monkeypatch.setattr(nearest, "LARGE", 100)
    found = linked(z, None, x)
    assert found.recall == found.measured(z, nearest.tastes(z, x)) > 0.9
    none = x.select(np.zeros(len(x), bool))
    assert linked(z, None, none).recall == pytest.approx(linked(z).recall, abs=0.01)  # threads add in any order


def test_who_says_nothing_finds_nothing(graph):
    q = np.zeros((3, 16), np.float32)
    q[1] = np.nan
    assert (graph.search(q, 5) == -1).all()
    assert graph.search(q[:0], 5).shape == (0, 5)
    assert (graph.search(np.ones((1, 16), np.float32), 3000)[0, 2000:] == -1).all()


def test_items_that_came_later_are_found(z, graph):
    later = np.vstack([z, 100 * np.ones((2, 16), np.float32)])
    found = graph.among(np.ones((1, 16), np.float32), later, 5)
    assert {2000, 2001} <= set(found[0])


def test_columns_that_few_items_have_are_not_indexed(z):
    rare = np.zeros((2000, 30), np.float32)
    rare[np.arange(30), np.arange(30)] = 1.0
    assert Neighbours.build(np.hstack([z, rare])).columns.tolist() == list(range(16))


def test_a_graph_lives_as_long_as_its_features(graph):
    z = np.zeros((3, 16), np.float32)
    attach(z, graph)
    assert neighbours_of(z) is graph
    assert neighbours_of(z.copy()) is None


def test_only_very_large_catalogues_have_one(z, monkeypatch, caplog):
    assert linked(z) is None
    monkeypatch.setattr(nearest, "LARGE", 100)
    told = []
    assert linked(z, lambda *step: told.append(step)).size == 2000
    assert told == [("linking items to their neighbours", 0, 2000)]
    monkeypatch.setattr(nearest, "installed", lambda module: False)
    with caplog.at_level("WARNING", "warmstart.engine"):
        assert linked(z) is None
    assert "warmstart[scale]" in caplog.text


@pytest.fixture(scope="module")
def world():
    """A dataset, the recipe of a small engine, and what it answers when it goes over everything."""
    data = clusters(150, 600, 6, seed=2)
    recipe = Recipe(encoder="tfidf")
    names = ("popularity", "content_map", "people", "people_content", "factors", "transitions")
    recipe = replace(recipe, experts={n: recipe.experts[n] for n in names})
    return data, recipe, list(data.users.ids[:40])


def overlap(a, b):
    both = a.join(b, on=["query", "item_id"], how="inner")
    return len(both) / len(a)


def test_an_engine_that_looks_for_items_answers_like_one_that_goes_over_all(world, monkeypatch, tmp_path):
    data, recipe, users = world
    whole = ws.Engine(recipe).fit(data).recommend(users=users)
    for module in (asked, nearest):
        monkeypatch.setattr(module, "LARGE", 100)
    monkeypatch.setattr(best, "REACH", 300)
    engine = ws.Engine(replace(recipe, fusion=replace(recipe.fusion, large=100, sample=300))).fit(data)
    assert neighbours_of(engine.features) is engine.fitted.neighbours
    found = engine.recommend(users=users)
    assert found.group_by("query").len()["len"].unique().to_list() == [10]
    assert overlap(whole, found) > 0.75
    engine.save(tmp_path / "engine")
    manifest = json.loads((tmp_path / "engine" / "manifest.json").read_text())
    assert manifest["recall"] == engine.fitted.neighbours.recall
    loaded = ws.load(tmp_path / "engine", data)
    assert overlap(found, loaded.recommend(users=users)) > 0.99
    few = list(data.catalog.items.ids[:9])
    shown = loaded.recommend(users=users, candidates=few, exclude_seen=False)
    assert set(shown["item_id"]) == set(few)
    new = data.catalog.table.head(1).with_columns(item_id=pl.lit("new"))
    loaded.add_items(new)
    assert neighbours_of(loaded.features) is not None
    assert "new" in loaded.recommend(histories=[[data.catalog.items.ids[0]]], k=100)["item_id"].to_list()
