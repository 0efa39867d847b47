"""Worlds simulated with features that do not know what is hidden in them."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.experts.content import ContentCosine
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.fusion.simulate import UNMET, episodes
from warmstart.fusion.views import Scenery, View, fresh_items, groups, without


@pytest.fixture(scope="module", params=[0.0, 0.4], ids=["all met", "many just added"])
def data(request):
    toy = clusters(seed=0, n_items=200, n_users=300, new_items=request.param)
    rng = np.random.default_rng(0)
    return toy.with_features(rng.normal(size=(toy.n_items, 4)).astype(np.float32))


def views(data, n, share=0.3):
    return [View(data.features + 1 + i, fresh) for i, fresh in enumerate(fresh_items(data, n, share))]


def same(one, other):
    assert (one.kind, one.state.tolist(), one.user.tolist()) == (other.kind, other.state.tolist(), other.user.tolist())
    np.testing.assert_array_equal(one.train.interactions.item, other.train.interactions.item)
    np.testing.assert_array_equal(one.train.features, other.train.features)
    np.testing.assert_array_equal(one.queries.item, other.queries.item)
    for a, b in zip(one.targets, other.targets, strict=True):
        np.testing.assert_array_equal(a, b)


def test_features_that_know_no_event_are_one_view_in_which_all_may_be_hidden(data):
    whole = [View(data.features, np.ones(data.n_items, bool))]
    for one, other in zip(episodes(data, 3), episodes(data, 3, whole), strict=True):
        same(one, other)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_worlds_take_turns_and_hide_only_what_is_fresh_to_them(data, n):
    mine, hiding, seen = views(data, n), 0, set()
    for world in episodes(data, 0, mine):
        number = next(i for i, v in enumerate(mine) if np.array_equal(v.features, world.train.features))
        seen.add(number)
        if world.kind in ("tail", "items"):
            hidden = world.pools[UNMET]
            assert not (hidden & ~mine[number].fresh).any()
            hiding += hidden.any()
    assert seen == set(range(n))
    assert hiding == 4


def test_as_many_are_hidden_as_without_views_where_the_view_allows(data):
    met = int((data.interactions.item_counts() > 0).sum())
    scene = Scenery.of(data, views(data, 2, 0.4), np.random.default_rng(0).random(data.n_items))
    sizes = [scene.hidden(f, 0.2).sum() / met for f in range(4)]
    np.testing.assert_allclose(sizes, 0.2, atol=0.07)
    assert scene.hidden(0, 0.9).sum() == round(0.4 * met)  # all that is fresh, not more
    assert not (scene.hidden(0, 0.2) & scene.hidden(2, 0.2)).any()


@pytest.mark.parametrize(("n", "share"), [(1, 0.3), (2, 0.3), (3, 0.5)])
def test_fresh_groups_are_disjoint_met_and_seeded(data, n, share):
    got = np.array(fresh_items(data, n, share, seed=1))
    met = data.interactions.item_counts() > 0
    assert got.shape == (n, data.n_items)
    assert got.sum(0).max() == 1
    assert not got[:, ~met].any()
    np.testing.assert_array_equal(got.sum(1), [int(min(share, 1 / n) * met.sum())] * n)
    np.testing.assert_array_equal(got, fresh_items(data, n, share, seed=1))
    assert (got != fresh_items(data, n, share, seed=2)).any()


def test_without_items_their_events_are_gone_and_nothing_else(data):
    some = groups(np.random.default_rng(0).random(data.n_items), 0.3, 0)
    left = without(data, some)
    assert not some[left.interactions.item].any()
    assert len(left.interactions) == (~some[data.interactions.item]).sum()
    assert left.catalog is data.catalog


def test_content_that_was_told_of_the_hidden_is_trusted_less_in_honest_views():
    """Features that give away who takes an item, of no use for items that are really new."""
    data = clusters(seed=0, n_items=200, n_users=300, new_items=0.0)
    x = data.interactions.matrix().toarray()
    rng = np.random.default_rng(0)
    told = np.hstack([x.T @ rng.normal(size=(data.n_users, 24)), np.zeros((data.n_items, 1))]).astype(np.float32)
    noise = rng.normal(size=told.shape).astype(np.float32)
    honest = [View(np.where(fresh[:, None], noise, told), fresh) for fresh in fresh_items(data, 2, 0.3)]
    experts = {"popularity": Popularity(), "content": ContentCosine()}
    fusion = Fusion(queries=200, heads=HeadLearner(ranker=None))
    weights = []
    for mine in ([], honest):
        fitted = fusion.fit(experts, replace(data, features=told), views=mine)
        gate = fitted.heads[UNMET].gate
        used = dict(zip(gate.columns.tolist(), gate.weight, strict=True))
        weights.append(used[fitted.columns.index("content.z")])
    assert weights[0] > 0.5
    assert abs(weights[1]) < 0.3 * weights[0]
