"""Segments of people: how they are found, counted, chosen and asked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.toy import checkerboard, clusters
from warmstart.errors import ConfigError
from warmstart.experts import segment_choice
from warmstart.experts.clusters import cluster, main_directions, settled
from warmstart.experts.people_vectors import interest_vectors, newest_first
from warmstart.experts.popularity import Popularity
from warmstart.experts.segment_choice import later_events
from warmstart.experts.segment_rates import content_lift, likelier
from warmstart.experts.segments import FittedSegments, Segments
from warmstart.experts.sequence import SequenceTransformer
from warmstart.learn.sequence_model import Architecture


@pytest.fixture(scope="module")
def data():
    whole = clusters(200, 100, 4, seed=0)
    return whole.with_features(np.eye(4, dtype=np.float32)[np.arange(100) % 4])


@pytest.fixture(scope="module")
def fitted(data):
    return Segments(numbers=(4,)).fit(data)


def test_people_of_a_theme_are_near_each_other(data):
    v = interest_vectors(data)
    assert v.shape[0] == data.n_users
    mine = data.interactions.user_counts() >= 5
    unit = v[mine] / np.linalg.norm(v[mine], axis=1, keepdims=True)
    theme, near = np.flatnonzero(mine) % 4, unit @ unit.T
    np.fill_diagonal(near, -1.0)
    assert (theme[near.argmax(1)] == theme).mean() > 0.9


def test_few_events_prove_little_and_none_nothing(data):
    x = data.interactions
    gone = data.with_interactions(x.select(x.user != 3))
    assert not interest_vectors(gone)[3].any()
    first = data.with_interactions(x.select((x.user != 3) | (x.position() == 0)))
    assert np.linalg.norm(interest_vectors(first, prior=9.0)[3]) < np.linalg.norm(interest_vectors(first, prior=1.0)[3])


def test_newer_events_weigh_more_on_everybodys_own_clock():
    x = Interactions.of(np.repeat([0, 1], [4, 2]), np.arange(6), 2, 6)
    np.testing.assert_allclose(newest_first(x, 0.5), [0.5**1.5, 0.5, 0.5**0.5, 1, 0.5, 1])
    np.testing.assert_array_equal(newest_first(x, 0.0), 1.0)


def test_four_themes_are_four_segments_whoever_clusters(data, fitted):
    for one in (fitted, Segments(numbers=(4,), method="hdbscan").fit(data)):
        likely = one.posterior(Histories.of([[t, t + 4, t + 8, t + 12] for t in range(4)], data.n_items))
        assert len(set(likely.argmax(1).tolist())) == 4


def test_rates_are_probabilities_and_shares_add_up(data, fitted):
    np.testing.assert_allclose(fitted.rates.sum(0), 1.0, rtol=1e-4)
    np.testing.assert_allclose(np.exp(fitted.told).sum(0), 1.0, rtol=1e-4)
    assert fitted.people.sum() == (data.interactions.user_counts() > 0).sum()
    assert fitted.events.sum() == pytest.approx(len(data.interactions))


def test_the_score_is_the_log_of_the_mixture(data, fitted):
    h = Histories.of([[1, 5], [2]], data.n_items)
    seen = np.stack([(fitted.told[1] + fitted.told[5]) / np.sqrt(2), fitted.told[2]])
    told = np.log(fitted.events) + fitted.temper * seen
    likely = np.exp(told - told.max(1, keepdims=True))
    likely /= likely.sum(1, keepdims=True)
    np.testing.assert_allclose(fitted.posterior(h), likely, rtol=1e-4)
    np.testing.assert_allclose(fitted.score(h), np.log(likely @ fitted.rates.T), atol=1e-4)


def test_without_events_the_segments_are_as_large_as_they_are(data, fitted):
    likely = fitted.posterior(Histories.of([[]], data.n_items))
    np.testing.assert_allclose(likely[0], fitted.events / fitted.events.sum())


def test_one_segment_is_everybody(data):
    one = Segments(numbers=(1,), half_life=0.0, shape=1e-6).fit(data)
    scores = one.score(Histories.of([[1]], data.n_items))[0]
    counts = data.interactions.item_counts()
    met = counts > 0
    shares = np.bincount(data.interactions.item, minlength=data.n_items) / len(data.interactions)
    np.testing.assert_allclose(np.exp(scores[met]), shares[met], rtol=1e-3)


def test_with_nothing_counted_segments_expect_what_everybody_takes(data):
    bare = replace(data, features=None)
    far = Segments(numbers=(4,), shape=1e12).fit(bare)
    scores, popular = far.score(Histories.of([[1]], data.n_items))[0], Popularity().fit(bare).scores
    np.testing.assert_allclose(scores - scores.mean(), popular - popular.mean(), atol=1e-4)


def test_content_speaks_for_an_item_nobody_met(data):
    x = data.interactions
    unmet = data.with_interactions(x.select(x.item != 8))  # of theme 0
    found = Segments(numbers=(4,)).fit(unmet)
    scores = found.score(Histories.of([[0, 4], [1, 5]], data.n_items))
    assert scores[0, 8] > scores[1, 8] + 1.0


def test_later_events_of_held_out_people_choose_the_number(data):
    assert len(Segments().fit(data).people) >= 4
    alike = checkerboard(40, 20)
    same = alike.with_interactions(replace(alike.interactions, item=alike.interactions.item // 2 * 2))
    assert len(Segments().fit(same).people) <= 4


def test_questions_ask_for_what_came_after_the_longest_history():
    x = Interactions.of(np.repeat(np.arange(10), 7), np.tile(np.arange(7), 10), 10, 7)
    held, later = later_events(x, seed=0)
    assert held.sum() == 2
    assert later.first.lengths.tolist() == [1, 3, 1, 3]
    assert later.item.tolist() == [3, 4, 5, 6] * 4  # at both lengths what came after the third
    assert later.between.lengths.tolist() == [3] * 4
    np.testing.assert_array_equal(later.query, np.repeat(np.arange(4), 4))


class Coin:
    """Two segments, both as likely; of three items the first is never best."""

    rates = np.array([[0.2, 0.1], [0.7, 0.4], [0.1, 0.5]], np.float32)

    def posterior(self, histories):
        return np.full((len(histories), 2), 0.5)


def test_likelihood_and_ranking_by_hand():
    x = Interactions.of(np.repeat(np.arange(5), 2), np.tile([0, 1], 5), 5, 3)
    _, later = later_events(x, seed=0)
    assert later.likelihood(Coin()) == pytest.approx(np.log(0.55))
    assert later.ndcg(Coin()) == pytest.approx(1.0)  # item 1 is first
    other = Interactions.of(np.repeat(np.arange(5), 2), np.tile([1, 0], 5), 5, 3)
    _, later = later_events(other, seed=0)
    assert later.ndcg(Coin()) == pytest.approx(1 / np.log2(3))  # item 0 after item 2: item 1 was shown


def test_ranking_in_blocks_is_the_same(data, fitted, monkeypatch):
    _, later = later_events(data.interactions, seed=0)
    whole = later.ndcg(fitted)
    monkeypatch.setattr(segment_choice, "CELLS", 700)
    assert later.ndcg(fitted) == pytest.approx(whole, abs=1e-12)
    assert 0 < whole < 1


def test_people_of_one_event_are_not_asked_for():
    x = Interactions.of(np.arange(10), np.arange(10), 10, 10)
    held, later = later_events(x, seed=0)
    assert (held.sum(), len(later)) == (2, 0)


@given(st.lists(st.integers(-1, 6), min_size=1, max_size=60), st.integers(1, 8))
def test_no_cluster_is_small_and_nobody_moves(labels, least):
    labels = np.array(labels)
    after = settled(labels, least)
    sizes = np.bincount(after[after >= 0])
    assert (sizes >= least).all()
    for label in set(labels.tolist()) - {-1}:
        assert len(set(after[labels == label].tolist())) == 1
    kept = [c for c in set(labels.tolist()) - {-1} if (labels == c).sum() >= least]
    assert len({int(after[labels == c][0]) for c in kept}) == len(kept)


def test_no_segment_rests_on_fewer_than_five(data):
    assert Segments(numbers=(64,)).fit(data).people.min() >= 5
    lone = data.with_interactions(data.interactions.select(data.interactions.user < 4))
    assert Segments().fit(lone) is None


def test_a_person_leaves_no_trace_of_their_own(data, fitted):
    """One person among many changes no rate by more than their events weigh."""
    x = data.interactions
    without = Segments(numbers=(1,)).fit(data.with_interactions(x.select(x.user != 7)))
    whole = Segments(numbers=(1,)).fit(data)
    assert np.abs(whole.rates - without.rates).sum() < 4 * (x.user == 7).sum() / len(x)


def test_equal_rows_are_one_cluster():
    assert set(cluster(np.ones((6, 2), np.float32), 3).tolist()) == {0}


def test_main_directions_keep_distances():
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    y = main_directions(x)
    far = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(y[:, None] - y[None], axis=2), far, atol=1e-4)
    assert y.var(0).tolist() == sorted(y.var(0).tolist(), reverse=True)


def test_content_is_believed_within_bounds():
    features = np.array([[100.0], [0.0], [-100.0]], np.float32)
    out = likelier(features, np.array([[1.0]], np.float32), 3)
    np.testing.assert_allclose(np.log(out[:, 0]), [5.0, 0.0, -5.0])
    assert content_lift(np.eye(2, dtype=np.float32), np.array([[9.0, 0.0], [0.0, 9.0]]), np.full(2, 0.5), 1.0)[0, 0] > 0


def test_states_of_a_transformer_join_the_interest_vectors():
    data = clusters(300, 40, 4, seed=0)
    small = SequenceTransformer(Architecture(dim=8, heads=1, length=10), epochs=1)
    with_states = Segments(numbers=(4,), sequence=small)
    assert with_states.vectors(data).shape[1] == Segments().vectors(data).shape[1] + 8
    assert np.isfinite(with_states.vectors(data)).all()
    assert isinstance(with_states.fit(data), FittedSegments)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"numbers": (0,)}, "numbers=\\(0,\\)"),
        ({"tempers": ()}, "tempers=\\(\\)"),
        ({"tempers": (1.5,)}, "above 0 and at most 1"),
        ({"method": "ward"}, "method='ward' is unknown; use kmeans or hdbscan"),
        ({"least": 4}, "least=4: segments of fewer than 5 people"),
        ({"half_life": -1.0}, "half_life=-1"),
        ({"shape": 0.0}, "shape=0"),
    ],
)
def test_settings_are_checked(settings, said):
    with pytest.raises(ConfigError, match=said):
        Segments(**settings)


def test_an_unknown_method_is_refused():
    with pytest.raises(ConfigError, match="ward"):
        cluster(np.ones((3, 1), np.float32), 2, "ward")
