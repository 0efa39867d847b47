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
from warmstart.narrow import alike, cost, narrowed
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


def test_only_what_changes_is_told(engine, data):
    few = data.with_interactions(data.interactions.select(data.interactions.user < 6))
    bare = ws.read(
        [{"user_id": f"u{u}", "item_id": f"i{i}"} for u in range(9) for i in (u, u + 1, u + 2)]
        + [{"user_id": "x", "item_id": i} for i in ("i3", "nowhere")]
    )
    for part, people in ((few, 6), (bare, 9)):
        found = cost(engine, engine, part)
        assert (found.same, found.loss) == (1.0, 0.0)
        assert found.people == people  # nobody is asked for what the engine does not know
    assert alike(np.array([[1, 2, -1, -1]]), np.array([[2, -1, -1, -1]])) == 0.5


def test_who_takes_again_what_was_taken_is_not_asked(engine):
    again = [
        {"user_id": f"u{u}", "item_id": i, "timestamp": t} for u in range(5) for t, i in enumerate(("i1", "i2", "i1"))
    ]
    other = [{"user_id": "y", "item_id": i, "timestamp": t} for t, i in enumerate(("i1", "i1", "i2"))]
    assert cost(engine, engine, ws.read(again + other)).people == 1


def test_the_diagonal_is_kept(engine):
    few = narrowed(engine, keep=2).fitted.panel.experts["people"].data
    solved = engine.fitted.panel.experts["people"].solved
    assert (few.diagonal()[solved] != 0).all()


def test_items_added_later_are_recommended(engine, tmp_path):
    small = narrowed(engine)
    row = {name: [value] for name, value in small.fitted.catalog.table.row(0, named=True).items()}
    small.add_items([{name: value[0] for name, value in row.items()} | {"item_id": "late"}])
    small.save(tmp_path)
    assert isinstance(small.fitted.panel.experts["transitions"].s, EightBits)
    assert "late" in ws.load(tmp_path).recommend(histories=[["i0"]], k=91)["item_id"].to_list()


def test_mistakes(engine, data):
    with pytest.raises(DataError, match="keep=0 leaves no weight"):
        narrowed(engine, 0)
    alone = data.with_interactions(data.interactions.select(data.interactions.position() == 0))
    with pytest.raises(DataError, match="nobody in the data took two different items"):
        cost(engine, engine, alone)
