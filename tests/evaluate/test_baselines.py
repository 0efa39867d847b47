"""The plain systems of the table rank as they should."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.evaluate.baselines import ExpertRecommender, baseline_experts, best, fill_unknown, fit_baseline


@dataclass(frozen=True)
class Says:
    scores: np.ndarray

    def score(self, histories):
        return np.repeat(self.scores[None], len(histories), axis=0)

    def grow(self, features):
        return self


def test_unknown_scores_come_last_by_popularity():
    rank = ExpertRecommender(Says(np.array([np.nan, -5, np.nan, 2, np.nan], np.float32)), np.array([3, 0, 9, 0, 1]))
    assert rank(Histories.of([[]], 5), 5).tolist() == [[3, 1, 2, 0, 4]]


def test_what_was_seen_or_is_no_candidate_is_never_listed():
    rank = ExpertRecommender(Says(np.arange(5, dtype=np.float32)), np.zeros(5))
    assert rank(Histories.of([[4], []], 5), 3, np.array([4, 3])).tolist() == [[3, -1, -1], [4, 3, -1]]


def test_no_query_gives_no_list():
    assert ExpertRecommender(Says(np.zeros(5)), np.zeros(5))(Histories.of([], 5), 3).shape == (0, 3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(1, 12))
def test_best_agrees_with_a_full_sort(seed, k):
    scores = np.random.default_rng(seed).random((4, 9))
    full = np.argsort(-scores, axis=1)
    got = best(scores, k)
    assert got[:, : min(k, 9)].tolist() == full[:, :k].tolist()
    assert (got[:, 9:] == -1).all()


def test_scores_of_the_expert_are_left_alone():
    scores = np.array([[1.0, np.nan]])
    fill_unknown(scores, np.array([0, 1]))
    assert np.isnan(scores[0, 1])


def test_every_baseline_ranks_the_planted_world(make_planted):
    data = make_planted()
    histories = Histories.of([[0, 2], [1, 3]], data.n_items)
    lists = {
        name: fit_baseline(name, expert, data, data.features)(histories, 5)
        for name, expert in baseline_experts(data.features).items()
    }
    assert list(lists) == ["popularity", "EASE", "content"]
    for name in ("EASE", "content"):
        assert (lists[name] % 2 == [[0], [1]]).all(), name
