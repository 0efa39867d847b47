"""Queries that are answered together do not change each other's lists."""

import numpy as np
import pytest

import warmstart as ws
from warmstart.answers import answered
from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity
from warmstart.fusion.asking import LEAST
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.interests.steer import Steering, Wishes
from warmstart.recipe import Recipe
from warmstart.rerank.order import Order

N = 900


@pytest.fixture(scope="module")
def fitted():
    experts = {"popularity": Popularity(), "content_map": ContentMap(), "people": PriorMeanEASE()}
    fusion = Fusion(queries=60, large=100, sample=300, heads=HeadLearner(ranker=None))
    return ws.Engine(Recipe(encoder="tfidf", experts=experts, fusion=fusion)).fit(clusters(200, N, 3, seed=2)).fitted


def lists(fitted, rows, pool):
    wishes = Wishes.of(fitted.concepts, Steering())
    h = Histories.of(rows, N)
    return answered(fitted, h, pool, 5, True, False, wishes, Order()).partition_by("query")


def test_a_narrow_pool_beside_it_changes_no_list(fitted):
    items = np.arange(N)
    rows = [[0, 7], [3], [5, 6], [], [11, 2], *(list(range(n, n + 30)) for n in range(0, 160, 20))]
    pools = [items >= 0, items % 3 == 0, items >= 0, items > 880, items < 2 * LEAST // 3, *[items < N // 2] * 8]
    assert [p.sum() >= N * LEAST / 300 for p in pools] == [True, False, True, *[False] * 10]
    together = lists(fitted, rows, np.stack(pools))
    for n, (row, pool) in enumerate(zip(rows, pools, strict=True)):
        (alone,) = lists(fitted, [row], pool[None])
        assert alone["item_id"].to_list() == together[n]["item_id"].to_list()
        np.testing.assert_allclose(alone["score"], together[n]["score"], atol=0.05)  # seen items are not of its sample
        assert set(fitted.catalog.items.codes(alone["item_id"].to_list())) <= set(np.flatnonzero(pool))
