"""Two rankings in one list: whose places are clicked says which is better, with far fewer people than an A/B test."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from warmstart.errors import DataError
from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.rates import evidence, exact_rate
from warmstart.evaluate.sequential import LEVEL

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Interleaved(Generic[T]):
    """A list, and which ranking each place is of: 0 or 1."""

    items: tuple[T, ...]
    teams: tuple[int, ...]


def team_draft(a: Sequence[T], b: Sequence[T], k: int, rng: np.random.Generator) -> Interleaved[T]:
    """Mix two rankings as captains choose teams.

    In each round a coin says who goes first; each then takes the best item of its ranking that is not taken yet
    (Radlinski, Kurup & Joachims, "How does clickthrough data reflect retrieval quality?", CIKM 2008, algorithm 2).

    Parameters
    ----------
    a, b
        Rankings without repeats, best first; where one ends, the other goes on alone.

    Returns
    -------
    Interleaved
        Of k places, or fewer where both rankings end.

    Examples
    --------
    >>> mixed = team_draft("abcd", "dacb", 4, np.random.default_rng(1))
    >>> mixed.items, mixed.teams
    (('a', 'd', 'c', 'b'), (0, 1, 1, 0))
    """
    rankings = (a, b)
    left = [list(reversed(ranking)) for ranking in rankings]
    items, teams = list[T](), list[int]()
    taken = set[T]()
    while len(items) < k and any(left):
        first = int(rng.integers(2))
        for team in (first, 1 - first):
            while left[team] and left[team][-1] in taken:
                left[team].pop()
            if left[team] and len(items) < k:
                items.append(left[team].pop())
                teams.append(team)
                taken.add(items[-1])
    return Interleaved(tuple(items), tuple(teams))


def credit(teams: Sequence[int], clicked: Sequence[bool]) -> int:
    """Who won a list: 1 if more places of ranking 0 were clicked, -1 if more of ranking 1, 0 if as many.

    Examples
    --------
    >>> credit([0, 1, 1, 0], [True, False, False, False]), credit([0, 1], [True, True])
    (1, 0)
    """
    clicks = np.bincount(np.asarray(teams, np.int64), weights=np.asarray(clicked, np.float64), minlength=2)
    return int(np.sign(clicks[0] - clicks[1]))


@dataclass(frozen=True)
class Preference:
    """Which of two rankings people prefer.

    Parameters
    ----------
    wins_a, wins_b, ties
        People, by the sum of the credit of their lists; who clicked nothing, or both as much, is a tie.
    margin
        ``(wins_a - wins_b) / (wins_a + wins_b)``: from -1 (all prefer b) to 1 (all prefer a).
    p
        Always valid, of no preference.
    """

    wins_a: int
    wins_b: int
    ties: int
    margin: Interval
    p: float


def preference(credits: np.ndarray, level: float = LEVEL) -> Preference:
    """The sign test of interleaving, from the credits of people.

    Parameters
    ----------
    credits
        float, shape (n_people,): a person's wins of a less those of b; only the sign counts, so that one person, or
        one machine, with many lists weighs no more than another.

    Raises
    ------
    DataError
        If a credit is NaN.
    """
    if np.isnan(credits).any():
        raise DataError("credits hold NaN; leave out people who saw no mixed list")
    wins, losses = int((credits > 0).sum()), int((credits < 0).sum())
    return preference_of(wins, losses, len(credits) - wins - losses, level)


def preference_of(wins_a: int, wins_b: int, ties: int, level: float = LEVEL) -> Preference:
    """The same from counts of people; holds at any look, exact for any number, ties left out of the margin.

    Examples
    --------
    >>> result = preference_of(300, 200, 1000)
    >>> str(result.margin), result.p < 0.01
    ('0.2000 [0.0417, 0.3516]', True)
    """
    rate = exact_rate(wins_a, wins_a + wins_b, level)
    margin = Interval(2 * rate.mean - 1, 2 * rate.low - 1, 2 * rate.high - 1, rate.n)
    p = min(1.0, float(np.exp(-evidence(wins_a, wins_b, 0.5))))
    return Preference(wins_a, wins_b, ties, margin, p)
