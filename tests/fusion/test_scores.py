"""Scores of candidates: among all items, and among a sample that stands for them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts.asked import Asked
from warmstart.experts.panel import Panel
from warmstart.fusion.samples import allowed_items
from warmstart.fusion.scores import Sampled, Whole, moments, weighted_moments
from warmstart.recipe import Recipe

some = settings(max_examples=25, deadline=None)


@some
@given(seed=st.integers(0, 10_000), top=st.integers(1, 6))
def test_candidates_are_the_union_of_the_tops(seed, top):
    rng = np.random.default_rng(seed)
    scores = {name: rng.normal(size=(4, 20)).astype(np.float32) for name in "ab"}
    allowed = rng.random((4, 20)) < 0.7
    query, item = Whole(scores, allowed).candidates(top)
    assert allowed[query, item].all()
    assert (np.diff(query * 20 + item) > 0).all()
    for q in range(4):
        best = set()
        for s in scores.values():
            order = [i for i in np.argsort(-s[q]) if allowed[q, i]]
            best |= set(order[:top])
        assert set(item[query == q]) == best


def test_a_small_catalogue_is_all_candidates():
    allowed = np.array([[True, False, True]])
    query, item = Whole({"a": np.zeros((1, 3), np.float32)}, allowed).candidates(3)
    assert item.tolist() == [0, 2]
    assert query.tolist() == [0, 0]


def test_an_expert_that_cannot_say_leaves_the_others_their_candidates():
    rng = np.random.default_rng(0)
    sure = rng.normal(size=(2, 30)).astype(np.float32)
    allowed = np.ones((2, 30), bool)
    query, item = Whole({"sure": sure, "mute": np.full((2, 30), np.nan, np.float32)}, allowed).candidates(5)
    for q in range(2):
        assert set(np.argsort(-sure[q])[:5]) <= set(item[query == q])


@some
@given(seed=st.integers(0, 10_000))
def test_moments_over_allowed_items(seed):
    rng = np.random.default_rng(seed)
    s, allowed = rng.normal(size=(3, 12)).astype(np.float32), rng.random((3, 12)) < 0.6
    allowed[:, :2] = True
    mean, std = moments(s, allowed)
    for q in range(3):
        assert mean[q] == pytest.approx(s[q, allowed[q]].mean(), abs=1e-5)
        assert std[q] == pytest.approx(s[q, allowed[q]].std(), abs=1e-4)


def test_moments_of_nothing_and_of_equals():
    s = np.array([[np.nan] * 3, [2.0] * 3], np.float32)
    mean, std = moments(s, np.ones((2, 3), bool))
    assert mean.tolist() == [0.0, 2.0]
    assert std.tolist() == [1.0, 1.0]


@some
@given(seed=st.integers(0, 10_000))
def test_weights_of_one_are_plain_moments(seed):
    rng = np.random.default_rng(seed)
    s, allowed = rng.normal(size=(3, 12)), rng.random((3, 12)) < 0.6
    s[rng.random((3, 12)) < 0.2] = np.nan
    for found, expected in zip(weighted_moments(s, allowed.astype(float)), moments(s, allowed), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.fixture(scope="module")
def world():
    data = clusters(200, 400, 5, seed=3)
    data = data.with_features(np.random.default_rng(1).normal(size=(400, 6)).astype(np.float32))
    experts = {n: e for n, e in Recipe().experts.items() if n != "sequence"}
    h = data.histories(np.arange(12))
    return Panel.fit(experts, data), h, allowed_items(h, np.ones(data.n_items, bool))


def test_where_the_sample_is_everything_nothing_is_estimated(world):
    panel, h, allowed = world
    whole, sampled = Whole(panel.score(h), allowed), Sampled(Asked(panel, h), allowed, np.arange(h.n_items))
    query, item = whole.candidates(20)
    for (name, raw, z), (other, told, estimated) in zip(
        whole.told(query, item), sampled.told(query, item), strict=True
    ):
        assert name == other
        np.testing.assert_allclose(told, raw, rtol=1e-4, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(estimated, z, rtol=1e-3, atol=1e-3, err_msg=name)


def test_what_a_sample_tells_is_near_what_all_items_tell(world):
    panel, h, allowed = world
    sample = np.sort(np.random.default_rng(0).choice(h.n_items, 150, replace=False))
    whole, sampled = Whole(panel.score(h), allowed), Sampled(Asked(panel, h), allowed, sample)
    query, item = whole.candidates(20)
    for (name, _, z), (_, _, near) in zip(whole.told(query, item), sampled.told(query, item), strict=True):
        known = ~np.isnan(z)
        assert np.abs(near[known] - z[known]).mean() < 0.2, name


def test_candidates_of_large_catalogues_are_allowed_and_hold_what_experts_that_seek_put_forward(world):
    panel, h, allowed = world
    allowed = allowed & (np.arange(h.n_items) % 3 > 0)
    sample = np.flatnonzero(allowed[0])[:90]
    sampled = Sampled(Asked(panel, h), allowed, sample)
    query, item = sampled.candidates(10)
    assert allowed[query, item].all()
    assert (np.diff(query * h.n_items + item) > 0).all()
    scores = panel.score(h)
    for name in ("content_map", "popularity", "factors", "people_content"):
        best = np.argsort(-np.where(allowed, scores[name], -np.inf), axis=1)[:, :10]
        for q in range(len(h)):
            assert np.isin(best[q], item[query == q]).all(), name


def test_items_asked_for_alone(world):
    panel, h, allowed = world
    few = np.arange(h.n_items) % 5 == 0
    for scores in (
        Whole(panel.score(h), allowed),
        Sampled(Asked(panel, h), allowed, np.arange(0, h.n_items, 4)),
    ):
        query, item = scores.candidates(10, few)
        assert few[item].all()
        assert set(query) == set(range(len(h)))


def test_nobody_asks(world):
    panel, h, _ = world
    nobody = Histories.of([], h.n_items)
    sampled = Sampled(Asked(panel, nobody), np.zeros((0, h.n_items), bool), np.arange(50))
    query, item = sampled.candidates(10)
    assert len(query) == len(item) == 0
