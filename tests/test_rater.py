"""Ratings by ids: from a rater, from an engine, from a folder."""

from dataclasses import replace

import numpy as np
import pytest

import warmstart as ws
from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.errors import ArtefactError, DataError, NotFitted
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.model import RatingModel
from warmstart.rater import Rater
from warmstart.recipe import Recipe

MACHINE = FactorisationMachine((Chain(), Chain(heard=False)), rank=2, steps=24, dropped=8, kept=4)
MODEL = RatingModel(machine=MACHINE)


@pytest.fixture(scope="module")
def data():
    """Half of the people rate even items 5 and odd ones 2, the others the other way round, give or take."""
    toy, rng = clusters(70, 40, 2, seed=2), np.random.default_rng(0)
    user, item = np.nonzero(rng.random((70, 40)) < 0.5)
    rating = np.where(user % 2 == item % 2, 5, 2) - (rng.random(len(user)) < 0.2)
    return toy.with_interactions(Interactions.of(user, item, 70, 40, rating=rating))


@pytest.fixture(scope="module")
def rater(data):
    return Rater(MODEL, Recipe(encoder="tfidf")).fit(data)


def test_a_user_is_the_history_of_this_user(rater, data):
    x, user = data.interactions, data.users.ids[5]
    rows = np.flatnonzero(x.user == 5)
    names = data.catalog.items.names(x.item[rows].tolist())
    history = list(zip(names, x.rating[rows].tolist(), strict=True))
    bare = Rater(MODEL, Recipe(encoder="tfidf")).fit(replace(data, user_table=None))
    by_id = bare.predict(users=[user] * 3, items=["i0", "i1", "i2"])
    by_history = bare.predict(histories=[history] * 3, items=["i0", "i1", "i2"])
    for one, other in zip(by_id.to_numpy().T, by_history.to_numpy().T, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_taste_is_followed_and_intervals_hold_the_rating(rater):
    liked = [("i0", 5.0), ("i2", 5.0), ("i1", 2.0), ("i3", 2.0), ("i4", 5.0)]
    table = rater.predict(histories=[liked] * 2, items=["i6", "i7"])
    assert table["rating"][0] > table["rating"][1] + 0.5
    assert (table["low"] <= table["rating"]).all()
    assert (table["rating"] <= table["high"]).all()
    assert (table["low"] >= 1).all()
    assert (table["high"] <= 5).all()


def test_strangers_unknown_items_and_mistakes(rater):
    table = rater.predict(users=["nobody", "u1"], items=["i0", "gone"])
    assert table["rating"].is_null().to_list() == [False, True]
    assert rater.predict(items=["i0"]).height == 1
    assert rater.predict(histories=[[("gone", 3.0)]], items=["i0"]).equals(rater.predict(items=["i0"]))
    with pytest.raises(DataError, match="2 users for 1 items"):
        rater.predict(users=["u1", "u2"], items=["i0"])
    with pytest.raises(DataError, match="rating of item 'i0' is nan"):
        rater.predict(histories=[[("i0", float("nan"))]], items=["i1"])
    with pytest.raises(DataError, match="k=0"):
        rater.ask(k=0)
    with pytest.raises(NotFitted):
        Rater().predict(items=["i0"])


def test_a_folder_gives_the_same_and_holds_nobody(rater, data, tmp_path):
    rater.save(tmp_path / "rater")
    asked = {"histories": [[("i0", 5.0)], []], "items": ["i2", "i3"]}
    loaded = Rater.load(tmp_path / "rater")
    assert loaded.predict(**asked).equals(rater.predict(**asked))
    assert loaded.ask([("i0", 5.0)], 3).equals(rater.ask([("i0", 5.0)], 3))
    with pytest.raises(NotFitted, match="--data"):
        loaded.predict(users=["u1"], items=["i0"])
    assert Rater.load(tmp_path / "rater", data).predict(users=["u1"], items=["i0"]).height == 1
    parts = tmp_path / "rater" / "parts.json"
    assert not any(f'"{user}"' in parts.read_text(encoding="utf-8") for user in data.users.ids[:5])
    parts.write_text("{}")
    with pytest.raises(ArtefactError, match="changed"):
        Rater.load(tmp_path / "rater")


def test_an_engine_predicts_ratings_keeps_them_and_takes_new_items(data, tmp_path):
    small = {"encoder": "tfidf", "fusion": {"queries": 60, "heads": {"ranker": False}}}
    recipe = Recipe.of(small | {"experts": {"popularity": {"class": "Popularity"}}})
    engine = ws.Engine(replace(recipe, ratings=MODEL)).fit(data)
    asked = {"histories": [[("i0", 5.0)], []], "items": ["i2", "i3"]}
    told = engine.predict_rating(**asked)
    engine.save(tmp_path / "engine")
    loaded = ws.load(tmp_path / "engine")
    assert loaded.predict_rating(**asked).equals(told)
    assert loaded.recipe.ratings == MODEL
    loaded.add_items([{"item_id": "new", "title": "brand new"}])
    more = loaded.predict_rating(histories=[[("i0", 5.0)]], items=["new"])
    assert more["rating"].is_between(1, 5).all()
    assert loaded.ask_ratings([("i0", 5.0)], 2).height == 2


def test_an_engine_without_ratings_says_what_to_do(data, tmp_path):
    recipe = Recipe.of({"encoder": "tfidf", "experts": {"popularity": {"class": "Popularity"}}})
    silent = data.with_interactions(replace(data.interactions, rating=np.full(len(data.interactions), np.nan, "f4")))
    engine = ws.Engine(recipe).fit(silent)
    with pytest.raises(DataError, match="rating"):
        engine.predict_rating(users=["u1"], items=["i0"])
    engine.save(tmp_path / "engine")
    with pytest.raises(NotFitted, match="--ratings"):
        ws.load(tmp_path / "engine").predict_rating(items=["i0"])


def test_a_user_is_asked_what_the_history_of_that_user_would_be(data):
    rater = Rater(MODEL, Recipe(encoder="tfidf")).fit(replace(data, user_table=None))
    user = rater.data.users.names([0])[0]
    h = rater.data.histories(np.array([0]))
    names = rater.data.catalog.items.names(h.item.tolist())
    given = list(zip(names, h.rating.tolist(), strict=True))
    assert rater.ask(user=user, k=4).equals(rater.ask(given, 4))
    with pytest.raises(DataError, match="take one of them"):
        rater.ask(given, 4, user)


def test_one_history_for_many_items_says_the_same_as_for_each(rater):
    rows, items = [[("i0", 5.0)], [("i1", 1.0), ("i0", 3.0)]], ["i2", "i3", "i4"]
    both = rater.predict(histories=[rows[0], rows[1], rows[0]], items=items)
    for at, row in enumerate((0, 1, 0)):
        assert rater.predict(histories=[rows[row]], items=[items[at]]).rows()[0] == pytest.approx(both.rows()[at])
