"""Mixed lists are fair, and tell which ranking is better with few people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import DataError
from warmstart.evaluate.interleaving import credit, preference, team_draft

RANKING = st.lists(st.integers(0, 12), unique=True, max_size=10)


@given(RANKING, RANKING, st.integers(0, 12), st.integers(0, 1000))
def test_lists_are_filled_without_repeats_and_teams_are_even(a, b, k, seed):
    mixed = team_draft(a, b, k, np.random.default_rng(seed))
    assert len(mixed.items) == len(set(mixed.items)) == len(mixed.teams) == min(k, len({*a, *b}))
    for item, team in zip(mixed.items, mixed.teams, strict=True):
        assert item in (a, b)[team]
    for end in range(2, 2 * min(len(a) // 2, len(b) // 2, k) + 1, 2):  # neither ranking can have ended
        if end <= len(mixed.teams) // 2:
            assert abs(sum(mixed.teams[:end]) - end / 2) < 1


def test_each_takes_the_best_it_has_left():
    mixed = team_draft([1, 2, 3, 4], [1, 3, 5, 2], 4, np.random.default_rng(0))
    mine, theirs = ([i for i, t in zip(mixed.items, mixed.teams, strict=True) if t == team] for team in (0, 1))
    assert mine == sorted(mine, key=[1, 2, 3, 4].index)
    assert theirs == sorted(theirs, key=[1, 3, 5, 2].index)


def test_equal_rankings_are_mixed_to_themselves_and_nobody_is_preferred():
    rng = np.random.default_rng(1)
    lists = [team_draft(range(6), range(6), 6, rng) for _ in range(400)]
    assert {mixed.items for mixed in lists} == {tuple(range(6))}
    credits = np.array([credit(mixed.teams, rng.random(6) < 0.3) for mixed in lists], float)
    assert preference(credits).p > 0.05


def test_no_preference_is_hardly_ever_taken_for_one_at_any_look():
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(200):
        credits = rng.choice([-1.0, 0.0, 1.0], 1000)
        alarms += min(preference(credits[:end]).p for end in range(25, 1001, 25)) < 0.05
    assert alarms <= 16


def test_the_better_ranking_wins_with_few_people():
    """Clicks fall on what is good; b has two good items where a has three."""
    rng = np.random.default_rng(3)
    a, b, good = [1, 2, 3, 10, 11, 12], [1, 2, 10, 11, 12, 3], {1, 2, 3}
    credits = list[float]()
    for _ in range(1500):
        mixed = team_draft(a, b, 6, rng)
        credits.append(credit(mixed.teams, [item in good and rng.random() < 0.3 for item in mixed.items]))
    result = preference(np.array(credits))
    assert result.margin.low > 0
    assert result.p < 0.01


def test_one_person_with_many_lists_counts_once():
    assert preference(np.array([500.0, -1.0, -1.0])).margin.mean == pytest.approx(-1 / 3)


def test_counted_by_hand():
    result = preference(np.array([1.0, 2.0, -1.0, 0.0]))
    assert (result.wins_a, result.wins_b, result.ties, result.margin.n) == (2, 1, 1, 3)
    assert (credit([], []), credit([1], [True])) == (0, -1)


def test_nobody_yet():
    result = preference(np.zeros(0))
    assert (result.p, result.margin.low, result.margin.high) == (1.0, -1.0, 1.0)


def test_mistakes_are_told():
    with pytest.raises(DataError, match="leave out people"):
        preference(np.array([np.nan]))
