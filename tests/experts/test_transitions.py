"""Transitions: counts known by hand, order, and the content part."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.experts.transitions import Transitions


def events(rows, n_items):
    user = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    return Interactions.of(user, np.concatenate(rows).astype(int), len(rows), n_items)


def walk(make_data, rows, n_items, features=None):
    data = make_data(np.ones((len(rows), n_items)), features)
    return replace(data, interactions=events(rows, n_items))


def test_score_by_hand(make_data):
    data = walk(make_data, [[0, 1], [0, 1], [0, 2], [3, 2]], 5)
    fitted = Transitions(lags=1, decay=0.5, beta=1.0, shrink=1.0).fit(data)
    # T_01 = 2, T_02 = 1, T_32 = 1; row sums 3, 1 (+1); column sums 2, 2
    np.testing.assert_allclose(fitted.score(Histories.of([[0]], 5)), [[0, 0.25, 0.125, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(fitted.score(Histories.of([[0, 3]], 5)), [[0, 0.125, 0.0625 + 0.25, 0, 0]], atol=1e-6)


def test_the_newest_event_counts_most(make_data):
    fitted = Transitions().fit(walk(make_data, [[0, 1]] * 5 + [[2, 3]] * 5, 4))
    late, early = fitted.score(Histories.of([[2, 0], [0, 2]], 4))
    assert late[1] > late[3]
    assert early[3] > early[1]


def test_events_beyond_twice_the_lags_are_forgotten(make_data):
    fitted = Transitions(lags=2).fit(walk(make_data, [[0, 1]] * 3 + [[2, 3]] * 3, 5))
    scores = fitted.score(Histories.of([[0, 4, 4, 4], [0, 4, 4, 4, 4]], 5))
    assert scores[0, 1] > 0
    assert scores[1, 1] == 0


def test_order_of_a_cycle_is_learned(make_data):
    """Everybody walks 0 1 2 3 4 0 ..., from anywhere: the next is the next."""
    rows = [[(s + i) % 5 for i in range(4)] for s in range(5)] * 4
    fitted = Transitions(decay=0.5).fit(walk(make_data, rows, 5))
    top = np.argmax(fitted.score(Histories.of([[i] for i in range(5)], 5)), axis=1)
    assert top.tolist() == [1, 2, 3, 4, 0]


def test_items_never_followed_are_scored_by_content(make_data):
    """Themes are told by features; nobody has met the last two items, one of each theme."""
    data = clusters(n_users=80, n_items=40, n_clusters=2, new_items=0.05, seed=0)
    fitted = Transitions().fit(data.with_features(np.eye(2, dtype=np.float32)[np.arange(40) % 2]))
    assert not fitted.met[-2:].any()
    even, odd = fitted.score(Histories.of([[0, 2], [1, 3]], 40))
    assert even[38] > even[39]
    assert odd[39] > odd[38]
    grown = fitted.grow(np.eye(2, dtype=np.float32)).score(Histories.of([[0, 2]], 42))[0]
    np.testing.assert_allclose(grown[40:], even[38:], atol=1e-6)


def test_the_content_part_is_the_ridge_fit(draw_world):
    data = draw_world(3, 12, 8)
    fitted = Transitions(ridge=2.0).fit(data)
    z = data.features.astype(np.float64)
    half = np.linalg.inv(z.T @ z + 2.0 * np.eye(3)) @ z.T
    np.testing.assert_allclose(fitted.c, half @ fitted.s.toarray() @ half.T, atol=1e-5)


def test_new_items_in_a_history_speak_through_content_only(draw_world):
    data = draw_world(3, 12, 8)
    grown = Transitions().fit(data).grow(data.features[:1])
    scores = grown.score(Histories.of([[8]], 9))[0]
    assert not scores[grown.met].any()
    assert scores[~grown.met].any()


def test_the_strongest_of_each_row_are_kept(make_data):
    data = walk(make_data, [[0, 1]] * 5 + [[0, 2]] * 2 + [[0, 3]], 4)
    usual, cut = Transitions().fit(data), Transitions(keep=2).fit(data)
    assert np.diff(usual.s.indptr).max() == 3
    assert cut.s[0].indices.tolist() == [1, 2]
    np.testing.assert_array_equal(usual.c, cut.c)
    with pytest.raises(ConfigError, match="keep=0 leaves no transition"):
        Transitions(keep=0)
