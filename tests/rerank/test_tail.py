"""More of the tail: what is promised of every prefix, and that nothing asked changes nothing."""

import itertools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.popularity import long_tail
from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.errors import ConfigError
from warmstart.fusion.price import WAYS
from warmstart.interests.steer import Steering
from warmstart.recipe import Recipe
from warmstart.rerank.tail import Tail

MASKS = st.lists(st.booleans(), max_size=40).map(lambda m: np.array(m, bool))


@given(MASKS, st.floats(0, 1), st.integers(0, 12), st.integers(1, 50))
def test_every_prefix_holds_its_share_of_the_tail(tail, floor, keep, k):
    order = Tail(floor=floor, keep=keep).floored(tail, k)
    assert len(order) == len(set(order.tolist())) == min(k, len(tail))
    shown = tail[order[keep:]].cumsum()
    left = tail.sum() - tail[order[:keep]].sum()
    due = np.minimum(np.floor(floor * np.arange(1, len(shown) + 1)), left)
    assert (shown >= due).all()
    assert order[: min(keep, k, len(tail))].tolist() == list(range(min(keep, k, len(tail))))
    for part in (tail, ~tail):  # within head and tail the best come first
        assert (np.diff(order[part[order]]) > 0).all()


@given(MASKS, st.integers(1, 50))
def test_without_a_floor_the_order_stays(tail, k):
    assert Tail().floored(tail, k).tolist() == list(range(min(k, len(tail))))


@given(MASKS, st.floats(0, 1), st.integers(1, 20))
def test_a_short_list_is_the_beginning_of_a_long_one(tail, floor, k):
    one, other = Tail(floor=floor).floored(tail, k), Tail(floor=floor).floored(tail, k + 7)
    assert other[: len(one)].tolist() == one.tolist()


def test_the_full_share_shows_the_tail_alone_while_there_is_any():
    assert Tail(floor=1.0).floored(np.array([False, True, False, True]), 4).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"correction": -0.1}, "correction=-0.1"),
        ({"floor": 1.2}, "floor=1.2"),
        ({"loss": -0.5}, "loss=-0.5"),
        ({"head_loss": 2.0}, "head_loss=2"),
        ({"keep": -1}, "keep=-1"),
        ({"lift": 0.2, "loss": 0.01}, "stands beside"),
        ({"correction": 0.2, "loss": 0.01, "way": "correction"}, "stands beside"),
        ({"way": "up"}, "way='up'"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        Tail(**given)


@pytest.fixture(scope="module")
def engine():
    recipe = {"encoder": "tfidf", "fusion": {"queries": 60, "heads": {"ranker": False}}}
    experts = {"popularity": {"class": "Popularity"}, "people": {"class": "PriorMeanEASE"}}
    return Engine(Recipe.of(recipe | {"experts": experts})).fit(clusters(120, 80, 4, seed=1))


ASKED = [["i1", "i5"], [], ["i2"]]


def codes(engine, tail, k=10):
    rows = engine.recommend(histories=ASKED, k=k, tail=tail)
    return [engine.fitted.catalog.items.codes(rows.filter(pl.col("query") == q)["item_id"].to_list()) for q in range(3)]


def test_nothing_asked_changes_nothing(engine):
    plain = engine.recommend(histories=ASKED)
    assert engine.recommend(histories=ASKED, tail=Tail()).equals(plain)
    assert (
        engine.recommend(histories=ASKED, tail=Tail(correction=0.0, keep=5)).drop("score").equals(plain.drop("score"))
    )


def test_a_correction_shows_what_is_less_known(engine):
    known = [
        np.mean([engine.fitted.counts[row].mean() for row in codes(engine, Tail(correction=b))]) for b in (0, 1, 3)
    ]
    assert known == sorted(known, reverse=True)
    assert known[0] > known[2]
    rare = long_tail(engine.fitted.counts)
    lifted = [np.mean([rare[row].mean() for row in codes(engine, Tail(lift=c))]) for c in (0, 1, 9)]
    assert lifted == sorted(lifted)
    assert lifted[0] < lifted[2] == 1


def test_the_floor_holds_in_every_list(engine):
    rare = long_tail(engine.fitted.counts)
    for row in codes(engine, Tail(floor=0.6, keep=2), k=12):
        assert len(row) == 12
        assert rare[row[2:]].sum() >= 6
    short, long = (codes(engine, Tail(floor=0.6), k=k) for k in (5, 12))
    assert all(a.tolist() == b[:5].tolist() for a, b in zip(short, long, strict=True))


def test_the_floor_holds_beside_wishes_too(engine):
    concept = int(engine.concepts(0)["concept"][0])
    rows = engine.recommend(histories=ASKED[:1], steer=Steering(more=[concept]), tail=Tail(floor=1.0), k=8)
    assert long_tail(engine.fitted.counts)[engine.fitted.catalog.items.codes(rows["item_id"].to_list())].all()


def test_a_recipe_decides_where_the_question_does_not(engine, tmp_path):
    engine.save(tmp_path)
    asked = Tail(loss=0.2, floor=0.3)
    loaded = load(tmp_path)
    loaded.recipe = replace(loaded.recipe, tail=asked)
    assert loaded.recommend(histories=ASKED).equals(engine.recommend(histories=ASKED, tail=asked))
    assert loaded.recommend(histories=ASKED, tail=Tail()).equals(engine.recommend(histories=ASKED))
    assert Recipe.of(loaded.recipe.to_dict()).tail == asked
    shown = loaded.recommend(histories=ASKED[:1], k=5)
    told = [loaded.explain(item=i, history=ASKED[0], k=5).rank for i in shown["item_id"]]
    assert told == [1, 2, 3, 4, 5]


def test_what_a_correction_costs_decides_how_large_it_is(engine):
    fusion = engine.fitted.fusion
    state, head = next((s, h) for s, h in fusion.heads.items() if h.prices)
    for way, share in itertools.product(WAYS, (0.001, 0.05, 0.5)):
        price, both = head.prices[way], Tail(loss=share, head_loss=share, way=way)
        assert Tail(loss=share, way=way).strength(way, fusion, state) == price.within(share, None)
        assert both.strength(way, fusion, state) == price.within(share, share)
    assert Tail(correction=0.7, loss=0.01).strength("correction", fusion, state) == 0.7
    unpriced = replace(fusion, heads={state: replace(head, prices={})})
    assert Tail(loss=0.5).strength("lift", unpriced, state) == 0.0
