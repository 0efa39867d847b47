"""What sets a person apart: concepts they take more often than everybody does, with the events that show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.errors import ConfigError
from warmstart.interests.members import Membership

RISING, FADING, STEADY = "rising", "fading", "steady"
CALM = 3.0  # events that are added to both halves of a history before they are compared
NOTHING = 1e-6  # what a concept tells by rounding alone


@dataclass(frozen=True)
class ProfileSettings:
    """How a history becomes interests.

    Parameters
    ----------
    half_life
        Share of a person's own history, counted in events, after which an event weighs half; 0 = all weigh the same.
    prior
        Events of everybody's taste that are added to a history: one event alone proves little.
    most
        Interests at most.
    turn
        Ratio of a concept's share among the newer half of the events to that among the older, from which on it rises
        (or, the other way round, fades); above 1.
    """

    half_life: float = 0.5
    prior: float = 3.0
    most: int = 8
    turn: float = 1.5

    def __post_init__(self) -> None:
        if not (self.half_life >= 0 and self.prior > 0 and self.most >= 1 and self.turn > 1):
            raise ConfigError(
                f"half_life={self.half_life:g}, prior={self.prior:g}, most={self.most}, turn={self.turn:g}: they must "
                "be 0 or more, above 0, 1 or more, above 1; 0.5, 3, 8 and 1.5 are usual"
            )


@dataclass(frozen=True)
class Interest:
    """One interest of a person.

    Parameters
    ----------
    concept
        Its number.
    weight
        Its part of all that sets the person apart, in (0, 1]; those of a profile sum to 1.
    share, common
        Its part of the history, newer events weighing more, and of everybody's events; both in [0, 1].
    trend
        "rising", "fading" or "steady".
    evidence
        Codes of the history's items that belong to it, newest first.
    """

    concept: int
    weight: float
    share: float
    common: float
    trend: str
    evidence: tuple[int, ...]


def common_shares(members: Membership, counts: np.ndarray) -> np.ndarray:
    """Part of everybody's events that each concept holds, over its level: float64, shape (n_concepts,).

    An item nobody met counts as half an event, so that no concept is impossible.
    """
    events = np.maximum(counts, 0.5)
    shares: np.ndarray = members.weights.T @ (events / max(float(events.sum()), 1e-9))
    return shares


def event_weights(n: int, half_life: float) -> np.ndarray:
    """Weights of n events, oldest first; the newest weighs 1.

    Examples
    --------
    >>> event_weights(4, half_life=0.5).round(2).tolist()
    [0.35, 0.5, 0.71, 1.0]
    """
    if not half_life or not n:
        return np.ones(n)
    return 0.5 ** (np.arange(n)[::-1] / (half_life * n))


def newest_items(row: np.ndarray, most: int) -> np.ndarray:
    """Distinct items of a history, the newest first, at most so many.

    Examples
    --------
    >>> newest_items(np.array([5, 3, 5, 4]), 2).tolist()
    [4, 5]
    """
    _, first = np.unique(row[::-1], return_index=True)
    items: np.ndarray = row[::-1][np.sort(first)[:most]]
    return items


def shares_of(
    row: np.ndarray, members: Membership, common: np.ndarray, settings: ProfileSettings | None = None
) -> np.ndarray:
    """Part of each concept in a history: ``s_c = (sum of weights in c + prior p_c) / (sum of weights + prior)``.

    Takes what ``interests_of`` takes; float64, shape (n_concepts,), in [0, 1], those of a level sum to 1.
    """
    asked = settings or ProfileSettings()
    weights = event_weights(len(row), asked.half_life)
    shares: np.ndarray = (members.weights[row].T @ weights + asked.prior * common) / (weights.sum() + asked.prior)
    return shares


def interests_of(
    row: np.ndarray, members: Membership, common: np.ndarray, settings: ProfileSettings | None = None
) -> list[Interest]:
    """Interests of a history, the most telling first; none for an empty one.

    A concept tells ``s_c log(s_c / p_c)``, its part of the divergence of the person's taste from everybody's (what is
    common to all is taken out), s of ``shares_of``. Those that tell most are kept, coarse or fine, none that rests
    mostly on the events of another (in a tree: none within another).

    Parameters
    ----------
    row
        Item codes, oldest first.
    members
        The concepts; an item that belongs to several adds to each by its weight.
    common
        p, of ``common_shares``.
    settings
        Decay, prior, number.
    """
    asked = settings or ProfileSettings()
    if not len(row):
        return []
    weights, mine = event_weights(len(row), asked.half_life), members.weights[row]
    mass = mine.T @ weights
    share = shares_of(row, members, common, asked)
    told = np.where(mass > 0, share * np.log(share / np.maximum(common, 1e-12)), 0.0)
    telling = np.flatnonzero(told > NOTHING)
    chosen = telling[apart(told[telling], mine[:, telling].toarray() > 0, asked.most)]
    inside, total = mine[:, chosen].toarray() > 0, float(told[chosen].sum())
    return [
        Interest(
            int(c),
            float(told[c] / total),
            float(mass[c] / weights.sum()),
            float(common[c]),
            trend(inside[:, at], asked.turn),
            tuple(row[inside[:, at]][::-1].tolist()),
        )
        for at, c in enumerate(chosen)
    ]


def apart(told: np.ndarray, inside: np.ndarray, most: int) -> np.ndarray:
    """Concepts that tell most, above 0, none of which shares more than half of its events with another.

    Parameters
    ----------
    told
        float64, shape (n_concepts,).
    inside
        bool, shape (n_events, n_concepts): events that belong to each.
    """
    events, chosen = inside.astype(np.float32), list[int]()  # sums of ones are exact
    for c in np.argsort(-told, kind="stable").tolist():
        if told[c] <= NOTHING or len(chosen) == most:
            break
        fewer = np.minimum(events[:, c].sum(), events[:, chosen].sum(0))
        if not (events[:, c] @ events[:, chosen] > fewer / 2).any():
            chosen.append(c)
    return np.array(chosen, np.int64)


def trend(inside: np.ndarray, turn: float) -> str:
    """Whether a concept is met more often in the newer half of a history than in the older; one event more is no sign.

    Parameters
    ----------
    inside
        bool, shape (n_events,): events that belong to it, oldest first.

    Examples
    --------
    >>> trend(np.array([False, False, False, True]), 1.5), trend(np.array([False, False, True, True]), 1.5)
    ('steady', 'rising')
    """
    half = len(inside) // 2
    older, newer = ((part.sum() + CALM) / (len(part) + 2 * CALM) for part in (inside[:half], inside[half:]))
    return RISING if newer >= turn * older else FADING if older >= turn * newer else STEADY
