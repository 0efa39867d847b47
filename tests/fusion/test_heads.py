"""Heads: who is chosen, what the gate falls back to, and that a handed-over state survives the disk."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.artefact import pack, unpack
from warmstart.errors import ConfigError
from warmstart.fusion import heads
from warmstart.fusion.floor import Cell
from warmstart.fusion.gate import Gate
from warmstart.fusion.heads import Head, HeadLearner, gate_columns, plainest, serves_both
from warmstart.fusion.samples import Samples
from warmstart.fusion.simulate import LONG, NEW, SHORT, UNMET

COLUMNS = ["popularity.z", "recent.z", "attributes.z", "attributes.rank", "events", "unmet"]


def samples(n=200, share_late=0.5, seed=0, usual=1.0, trend=1.0):
    """Early queries take by popularity, late ones by what is recent."""
    rng = np.random.default_rng(seed)
    late = np.arange(n) < share_late * n
    query = np.repeat(np.arange(n), 30)
    features = rng.normal(size=(n * 30, len(COLUMNS))).astype(np.float32)
    drive = np.where(late[query], trend * features[:, 1], usual * features[:, 0])
    taken = rng.random(n * 30) < 1 / (1 + np.exp(3 - 2 * drive))
    relevant = np.bincount(query, weights=taken, minlength=n).astype(np.int64)
    check = rng.random(n) < 0.3
    return Samples(
        features, query, taken, np.zeros(n, np.int64), relevant, late, check, query < 0, np.arange(n * 30) % 2 == 0
    )


def head(*weight):
    return Head(Gate(np.arange(len(weight)), np.array(weight)))


def test_with_nothing_to_learn_the_gate_is_popularity():
    data = samples(usual=0.0, trend=0.0)
    best, _ = HeadLearner(ridge_thin=(1e6, 1.0), ranker=None).learn(SHORT, data, COLUMNS)
    weight = dict(zip(best.gate.columns.tolist(), best.gate.weight, strict=True))
    assert weight.pop(0) == pytest.approx(1.0, abs=0.05)
    assert max(abs(w) for w in weight.values()) < 0.05


def test_with_enough_to_learn_the_anchor_is_left():
    best, _ = HeadLearner(ridge_thin=(1000.0, 0.1), ranker=None).learn(SHORT, samples(share_late=1.0), COLUMNS)
    weight = dict(zip(best.gate.columns.tolist(), best.gate.weight, strict=True))
    assert weight[1] > 3 * abs(weight[0])


def test_few_queries_give_no_head():
    assert HeadLearner().learn(NEW, samples(n=19), COLUMNS) == (None, [])


def test_a_new_user_is_served_with_both_in_mind():
    data = samples()
    past, both, trend = head(1.0, 0.0), head(1.0, 0.15), head(0.0, 1.0)
    assert serves_both([past, both, trend], data, COLUMNS) == 1
    assert serves_both([past, trend], data, COLUMNS) == 0  # the trend alone fails people of the past
    assert serves_both([past], data, COLUMNS) == 0  # as good as the best expert is good enough
    assert serves_both([trend, head(-1.0, 1.0)], data, COLUMNS) == 0  # all fail: the least bad one


def test_the_floor_does_not_undo_it():
    """Mostly late queries: recency leads over all, and still the past is not handed to it."""
    best, cells = HeadLearner(ranker=None).learn(NEW, samples(n=600, share_late=0.85), COLUMNS)
    assert not best.handed
    assert {c.chosen for c in cells} == {"fusion"}


def test_no_handing_over_that_neither_kind_asks_for(monkeypatch):
    """Together they may look decided where each alone is not."""
    asked = iter(["recent", "fusion", "fusion"])

    def judged(state, length, fused, experts):
        return [Cell(state, 0, 0, len(length), 0.1, {"recent": 0.2}, next(asked))]

    monkeypatch.setattr(heads, "judge", judged)
    best, cells = HeadLearner(ranker=None).learn(NEW, samples(), COLUMNS)
    assert not best.handed
    assert cells[0].chosen == "fusion"


def test_the_ranker_is_kept_where_it_gains():
    """Taken is what lies in the middle of a score: no line can say so, trees can."""
    data = samples(n=400, share_late=0.0)
    taken = np.abs(data.features[:, 1]) < 0.3
    relevant = np.bincount(data.query, weights=taken, minlength=400).astype(np.int64)
    bent = replace(data, taken=taken, relevant=relevant)
    best, _ = HeadLearner(ranker_least=0, ranker_queries=400).learn(LONG, bent, COLUMNS)
    assert best.ranker is not None
    least, _ = HeadLearner(ranker_least=10**9).learn(LONG, bent, COLUMNS)
    assert least.ranker is None


def test_the_ranker_is_refused_where_there_is_nothing_to_gain():
    best, _ = HeadLearner(ranker_least=0).learn(LONG, samples(n=400, usual=0.0, trend=0.0), COLUMNS)
    assert best.ranker is None


def test_the_plainest_of_equals_is_taken():
    data = samples(share_late=0.0)
    same = head(1.0, 0.0)
    assert plainest([same, head(1.0, 0.0)], data) == 0
    assert plainest([head(0.0, 1.0), same], data) == 1


def test_attributes_say_nothing_of_items_nobody_met():
    plain, ranks = gate_columns(COLUMNS, UNMET)
    assert plain.tolist() == ranks.tolist() == [0, 1]
    assert gate_columns(COLUMNS, NEW)[1].tolist() == [0, 1, 2, 4, 5, 3]


def test_a_state_handed_to_an_expert_is_ranked_by_it_also_after_the_disk():
    data = samples()
    handed = Head(Gate(np.array([0]), np.array([1.0])), handed={(0, 2): 1})
    classes, arrays = {"Head": Head, "Gate": Gate}, {}
    loaded = unpack(pack(handed, classes, arrays, "h"), classes, arrays)
    assert loaded.handed == {(0, 2): 1}
    for length, column in ((0, 1), (3, 0)):
        got = loaded.score(data.features, np.full(len(data.features), length))
        np.testing.assert_allclose(got, data.features[:, column], atol=1e-6)


def test_targets_that_few_could_meet_speak_as_loudly():
    """Half of the taken are known, by the first voice; half are rare, by the second."""
    rng = np.random.default_rng(0)
    n = 300
    query, known = np.repeat(np.arange(n), 30), np.tile(np.arange(30) < 24, n)
    features = np.zeros((n * 30, len(COLUMNS)), np.float32)
    features[:, :2] = rng.normal(size=(n * 30, 2))
    features[:, COLUMNS.index("events")] = np.where(known, np.log1p(100), np.log1p(1))
    taken = rng.random(n * 30) < 1 / (1 + np.exp(3 - 3 * np.where(known, features[:, 0], features[:, 1])))
    relevant = np.bincount(query, weights=taken, minlength=n).astype(np.int64)
    data = Samples(
        features, query, taken, np.full(n, 20), relevant, np.zeros(n, bool), rng.random(n) < 0.3, known, ~known
    )
    plain, weighted = (
        HeadLearner(anchor=0.0, ranker=None, propensity=a).learn(LONG, data, COLUMNS)[0].gate.weight for a in (0.0, 1.0)
    )
    assert weighted[1] / weighted[0] > 1.5 * plain[1] / plain[0]
    assert HeadLearner(propensity=0.0) == HeadLearner()
    with pytest.raises(ConfigError, match="propensity=2"):
        HeadLearner(propensity=2.0)


def test_a_head_knows_what_the_tail_costs():
    best, _ = HeadLearner(ranker=None).learn(LONG, samples(), COLUMNS)
    assert sorted(best.prices) == ["correction", "lift"]
    assert all(len(price.loss) == len(price.strength) for price in best.prices.values())
    unmet, _ = HeadLearner(ranker=None).learn(UNMET, samples(), COLUMNS)
    assert unmet.prices == {}


def test_without_candidates_of_the_tail_nobody_knows_what_it_costs():
    data = samples()
    best, _ = HeadLearner(ranker=None).learn(LONG, replace(data, tail=np.zeros_like(data.tail)), COLUMNS)
    assert best.prices == {}


@pytest.mark.parametrize(("late", "weight"), [(0, 3.0), (40, 5.0), (400, 10.0)])
def test_late_questions_after_long_histories_weigh_more_the_more_there_are(late, weight):
    asked = samples(500, share_late=late / 500)
    assert asked.late.sum() == late
    assert HeadLearner()._late(LONG, asked) == weight


@pytest.mark.parametrize("weights", [(3.0,), (10.0, 3.0), (-1.0, 3.0)])
def test_weights_that_are_no_range_are_refused(weights):
    with pytest.raises(ConfigError, match="late_long"):
        HeadLearner(late_long=weights)
