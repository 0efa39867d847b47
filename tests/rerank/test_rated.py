"""Lists in the order of predicted ratings: of candidates by hand, and of an engine."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.errors import DataError, NotFitted
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.model import RatingModel
from warmstart.interests.steer import Steering
from warmstart.recipe import Recipe
from warmstart.rerank.order import RATING
from warmstart.rerank.rated import by_rating
from warmstart.rerank.tail import Tail

MACHINE = FactorisationMachine((Chain(), Chain(heard=False)), rank=2, steps=24, dropped=8, kept=4)
SMALL = {"encoder": "tfidf", "fusion": {"queries": 60, "heads": {"ranker": False}}}
SMALL["experts"] = {"popularity": {"class": "Popularity"}, "people": {"class": "PriorMeanEASE"}}


class Table:
    """Says the rating of an item to be what a table says, and half of it for somebody of whom nothing is known."""

    def __init__(self, ratings):
        self.ratings = np.asarray(ratings, float)

    def predict(self, h, query, item):
        value = self.ratings[item] * np.where(h.lengths[query] > 0, 1.0, 0.5)
        return value, value - 1, value + 1


def test_candidates_are_sorted_by_rating_equal_ones_stay_and_gaps_are_last():
    h, item = Histories.of([[0], []], 5), np.array([[4, 1, 2, 3], [3, 2, -1, -1]], np.int32)
    given = (item, np.where(item < 0, -np.inf, 1.0), item.astype(np.int64) * 10)
    item, score, lead = by_rating(Table([0, 5, 3, 5, 1]), h, *given, alone=True)
    assert item.tolist() == [[1, 3, 2, 4], [3, 2, -1, -1]]
    assert score.tolist() == [[5, 5, 3, 1], [2.5, 1.5, -np.inf, -np.inf]]
    assert lead.tolist() == [[10, 30, 20, 40], [30, 20, -10, -10]]
    with pytest.raises(NotFitted, match="--ratings"):
        by_rating(None, h, *given, alone=True)


def test_both_weigh_relevance_twice_as_much_as_the_rating():
    h, item = Histories.of([[0], [], [0]], 4), np.array([[1, 2, -1], [-1, -1, -1], [1, 2, 3]], np.int32)
    relevance = np.array([[3.0, 1.0, -np.inf], [-np.inf] * 3, [7.0, 7.0, 7.0]])
    item, key, lead = by_rating(Table([0, 1, 5, 3]), h, item, relevance, item.astype(np.int64), alone=False)
    assert item.tolist() == lead.tolist() == [[1, 2, -1], [-1, -1, -1], [2, 3, 1]]
    assert key[:2].tolist() == [[0.5, -0.5, -np.inf], [-np.inf] * 3]
    assert key[2] == pytest.approx(np.array([1, 0, -1]) * np.sqrt(1.5) / 2)


@pytest.fixture(scope="module")
def data():
    """Half of the people rate even items 5 and odd ones 2, the others the other way round, give or take."""
    toy, rng = clusters(70, 40, 2, seed=2), np.random.default_rng(0)
    user, item = np.nonzero(rng.random((70, 40)) < 0.5)
    rating = np.where(user % 2 == item % 2, 5, 2) - (rng.random(len(user)) < 0.2)
    return toy.with_interactions(Interactions.of(user, item, 70, 40, rating=rating))


@pytest.fixture(scope="module")
def engine(data):
    recipe = replace(Recipe.of(SMALL), objective=RATING, ratings=RatingModel(machine=MACHINE))
    return Engine(recipe).fit(data)


def test_the_score_is_the_predicted_rating_and_taste_is_followed(engine):
    for user, parity in (("u4", 0), ("u5", 1)):
        rows = engine.recommend(users=[user], k=6)
        told = engine.predict_rating([user] * 6, rows["item_id"].to_list())
        assert rows["score"].to_numpy() == pytest.approx(told["rating"].to_numpy())
        assert (np.diff(rows["score"].to_numpy()) <= 0).all()
        assert [int(name[1:]) % 2 for name in rows["item_id"]] == [parity] * 6


def test_a_history_may_bring_its_ratings(engine):
    even, odd = ([(f"i{n}", 5 if n % 2 == parity else 2) for n in range(8)] for parity in (0, 1))
    rows = engine.recommend(histories=[even, odd, ["i0", ("i2", 5)]], k=6)
    for query, history in enumerate((even, odd, [("i2", 5)])):
        mine = rows.filter(pl.col("query") == query)
        told = engine.predict_rating(histories=[history] * 6, items=mine["item_id"].to_list())
        assert mine["score"].to_numpy() == pytest.approx(told["rating"].to_numpy())
        if query < 2:
            assert [int(name[1:]) % 2 for name in mine["item_id"]] == [query] * 6
    assert not {"i0", "i2"} & set(rows.filter(pl.col("query") == 2)["item_id"])
    rank = engine.recommend(histories=[even], k=3)["item_id"].to_list().index
    first = engine.recommend(histories=[even], k=3)["item_id"][0]
    assert engine.explain(first, history=even, k=3).rank == rank(first) + 1


@pytest.mark.parametrize(("entry", "said"), [(("i0", 9), "the scale is"), (("i0", "5"), "finite"), (("i0",), "write")])
def test_ratings_of_a_history_are_checked(engine, entry, said):
    with pytest.raises(DataError, match=said):
        engine.recommend(histories=[[entry]], k=2)


def test_histories_of_ids_have_no_ratings(engine):
    rows = engine.recommend(histories=[["i0", "i2"]], k=4)
    told = engine.predict_rating(histories=[[]] * 4, items=rows["item_id"].to_list())
    assert rows["score"].to_numpy() == pytest.approx(told["rating"].to_numpy())
    assert not {"i0", "i2"} & set(rows["item_id"])


def test_only_candidates_are_sorted(engine, data):
    few = ["i1", "i3", "i4"]
    rows = engine.recommend(users=["u4"], candidates=few, exclude_seen=False, k=5)
    assert rows["item_id"][0] == "i4"
    assert sorted(rows["item_id"]) == few
    assert engine.recommend(users=["u4", "nobody"], k=3).group_by("query").len()["len"].to_list() == [3, 3]


def test_what_else_changes_places_still_does(engine, data):
    concept = int(engine.concepts(0)["concept"][0])
    steered = engine.recommend(users=["u4"], k=5, steer=Steering(without=[concept]))
    plain = engine.recommend(users=["u4"], k=5)
    assert not engine.fitted.concepts.mask(concept)[engine.fitted.catalog.items.codes(steered["item_id"])].any()
    mixed = engine.recommend(users=["u4"], k=5, calibrate=0.9, tail=Tail(floor=0.4))
    assert mixed["item_id"].n_unique() == 5
    assert mixed["item_id"].to_list() != plain["item_id"].to_list()
    more = engine.recommend(users=["u4"], k=5, steer=Steering(more=[concept]))
    assert set(more["score"].round(6)) <= set(engine.recommend(users=["u4"], k=40)["score"].round(6))


def test_explanations_tell_the_rank_that_the_list_shows(engine):
    rows = engine.recommend(users=["u4"], k=3)
    for item, rank in zip(rows["item_id"], rows["rank"], strict=True):
        assert engine.explain(item, user="u4", k=3).rank == rank
    later = engine.recommend(users=["u4"], k=40)["item_id"][-1]
    assert engine.explain(later, user="u4", k=3).status == "below the cut"
    other = engine.recommend(users=["u4"], k=3, objective="relevance")["item_id"].to_list()
    told = [engine.explain(item, user="u4", k=3, objective="relevance").rank for item in other]
    assert told == [1, 2, 3] != [engine.explain(item, user="u4", k=3).rank for item in other]


def test_the_objective_can_be_asked_for_and_is_kept(engine, data, tmp_path):
    by_relevance = engine.recommend(users=["u4"], k=8, objective="relevance")
    assert by_relevance["item_id"].to_list() != engine.recommend(users=["u4"], k=8)["item_id"].to_list()
    engine.save(tmp_path / "engine")
    loaded = load(tmp_path / "engine", data)
    assert loaded.recipe.objective == RATING
    asked = {"users": ["u4", "u5", "nobody"], "k": 8}
    assert loaded.recommend(**asked).drop("score").equals(engine.recommend(**asked).drop("score"))
    loaded.add_items([{"item_id": "new", "title": "brand new"}])
    assert loaded.recommend(users=["u4"], candidates=["new"])["score"].is_between(1, 5).all()


def test_both_lie_between_relevance_and_rating(engine):
    asked = {"users": [f"u{n}" for n in range(20)], "k": 5}
    means = []
    for objective in ("relevance", "both", "rating"):
        rows = engine.recommend(**asked, objective=objective)
        users = [asked["users"][q] for q in rows["query"].to_list()]
        means.append(engine.predict_rating(users, rows["item_id"].to_list())["rating"].mean())
    assert means == sorted(means)
    assert means[0] < means[2]


def test_an_engine_by_relevance_learns_ratings_when_it_is_asked_or_says_what_to_do(data, tmp_path, monkeypatch, caplog):
    plain = Engine(Recipe.of(SMALL)).fit(data)
    plain.save(tmp_path / "engine")
    with pytest.raises(NotFitted, match="--ratings"):
        load(tmp_path / "engine").recommend(histories=[[]], objective=RATING)
    monkeypatch.setattr("warmstart.engine.RatingModel", lambda: RatingModel(machine=MACHINE))
    assert not caplog.messages
    assert plain.recommend(users=["u4"], objective=RATING, k=3)["score"].is_between(1, 5).all()
    assert plain.predict_rating(["u4"], ["i1"]).height == 1
    assert ["--ratings" in said and "first question" in said for said in caplog.messages] == [True]  # said once


def test_the_table_says_the_same_whatever_the_batch(engine):
    users = [f"u{n}" for n in range(30)]
    together = engine.recommend(users=users, k=4)
    alone = engine.recommend(users=users[7:8], k=4)
    mine = together.filter(pl.col("query") == 7)
    assert mine["item_id"].to_list() == alone["item_id"].to_list()
