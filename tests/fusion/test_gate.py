"""The gate: its gradient, its answer where it is known, and that the floor is judged rightly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from warmstart.fusion.floor import judge, query_ndcg
from warmstart.fusion.gate import Listwise, fit_gate
from warmstart.fusion.ranker import Ranker


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    query = np.repeat(np.arange(200), 20)
    features = rng.normal(size=(4000, 3)).astype(np.float32)
    taken = rng.random(4000) < 1 / (1 + np.exp(4 - 3 * features[:, 0]))
    return features, query, taken


def test_the_gradient_is_that_of_the_value(samples):
    features, query, taken = samples
    keep = (np.bincount(query, weights=taken) > 0)[query]
    worth = np.random.default_rng(1).random(int(keep.sum()))
    anchor = np.array([0.5, 0.0, -1.0])
    loss = Listwise(features[keep].astype(float), query[keep], taken[keep], np.ones(200), anchor, worth)
    w = np.array([0.3, -0.2, 0.1])
    assert check_grad(lambda v: loss(v, 1.0)[0], lambda v: loss(v, 1.0)[1], w) < 1e-3


def test_the_voice_that_knows_is_heard(samples):
    features, query, taken = samples
    gate = fit_gate(features, query, taken, np.ones(200), np.arange(3), ridge=1.0)
    assert gate.weight[0] > 5 * np.abs(gate.weight[1:]).max()


def test_without_anything_taken_the_gate_is_its_anchor(samples):
    features, query, _ = samples
    gate = fit_gate(features, query, np.zeros(4000, bool), np.ones(200), np.arange(3), anchor=np.array([1.0, 0, 0]))
    np.testing.assert_array_equal(gate.weight, [1, 0, 0])


def test_a_voice_without_opinion_counts_nothing(samples):
    features, query, taken = samples
    gate = fit_gate(features, query, taken, np.ones(200), np.arange(3))
    silent = features.copy()
    silent[:, 0] = np.nan
    zeroed = features.copy()
    zeroed[:, 0] = 0
    np.testing.assert_allclose(gate.score(silent), gate.score(zeroed))


def test_the_ranker_starts_from_the_gate_and_is_text(samples):
    features, query, taken = samples
    gate = fit_gate(features, query, taken, np.ones(200), np.arange(3))
    ranker = Ranker(rounds=5, leaf_rows=20).fit(features, query, taken, np.ones(200), gate)
    assert ranker.text.startswith("tree")
    assert ranker.score(features).shape == (4000,)
    assert not len(ranker.score(features[:0]))


def test_ndcg_of_a_known_order():
    score = np.array([3.0, 2.0, 1.0, 1.0, 2.0])
    query = np.array([0, 0, 0, 1, 1])
    taken = np.array([False, True, True, False, False])
    got = query_ndcg(score, query, taken, np.array([2, 0]))
    ideal = 1 + 1 / np.log2(3)
    assert got[0] == pytest.approx((1 / np.log2(3) + 1 / np.log2(4)) / ideal)
    assert np.isnan(got[1])


def test_a_state_is_handed_over_only_beyond_doubt():
    rng = np.random.default_rng(1)
    fused = rng.random(100) * 0.5
    cells = judge("short", np.full(100, 3), fused, {"better": fused + 0.2, "same": fused})
    assert cells[0].chosen == "better"
    noisy = judge("short", np.full(100, 3), fused, {"lucky": fused + rng.normal(0, 1, 100)})
    assert noisy[0].chosen == "fusion"
    few = judge("short", np.full(5, 3), fused[:5], {"better": fused[:5] + 0.2})
    assert few[0].chosen == "fusion"


def test_what_has_no_score_is_not_found():
    query, taken = np.array([0, 0, 0]), np.array([True, False, False])
    nothing = np.full(3, np.nan)
    assert query_ndcg(nothing, query, taken, np.array([1])).tolist() == [0.0]
    assert query_ndcg(np.array([1.0, np.nan, np.nan]), query, taken, np.array([1])).tolist() == [1.0]


def test_a_column_that_says_the_same_of_all_changes_nothing():
    rng = np.random.default_rng(4)
    said = rng.normal(size=(60, 2)).astype(np.float32)
    query, taken = np.repeat(np.arange(12), 5), np.tile(np.arange(5) == 0, 12)
    said[taken] += 1.0
    flat = np.column_stack([said, np.full(60, 1.7, np.float32)])
    plain = fit_gate(said, query, taken, np.ones(12), np.arange(2))
    found = fit_gate(flat, query, taken, np.ones(12), np.arange(3))
    np.testing.assert_allclose(found.weight[:2], plain.weight, atol=1e-4)
    assert abs(found.weight[2]) < 1e-4
