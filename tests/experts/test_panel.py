"""Experts fitted and asked together."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.histories import Histories
from warmstart.experts.attributes import UserAttributes
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import Popularity

EXPERTS = {"popular": Popularity(), "map": ContentMap(), "people": PriorMeanEASE(), "who": UserAttributes()}


@pytest.fixture(scope="module")
def data(draw_world):
    return draw_world(0, 12, 8)


def test_experts_with_nothing_to_learn_from_are_absent(data):
    assert list(Panel.fit(EXPERTS, data).experts) == ["popular", "map", "people"]


def test_scores_are_those_of_each_expert(data):
    panel, h = Panel.fit(EXPERTS, data), Histories.of([[1, 2], []], 8)
    scores = panel.score(h)
    assert list(scores) == list(panel.experts)
    for name, found in scores.items():
        np.testing.assert_array_equal(found, EXPERTS[name].fit(data).score(h))


def test_flat_experts_are_known(data):
    assert Panel.fit(EXPERTS, data).flat == {"popular"}


def test_all_grow_together(data):
    panel = Panel.fit(EXPERTS, data)
    scores = panel.grow(data.features[:2]).score(Histories.of([[1, 9]], 10))
    assert {s.shape for s in scores.values()} == {(1, 10)}
    assert not any(np.isnan(s).any() for s in scores.values())
    assert {s.shape for s in panel.score(Histories.of([[1]], 8)).values()} == {(1, 8)}


def test_progress_counts_up(data):
    told = []
    Panel.fit(EXPERTS, data, lambda *step: told.append(step))
    assert [done for _, done, _ in told] == list(range(len(told)))
    assert {total for _, _, total in told} == {len(EXPERTS)}


def test_a_described_user_without_events(make_data):
    table = pl.DataFrame({"sex": ["f", "m"] * 6})
    data = make_data(np.tile(np.eye(2, dtype=int), (6, 1)), np.eye(2), table)
    scores = Panel.fit(EXPERTS, data).score(data.histories(np.array([0, 1])))
    assert np.argmax(scores["who"], axis=1).tolist() == [0, 1]
