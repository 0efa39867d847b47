"""The sequence expert: learned with torch, served by a graph."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.experts.sequence import SequenceTransformer
from warmstart.learn.sequence import NextItem
from warmstart.learn.sequence_model import POSITIONS, Architecture

SMALL = SequenceTransformer(
    Architecture(dim=16, heads=2, length=8, dropout=0.0), epochs=60, events=160, least=10, learning_rate=0.02
)


@pytest.fixture(scope="module")
def circle():
    """Twelve items on a circle that everybody walks; a description says where each lies; item 12 is new, beside 3."""
    people, length = 80, 12  # everybody takes all: the order alone tells
    first = np.random.default_rng(0).integers(0, 12, people)
    user, step = np.repeat(np.arange(people), length), np.tile(np.arange(length), people)
    x = Interactions.of(user, (first[user] + step) % 12, people, 13, time=step * 3600)
    angle = 2 * np.pi * np.append(np.arange(12), 3.1) / 12
    z = np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)], 1).astype(np.float32)
    return replace(clusters(people, 13, 1), interactions=x, features=z)


@pytest.fixture(scope="module")
def fitted(circle):
    return SMALL.fit(circle)


def test_what_comes_next_is_put_first(fitted):
    scores = fitted.score(Histories.of([[0, 1, 2, 3], [8, 9, 10, 11], []], 13))
    scores[0, :4] = scores[1, 8:12] = -np.inf
    assert scores[:2, :12].argmax(1).tolist() == [4, 0]
    assert np.isnan(scores[2]).all()


def test_a_new_item_is_recommended_where_its_like_is(fitted):
    scores = fitted.score(Histories.of([[0, 1, 2]], 13))[0]
    assert scores[12] > np.median(scores[:12])
    assert scores[3] == scores[:12].max()
    far = fitted.score(Histories.of([[6, 7, 8]], 13))[0]
    assert scores[12] > far[12]


def test_an_item_added_later_stands_as_one_that_was_there(fitted, circle):
    grown = fitted.grow(circle.features[12:])
    scores = grown.score(Histories.of([[0, 1, 2]], 14))[0]
    assert scores[13] == pytest.approx(scores[12], abs=1e-4)


@pytest.mark.parametrize("positions", POSITIONS)
def test_the_graph_gives_what_torch_gave(circle, positions, monkeypatch):
    import warmstart.experts.sequence as module

    kept = []
    real = module.NextItemObjective
    monkeypatch.setattr(module, "NextItemObjective", lambda *a: kept.append(real(*a)) or kept[0])
    expert = replace(SMALL, shape=replace(SMALL.shape, positions=positions, blocks=2), epochs=2)
    fitted, (objective,) = expert.fit(circle), kept
    h = circle.histories(np.arange(30))
    starts = np.maximum(h.indptr[:-1], h.indptr[1:] - 8)
    rows = module.Rows.of(h, objective.facts.codes(h), starts, h.indptr[1:])
    np.testing.assert_allclose(fitted.states(h), objective.states(rows, fitted.vectors), atol=1e-4)


def test_kinds_ratings_and_times_are_optional(fitted, circle):
    h = circle.histories(np.array([0]))
    bare = Histories.of([h.row(0)], 13)
    assert np.isfinite(fitted.score(bare)).all()
    assert not np.allclose(fitted.score(bare), fitted.score(h))


@pytest.mark.parametrize("length", [1, 100_000])
def test_one_event_or_a_hundred_thousand(fitted, length):
    row = np.arange(length) % 12
    scores = fitted.score(Histories.of([row], 13))
    np.testing.assert_allclose(scores, fitted.score(Histories.of([row[-8:]], 13)), atol=1e-5)
    assert np.isfinite(scores).all()


def test_equal_times_or_none(circle):
    x = circle.interactions
    for time in (np.full(len(x), 7), np.full(len(x), -1)):
        one = replace(SMALL, epochs=1).fit(replace(circle, interactions=replace(x, time=time)))
        assert np.isfinite(one.score(circle.histories(np.arange(5)))).all()


def test_too_little_to_learn_from_is_nothing(circle):
    x = circle.interactions
    assert SMALL.fit(replace(circle, interactions=x.select(x.user < 5))) is None


def test_serving_needs_no_torch(fitted, tmp_path):
    np.savez(tmp_path / "graph.npz", graph=fitted.graph)
    code = (
        "import sys, numpy as np; from warmstart.text.onnx import open_session\n"
        f"g = np.load({str(tmp_path / 'graph.npz')!r})['graph']\n"
        "s = open_session(g.tobytes())\n"
        "print(s.run(None, {'events': np.zeros((4, 5, 16), np.float32), 'known': np.ones((4, 5), bool)})[0].shape)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(4, 16)"


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="epochs=0"):
        SequenceTransformer(epochs=0)
    assert SequenceTransformer(task=NextItem(loss="gbce")).task.loss == "gbce"


def test_what_a_graph_gave_can_be_left_out_of_the_description(circle):
    few, told = replace(SMALL, epochs=2, graph=False), np.array([False, False, True, True])
    other = circle.features.copy()
    other[:, 2:] = np.random.default_rng(1).normal(size=(13, 2))
    one, two = (few.fit(circle.with_features(z, told)) for z in (circle.features, other))
    h = Histories.of([[0, 1, 2]], 13)
    np.testing.assert_array_equal(one.score(h), two.score(h))
    np.testing.assert_array_equal(one.grow(circle.features[12:]).vectors, two.grow(other[12:]).vectors)
    read = replace(few, graph=True)
    one, two = (read.fit(circle.with_features(z, told)) for z in (circle.features, other))
    assert np.abs(one.score(h) - two.score(h)).max() > 1e-3
