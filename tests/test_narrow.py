"""Engines of eight bits: the same lists, but for a few; smaller; the first one is left alone."""

import numpy as np
import pytest

import warmstart as ws
from warmstart.data.toy import clusters
from warmstart.eight_bits import EightBits
from warmstart.errors import DataError
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity
from warmstart.experts.transitions import Transitions
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.narrow import cost, narrowed
from warmstart.recipe import Recipe


@pytest.fixture(scope="module")
def data():
    return clusters(200, 90, 3, seed=2)


@pytest.fixture(scope="module")
def engine(data):
    experts = {
        "popularity": Popularity(),
        "content_map": ContentMap(),
        "people": PriorMeanEASE(),
        "transitions": Transitions(),
    }
    fusion = Fusion(queries=60, heads=HeadLearner(ranker=None))
    return ws.Engine(Recipe(encoder="tfidf", experts=experts, fusion=fusion)).fit(data)


def test_lists_stay_and_weights_are_narrow(engine, data, tmp_path):
    before = engine.fitted.panel.experts["people"].data
    small = narrowed(engine, keep=60)
    found = cost(engine, small, data, people=80)
    assert (found.people, found.before > 0.05) == (80, True)
    assert found.same > 0.9
    assert found.low <= found.loss <= found.high
    assert found.loss == pytest.approx(found.before - found.after)
    assert engine.fitted.panel.experts["people"].data is before
    small.save(tmp_path)
    again = ws.load(tmp_path)
    for name, part in (("people", "data"), ("transitions", "s")):
        assert isinstance(getattr(again.fitted.panel.experts[name], part), EightBits)
    history = [["i1", "i5"]]
    first, second = (one.recommend(histories=history)["item_id"].to_list() for one in (small, again))
    assert first == second


def test_fewer_weights_cost_more(engine, data):
    costs = [cost(engine, narrowed(engine, keep), data, people=80).same for keep in (90, 1)]
    assert costs[0] > costs[1]
    kept = narrowed(engine, 1).fitted.panel.experts["people"].data
    assert np.diff(kept.indptr).max() == 1


def test_items_added_later_are_recommended(engine, tmp_path):
    small = narrowed(engine)
    row = {name: [value] for name, value in small.fitted.catalog.table.row(0, named=True).items()}
    small.add_items([{name: value[0] for name, value in row.items()} | {"item_id": "late"}])
    small.save(tmp_path)
    assert "late" in ws.load(tmp_path).recommend(histories=[["i0"]], k=91)["item_id"].to_list()


def test_mistakes(engine, data):
    with pytest.raises(DataError, match="keep=0 leaves no weight"):
        narrowed(engine, 0)
    alone = data.with_interactions(data.interactions.select(data.interactions.position() == 0))
    with pytest.raises(DataError, match="nobody in the data has two events"):
        cost(engine, engine, alone)
