"""Candidates and their evidence, by hand."""

from dataclasses import replace

import numpy as np
from hypothesis import settings

from warmstart.data.histories import Histories
from warmstart.fusion.evidence import GRAPH, SUPPORT, columns_of, evidence, log_ranks
from warmstart.fusion.scores import Whole
from warmstart.fusion.support import Support

AT = {name: i for i, name in enumerate(SUPPORT)}
some = settings(max_examples=40, deadline=None, derandomize=True)


def test_log_rank_by_hand():
    query = np.array([0, 0, 0, 2, 2])
    raw = np.array([0.1, 0.9, 0.5, np.nan, -3.0], np.float32)
    np.testing.assert_allclose(log_ranks(query, [raw])[0], np.log1p([2, 0, 1, 1, 0]), atol=1e-6)


def test_columns_are_named_in_order(data, support):
    rng = np.random.default_rng(0)
    scores = {n: rng.normal(size=(2, data.n_items)).astype(np.float32) for n in ("one", "flat")}
    allowed = np.ones((2, data.n_items), bool)
    allowed[:, :10] = False
    told = Whole(scores, allowed)
    query, item = told.candidates(7)
    found = evidence(told, {"flat"}, support, Histories.of([[1], []], data.n_items), query, item)
    names = columns_of(scores, {"flat"}, graph=True)
    assert names == ["one.raw", "one.z", "one.rank", "flat.z", *SUPPORT, *GRAPH]
    assert found.shape == (len(query), len(names))
    at = {name: i for i, name in enumerate(names)}
    raw = scores["one"][query, item]
    np.testing.assert_array_equal(found[:, at["one.raw"]], raw)
    np.testing.assert_allclose(found[:, at["one.rank"]], log_ranks(query, [raw])[0], atol=1e-6)
    for name in ("one", "flat"):
        s = scores[name][:, 10:]
        z = (scores[name][query, item] - s.mean(1)[query]) / s.std(1)[query]
        np.testing.assert_allclose(found[:, at[f"{name}.z"]], z, atol=1e-4)
    np.testing.assert_allclose(found[:, at["events"]], support.item[item, 0])


def test_a_mute_expert_is_nan_in_all_its_columns(data, support):
    allowed = np.ones((1, data.n_items), bool)
    mute = {"mute": np.full((1, data.n_items), np.nan, np.float32)}
    h, item = Histories.of([[1]], data.n_items), np.array([3, 4])
    found = evidence(Whole(mute, allowed), (), support, h, np.zeros(2, int), item)
    assert np.isnan(found[:, :3]).all()


def test_no_candidate_no_row(data, support):
    nobody = np.empty(0, np.int64)
    h = Histories.of([[1, 2], []], data.n_items)
    assert evidence(Whole({}, np.zeros((2, data.n_items), bool)), (), support, h, nobody, nobody).shape == (
        0,
        len(SUPPORT + GRAPH),
    )
    none = Histories.of([], data.n_items)
    assert evidence(Whole({}, np.zeros((0, data.n_items), bool)), (), support, none, nobody, nobody).shape == (
        0,
        len(SUPPORT + GRAPH),
    )


def test_evidence_of_a_query_does_not_depend_on_the_batch(data, support):
    rng = np.random.default_rng(1)
    h = Histories.of([[0, 1], [5], list(range(60))], data.n_items)
    scores = {"a": rng.normal(size=(3, data.n_items)).astype(np.float32)}
    allowed = rng.random((3, data.n_items)) < 0.8
    told = Whole(scores, allowed)
    query, item = told.candidates(9)
    whole = evidence(told, (), support, h, query, item)
    for q in range(3):
        mine = query == q
        one = Whole({"a": scores["a"][[q]]}, allowed[[q]])
        alone = evidence(one, (), support, h.take(np.array([q])), query[mine] * 0, item[mine])
        np.testing.assert_allclose(alone, whole[mine], atol=1e-5)


def test_what_the_graph_says_of_a_candidate(data, support):
    h, item = Histories.of([[0, 4], []], data.n_items), np.array([8, 20, 8])
    found = evidence(Whole({}, np.ones((2, data.n_items), bool)), (), support, h, np.array([0, 0, 1]), item)
    at = {name: i for i, name in enumerate(columns_of((), (), graph=True))}
    count, weight = support.paths(h.sets)
    np.testing.assert_allclose(found[:, at["degree"]], np.log1p(support.paths.degree[item]), atol=1e-6)
    np.testing.assert_allclose(found[:2, at["paths"]], np.log1p(count[0, item[:2]]), atol=1e-6)
    np.testing.assert_allclose(found[:2, at["path_weight"]], weight[0, item[:2]], atol=1e-6)
    assert count.max() > 0
    assert found[2, at["paths"]] == 0
    bare = Support.fit(replace(data, graph=None))
    without = evidence(Whole({}, np.ones((2, data.n_items), bool)), (), bare, h, np.array([0, 0, 1]), item)
    np.testing.assert_array_equal(without, found[:, : len(SUPPORT)])
