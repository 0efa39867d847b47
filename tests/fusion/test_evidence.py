"""Candidates and their evidence, by hand."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.fusion.evidence import (
    GRAPH,
    SUPPORT,
    Support,
    ages,
    columns_of,
    evidence,
    log_ranks,
    people_cosine,
)
from warmstart.fusion.scores import Whole

AT = {name: i for i, name in enumerate(SUPPORT)}
some = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def data():
    toy = clusters(seed=0)
    z = np.random.default_rng(0).normal(size=(toy.n_items, 4)) + np.array([0, 0, 0, 3.0])
    return toy.with_features(z.astype(np.float32))


@pytest.fixture(scope="module")
def support(data):
    return Support.fit(data)


def test_what_is_known_of_items(data, support):
    counts = data.interactions.item_counts()
    assert support.item.dtype == np.float32
    np.testing.assert_allclose(support.item[:, AT["events"]], np.log1p(counts), atol=1e-6)
    np.testing.assert_array_equal(support.item[:, AT["unmet"]], counts == 0)
    assert (support.item[:, AT["recent_05"]] <= support.item[:, AT["recent_20"]] + 1e-6).all()
    assert (support.item[:, AT["recent_20"]] <= support.item[:, AT["events"]] + 1e-6).all()
    np.testing.assert_array_equal(np.isnan(support.item[:, AT["age"]]), counts == 0)
    np.testing.assert_allclose(np.linalg.norm(support.directions.rows(np.arange(data.n_items)), axis=1), 1, atol=1e-5)


def test_age_and_idleness_are_shares_of_the_clock(data):
    x = data.interactions
    age, idle = ages(data)
    span = x.time.max() - x.time.min()
    for i in (0, 5, 50):
        mine = x.time[x.item == i]
        assert age[i] == pytest.approx((x.time.max() - mine.min()) / span)
        assert idle[i] == pytest.approx((x.time.max() - mine.max()) / span)
    assert np.nanmin(idle) == 0.0
    assert np.nanmax(age) == 1.0


def test_without_times_nothing_has_an_age(data):
    x = replace(data.interactions, time=np.full(len(data.interactions), -1, np.int64))
    for column in ages(data.with_interactions(x)):
        assert np.isnan(column).all()


def test_the_expected_count_follows_content(data):
    """Features that are the log count itself predict it."""
    counts = data.interactions.item_counts()
    z = np.log1p(counts)[:, None].astype(np.float32) * 10
    expected = Support.fit(data.with_features(z)).item[:, AT["expected"]]
    met = counts > 0
    assert np.corrcoef(expected[met], np.log1p(counts[met]))[0, 1] > 0.999


def test_support_without_features_or_events(data):
    bare = Support.fit(replace(data, features=None))
    assert not bare.directions.rows(np.arange(len(bare.item))).any()
    assert not bare.item[:, AT["expected"]].any()
    idle = Support.fit(data.with_interactions(data.interactions.select(np.zeros(len(data.interactions), bool))))
    assert idle.item[:, AT["unmet"]].all()
    assert idle.people.nnz == 0


@some
@given(seed=st.integers(0, 10_000), keep=st.integers(1, 12))
def test_cosine_of_who_took_the_items(seed, keep):
    x = (np.random.default_rng(seed).random((9, 8)) < 0.4).astype(np.float32)
    g = x.T @ x
    norm = np.sqrt(np.maximum(x.sum(0), 1) + 5)
    expected = g / np.outer(norm, norm)
    np.fill_diagonal(expected, 0)
    found = people_cosine(sp.csr_matrix(x), keep).toarray()
    assert ((found > 0).sum(1) == np.minimum((expected > 0).sum(1), keep)).all()
    np.testing.assert_allclose(found[found > 0], expected[found > 0], atol=1e-6)
    np.testing.assert_allclose(np.sort(found)[:, -keep:], np.sort(expected)[:, -keep:], atol=1e-6)


def test_log_rank_by_hand():
    query = np.array([0, 0, 0, 2, 2])
    raw = np.array([0.1, 0.9, 0.5, np.nan, -3.0], np.float32)
    np.testing.assert_allclose(log_ranks(query, [raw])[0], np.log1p([2, 0, 1, 1, 0]), atol=1e-6)


def test_how_a_candidate_lies_to_a_history(data, support):
    rows, item = [[0, 4, 9], []], np.array([8, 20, 8])
    h = Histories.of(rows, data.n_items)
    query = np.array([0, 0, 1])
    found = evidence(Whole({}, np.ones((2, data.n_items), bool)), (), support, h, query, item)
    assert found.shape == (3, len(SUPPORT + GRAPH))
    assert found.dtype == np.float32
    unit = support.directions.rows(np.arange(data.n_items))
    sims = unit[item[:2]] @ unit[rows[0]].T
    people = support.people.toarray()[rows[0]][:, item[:2]]
    expected = {
        "length": np.log1p([3, 3]),
        "history_popularity": [support.item[rows[0], 0].mean()] * 2,
        "nearest_content": sims.max(1),
        "mean_content": sims.mean(1),
        "nearest_people": people.max(0),
        "links": (people > 0).sum(0),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[:2, AT[name]], values, atol=1e-5, err_msg=name)
    assert found[2, AT["length"]] == 0
    assert np.isnan(found[2, [AT[n] for n in expected if n != "length"]]).all()


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


def test_new_items_are_unmet_undated_and_placed_by_content(data, support):
    grown = support.grow(data.features[:2])
    n = data.n_items
    np.testing.assert_array_equal(grown.item[:n], support.item)
    np.testing.assert_allclose(
        grown.directions.rows(np.array([n, n + 1])), support.directions.rows(np.array([0, 1])), atol=1e-5
    )
    np.testing.assert_allclose(grown.item[n:, AT["expected"]], support.item[:2, AT["expected"]], atol=1e-4)
    assert grown.item[n:, AT["unmet"]].tolist() == [1.0, 1.0]
    assert not grown.item[n:, [AT["events"], AT["recent_20"], AT["recent_05"]]].any()
    assert np.isnan(grown.item[n:, [AT["age"], AT["idle"]]]).all()
    assert grown.people.shape == (n + 2, n + 2)
    assert (grown.people[:n, :n] != support.people).nnz == 0


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


def test_the_graph_can_be_left_out(data):
    assert Support.fit(data).paths is not None
    assert Support.fit(data, graph=False).paths is None


def test_of_new_items_the_graph_says_nothing(data, support):
    paths, n = support.grow(data.features[:2]).paths, data.n_items
    assert paths.degree.tolist() == [*support.paths.degree.tolist(), 0, 0]
    count, _ = paths(Histories.of([[0, n]], n + 2).sets)
    np.testing.assert_array_equal(count[:, :n], support.paths(Histories.of([[0]], n).sets)[0])
    assert not count[:, n:].any()
