"""Explanations by interest, and lists in proportion to interests, as an engine gives them."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.engine import Engine
from warmstart.errors import ConfigError
from warmstart.evaluate.faithful import faithfulness
from warmstart.evaluate.steered import steered
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.fusion.leave_out import LeaveOut
from warmstart.interests.profile import newest_items
from warmstart.interests.steer import Steering
from warmstart.reasons import by_interest
from warmstart.recipe import Recipe

SAID = "because of your interest in "
THREE = ["i0", "i4", "i8", "i12", "i1", "i5"]  # four of a theme, two of another: items n are of theme n modulo 4


@pytest.fixture(scope="module")
def engine():
    experts = {"popularity": Popularity(), "content_map": ContentMap(), "people": PriorMeanEASE(strength=10.0)}
    fusion = Fusion(queries=60, heads=HeadLearner(ranker=None))
    return Engine(Recipe(encoder="tfidf", experts=experts, fusion=fusion)).fit(clusters(120, 80, 4, seed=1))


def theme(item):
    return int(item[1:]) % 4


def listed(engine, h, steer=None, candidates=None, k=20):
    names = engine.fitted.catalog.items
    only = None if candidates is None else names.names(candidates.tolist())
    table = engine.recommend(histories=[names.names(h.row(0).tolist())], k=k, candidates=only, steer=steer)
    return names.codes(table["item_id"].to_list())[None]


def test_an_interest_is_named_with_events_that_belong_to_it(engine):
    rows = engine.recommend(histories=[THREE], k=10, explain=True)
    told = {i["name"]: i["evidence"] for i in engine.interests(histories=[THREE]).to_dicts()}
    named = [row["reasons"][0].removeprefix(SAID) for row in rows.to_dicts() if row["reasons"][0].startswith(SAID)]
    assert len(named) > 5
    for reason in named:
        name, titles = reason.split(": ", 1)
        assert set(titles.split(", ")) <= set(told[name])


def test_what_is_cited_is_of_the_items_own_theme(engine):
    f = engine.fitted
    for row in engine.recommend(histories=[THREE], k=10).to_dicts():
        because = engine.explain(row["item_id"], history=THREE).because
        if because is not None:
            assert {theme(i) for i in because.item_ids} == {theme(row["item_id"])}
            assert because.titles == tuple(f.catalog.title(int(c)) for c in f.catalog.items.codes(because.item_ids))
            assert sorted(because.drops, reverse=True) == list(because.drops)
            assert because.drops[-1] > 0


def test_one_item_is_explained_as_in_the_list(engine):
    first = engine.recommend(histories=[THREE], k=1, explain=True).to_dicts()[0]
    told = engine.explain(first["item_id"], history=THREE)
    assert first["reasons"][0] == told.because.sentence
    assert told.because.sentence in told.text
    assert told.to_dict()["because"]["name"] == told.because.name


def test_nothing_is_claimed_of_nobody_and_of_what_is_in_the_history(engine):
    new = engine.recommend(histories=[[]], k=5, explain=True)
    assert not [r for row in new["reasons"] for r in row if r.startswith(SAID)]
    again = engine.recommend(histories=[THREE], k=80, exclude_seen=False, explain=True)
    seen = again.filter(pl.col("item_id").is_in(THREE))["reasons"]
    assert len(seen) == 6
    assert not [r for row in seen for r in row if r.startswith(SAID)]
    assert engine.explain("i0", history=THREE).because is None


def test_an_interest_that_is_switched_off_explains_nothing(engine):
    off = engine.interests(histories=[THREE])["concept"][0]
    rows = engine.recommend(histories=[THREE], k=10, explain=True, steer=Steering(without=[off]))
    name = engine.fitted.concepts.names[off]
    assert not [r for row in rows["reasons"] for r in row if r.startswith(f"{SAID}{name}:")]


def test_explanations_are_faithful(engine):
    f = engine.fitted
    h = Histories.of([[*range(t, 12 + 5 * t, 4), (t + 1) % 4, 5 + t] for t in range(4)], 80)

    def claims(one, item, allowed):
        told = by_interest(f, one, item, allowed)
        return [None if b is None else f.catalog.items.codes(list(b.item_ids)) for b in told]

    found = faithfulness(LeaveOut(f.fusion, f.panel, f.support), claims, h, draws=5)
    assert found.explained_share > 0.5
    assert found.share().mean >= 0.9
    assert found.drop.mean() > found.random.mean()


def test_an_interest_that_is_switched_off_loses_its_share_and_neighbours_sink_and_more_of_it_rises(engine):
    f = engine.fitted
    h = Histories.of([f.catalog.items.codes([f"i{t + 4 * n}" for n in (0, 2, 5, 1, 8)]).tolist() for t in range(4)], 80)
    found = steered(lambda one, asked, only: listed(engine, one, asked, only), f.concepts, f.space.z, h)
    assert found.people == 4
    assert found.interest_off <= found.interest / 2
    assert found.neighbours_off < found.neighbours_hidden  # they sink when its events are not heard
    assert found.interest_more > found.interest


def test_calibrated_lists_are_nearer_to_the_interests(engine):
    f, names = engine.fitted, engine.fitted.catalog.items
    plain, even = (engine.recommend(histories=[THREE], k=12, calibrate=w)["item_id"].to_list() for w in (0.0, 0.9))
    assert len(set(even)) == 12
    share = [sum(theme(i) == 1 for i in rows) / 12 for rows in (plain, even)]
    assert abs(share[1] - 1 / 3) <= abs(share[0] - 1 / 3)
    level = f.concepts.members.at(0)
    wanted = np.bincount([f.concepts.members.paths[c, 0] for c in names.codes(THREE)], minlength=len(level)) / 6
    gaps = []
    for rows in (plain, even):
        held = np.bincount(f.concepts.members.paths[names.codes(rows), 0], minlength=len(level)) / 12
        gaps.append(np.abs(held - wanted).sum())
    assert gaps[1] < gaps[0]


def test_without_weight_or_events_nothing_changes(engine):
    asked = {"histories": [THREE, []], "k": 10}
    plain = engine.recommend(**asked)
    assert engine.recommend(**asked, calibrate=0.0).equals(plain)
    moved = engine.recommend(**asked, calibrate=0.8)
    assert moved.filter(pl.col("query") == 1)["item_id"].equals(plain.filter(pl.col("query") == 1)["item_id"])
    assert moved["rank"].to_list() == plain["rank"].to_list()


def test_proportions_go_with_everything_else(engine):
    concept = engine.interests(histories=[THREE])["concept"][0]
    only = ["i16", "i20", "i9", "i13"]
    rows = engine.recommend(histories=[THREE], k=10, candidates=only, calibrate=0.5)
    assert sorted(rows["item_id"].to_list()) == sorted(only)
    off = engine.recommend(histories=[THREE], k=10, calibrate=0.5, steer=Steering(without=[concept]))
    assert not engine.fitted.concepts.mask(concept)[engine.fitted.catalog.items.codes(off["item_id"].to_list())].any()
    one = engine.recommend(histories=[THREE], k=3, calibrate=0.5, interest=concept, explain=True)
    assert engine.fitted.concepts.mask(concept)[engine.fitted.catalog.items.codes(one["item_id"].to_list())].all()
    with pytest.raises(ConfigError, match=r"calibrate=1\.5 is not between 0 and 1"):
        engine.recommend(histories=[THREE], calibrate=1.5)


@pytest.mark.parametrize(("most", "left"), [(9, [2, 7, 1]), (2, [2, 7]), (0, [])])
def test_the_newest_items_come_first_and_once(most, left):
    assert newest_items(np.array([7, 2, 1, 7, 2]), most).tolist() == left


def test_a_hundred_thousand_events_are_explained_by_their_newest_items(engine):
    row = np.tile(np.arange(72), 1400)
    told = by_interest(engine.fitted, Histories.of([row], 80), np.array([76]), np.arange(80) >= 72)
    newest = set(engine.fitted.catalog.items.names(newest_items(row, 64)))
    assert all(set(one.item_ids) <= newest for one in told if one)


def test_histories_of_little(engine):
    one = engine.recommend(histories=[["i0"]], k=5, explain=True, calibrate=0.5)
    first = [reason.removeprefix(SAID) for row in one["reasons"] for reason in row if reason.startswith(SAID)]
    assert all(reason.endswith(f": {engine.fitted.catalog.title(0)}") for reason in first)
    unknown = engine.recommend(histories=[["no such"]], k=5, explain=True, calibrate=0.5)
    assert unknown["item_id"].equals(engine.recommend(histories=[[]], k=5)["item_id"])
    mine = sorted({int(c) for c in engine.fitted.concepts.members.paths[engine.fitted.catalog.items.codes(THREE), 0]})
    off = engine.recommend(histories=[THREE], k=5, explain=True, calibrate=0.5, steer=Steering(without=mine))
    assert not [reason for row in off["reasons"] for reason in row if reason.startswith(SAID)]


def test_a_catalogue_of_ten_items_of_one_kind():
    experts = {"popularity": Popularity(), "content_map": ContentMap()}
    fusion = Fusion(queries=60, heads=HeadLearner(ranker=None))
    tiny = Engine(Recipe(encoder="tfidf", experts=experts, fusion=fusion)).fit(clusters(30, 10, 1, seed=0))
    rows = tiny.recommend(histories=[["i0", "i1"], ["i0"]], k=10, explain=True, calibrate=0.5)
    assert rows["query"].to_list() == [0] * 8 + [1] * 9
