"""Items that were met are scored by one panel, new ones by another."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.experts.content import ContentCosine, ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import Popularity
from warmstart.experts.smoothed import SmoothedEASE
from warmstart.experts.split import SplitPanel, fit_content
from warmstart.experts.transitions import Transitions

EXPERTS = {
    "popular": Popularity(),
    "map": ContentMap(),
    "cosine": ContentCosine(),
    "people": PriorMeanEASE(),
    "smooth": SmoothedEASE(),
    "next": Transitions(),
}
ROWS = [[1, 2], [], [7]]


@pytest.fixture(scope="module")
def world(draw_world):
    """Twelve people, eight items of which the last two are new; two views of them of different width."""
    data = draw_world(0, 12, 8)
    keep = data.interactions.item < 6
    data = data.with_interactions(data.interactions.select(keep))
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=(8, d)).astype(np.float32) for d in (3, 4))
    met, tuned = (Panel.fit(EXPERTS, data.with_features(z)) for z in (first, second))
    return met, tuned, SplitPanel.of(met, EXPERTS, data.with_features(second), 3)


def test_each_item_is_scored_by_whoever_knows_it(world):
    met, tuned, split = world
    h = Histories.of(ROWS, 8)
    scores, known, new = split.score(h), met.score(h), tuned.score(h)
    for name in EXPERTS:
        np.testing.assert_array_equal(scores[name][:, :6], known[name][:, :6])
        source = known if name == "next" else new
        np.testing.assert_allclose(scores[name][:, 6:], source[name][:, 6:], atol=1e-6)
    assert not np.allclose(known["map"][:, 6:], new["map"][:, 6:], equal_nan=True)


def test_typed_texts_bring_the_features_of_both(world):
    met, tuned, split = world
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=(3, d)).astype(np.float32) for d in (3, 4))
    h = Histories.of(ROWS, 8)
    scores = split.score(replace(h, vectors=np.hstack([a, b])))["map"]
    np.testing.assert_array_equal(scores[:, :6], met.score(replace(h, vectors=a))["map"][:, :6])
    np.testing.assert_array_equal(scores[:, 6:], tuned.score(replace(h, vectors=b))["map"][:, 6:])


def test_added_items_are_new(world):
    _, tuned, split = world
    rng = np.random.default_rng(2)
    both = rng.normal(size=(2, 7)).astype(np.float32)
    grown, h = split.grow(both), Histories.of([[1, 8]], 10)
    assert grown.new.tolist() == [False] * 6 + [True] * 4
    np.testing.assert_allclose(
        grown.score(h)["cosine"][:, 6:], tuned.grow(both[:, 3:]).score(h)["cosine"][:, 6:], atol=1e-6
    )
    assert {s.shape for s in grown.score(h).values()} == {(1, 10)}


def test_an_item_is_explained_by_whoever_scores_it(world):
    met, _, split = world
    h = replace(Histories.of([[1]], 8), vectors=np.zeros((1, 7), np.float32))
    panel, asked = split.about(0, h)
    assert panel.experts is met.experts
    assert asked.vectors.shape == (1, 3)
    panel, asked = split.about(7, h)
    assert panel is split.unmet
    assert asked.vectors.shape == (1, 4)


def test_what_events_say_is_not_kept_twice(world):
    met, _, split = world
    assert split.unmet.experts["people"].data.nnz == 0
    assert met.experts["people"].data.any()
    assert "next" not in split.unmet.experts
    assert split.size == len(EXPERTS) + len(split.unmet.experts)


def test_an_expert_about_events_says_nothing_of_content(draw_world):
    data = draw_world(0, 12, 8)
    assert fit_content(Transitions(), data) is None
    alone = fit_content(PriorMeanEASE(buckets=2, kappa=0.0), data)
    assert not alone.score(Histories.of([[1]], 8)).any()


def test_progress_is_told(draw_world):
    data, told = draw_world(0, 12, 8), []
    data = data.with_features(np.eye(8, dtype=np.float32))
    SplitPanel.of(Panel.fit(EXPERTS, data), EXPERTS, data, 8, lambda *at: told.append(at))
    assert told == [("fitting experts on fine-tuned features", n, len(EXPERTS)) for n in range(len(EXPERTS))]
