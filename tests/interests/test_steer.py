"""Interests switched off, and more of others."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.engine import Engine
from warmstart.errors import ConfigError, DataError
from warmstart.experts.content import ContentMap
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.interests.steer import Steering, Wishes
from warmstart.recipe import Recipe

HISTORY = [["i0", "i4", "i8", "i1", "i5"]]  # two themes: items n are of theme n modulo 4


@pytest.fixture(scope="module")
def engine():
    experts = {"popularity": Popularity(), "content_map": ContentMap()}
    fusion = Fusion(queries=60, heads=HeadLearner(ranker=None))
    return Engine(Recipe(encoder="tfidf", experts=experts, fusion=fusion)).fit(clusters(120, 80, 4, seed=1))


def concept_of(engine, item, level=0):
    f = engine.fitted
    return int(f.concepts.members.paths[int(f.catalog.items.codes([item])[0]), level])


def share(engine, rows, concept):
    """Part of a list that belongs to a concept."""
    inside = set(engine.fitted.catalog.items.names(engine.fitted.concepts.members.items(concept)))
    return np.mean([item in inside for item in rows["item_id"]]) if len(rows) else 0.0


def test_what_is_switched_off_is_not_shown_nor_heard(engine):
    off = concept_of(engine, "i0")
    before, after = (engine.recommend(histories=HISTORY, k=20, steer=Steering(without=w)) for w in ((), [off]))
    assert share(engine, before, off) > 0
    assert share(engine, after, off) == 0
    alone = engine.recommend(histories=[["i1", "i5"]], k=20, steer=Steering(without=[off]))
    assert after["item_id"].to_list() == alone["item_id"].to_list()


def test_more_of_a_concept_is_shown(engine):
    wanted = concept_of(engine, "i1")
    before, after = (engine.recommend(histories=HISTORY, k=20, steer=Steering(more=m)) for m in ((), [wanted]))
    assert share(engine, after, wanted) > share(engine, before, wanted)
    assert after["rank"].to_list() == list(range(1, 21))
    both = engine.recommend(histories=HISTORY, k=20, steer=Steering(more=[wanted], without=[wanted]))
    assert share(engine, both, wanted) == 0


def test_asked_for_nothing_nothing_changes(engine):
    plain, asked = (engine.recommend(histories=HISTORY, k=20, steer=steer) for steer in (None, Steering()))
    assert plain.equals(asked)


def test_whoever_switches_everything_off_is_a_new_user_to_whom_nothing_is_left(engine):
    every = engine.concepts(0)["concept"].to_list()
    assert len(engine.recommend(histories=HISTORY, steer=Steering(without=every))) == 0
    mine = sorted({concept_of(engine, item) for item in HISTORY[0]})
    left, new = (engine.recommend(histories=h, k=10, steer=Steering(without=mine)) for h in (HISTORY, [[]]))
    assert left["item_id"].to_list() == new["item_id"].to_list()


def test_seen_items_stay_out_when_their_events_are_not_heard(engine):
    fine = concept_of(engine, "i0", level=2)
    rows = engine.recommend(histories=HISTORY, k=80, steer=Steering(without=[fine]))
    assert not set(HISTORY[0]) & set(rows["item_id"])


def test_wanted_items_rise_by_two_deviations():
    wishes = Wishes(np.zeros(5, bool), np.array([False, False, False, True, False]))
    item = np.array([[0, 1, 3, -1], [3, 2, -1, -1]])
    score = np.array([[9.0, 2.0, 1.0, 0.0], [5.0, 4.0, 0.0, 0.0]])  # deviations 3.56 and 0.5
    assert wishes.raised(item, score)[0].round(2).tolist() == [9, 2, 8.12, -np.inf]
    level = np.array([[3.0, 2.0, 1.9, 0.0], [5.0, 4.0, 0.0, 0.0]])  # 0.5: 1.9 comes before 2.0, not before 3.0
    assert wishes.raised(item, level)[0].round(2).tolist() == [3, 2, 2.89, -np.inf]
    assert wishes.raised(item, level)[1].tolist() == [6, 4, -np.inf, -np.inf]


def test_histories_lose_events_with_all_that_is_known_of_them():
    h = replace(Histories.of([[0, 1, 2], [3]], 4), rating=np.arange(4, dtype=np.float32), time=np.arange(4))
    kept = Wishes(np.array([True, False, False, True]), np.zeros(4, bool)).heard(h)
    assert (kept.lengths.tolist(), kept.item.tolist(), kept.rating.tolist()) == ([2, 0], [1, 2], [1.0, 2.0])
    assert kept.time.tolist() == [1, 2]


def test_unknown_concepts_are_refused(engine):
    with pytest.raises(DataError, match="no concept is called 'knitting'"):
        engine.recommend(histories=HISTORY, steer=Steering(without=["knitting"]))


@pytest.mark.parametrize("given", ["17", 17])
def test_one_concept_in_place_of_a_list_is_refused(given):
    for name in ("without", "more"):
        with pytest.raises(ConfigError, match=f"{name}=.* is one concept"):
            Steering(**{name: given})
