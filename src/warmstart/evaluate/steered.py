"""What steering does to lists: an interest switched off, and more of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.interests.concepts import Concepts
from warmstart.interests.steer import Steering
from warmstart.text.whiten import unit_rows

NEIGHBOURS = 50  # items outside a concept that lie nearest to its middle
Lists = Callable[[Histories, Steering, "np.ndarray | None"], np.ndarray]


@dataclass(frozen=True)
class Steered:
    """Share of the lists, mean over people, that their strongest interest takes, and its neighbours outside it.

    Parameters
    ----------
    people
        Those who have an interest.
    interest, neighbours
        As recommended.
    neighbours_hidden
        With the interest's items not shown, its events still heard.
    interest_off, neighbours_off
        With the interest switched off: nor are its events heard.
    interest_more
        With more of it.
    """

    people: int
    interest: float
    neighbours: float
    neighbours_hidden: float
    interest_off: float
    neighbours_off: float
    interest_more: float

    def to_dict(self) -> dict[str, float]:
        """As plain values."""
        return asdict(self)


def steered(lists: Lists, concepts: Concepts, features: np.ndarray, h: Histories) -> Steered:
    """Switch everybody's strongest interest off, then ask for more of it.

    Parameters
    ----------
    lists
        ``(histories, steering, candidates) -> int32 item codes (n_queries, k)``, -1 = the list is shorter; candidates
        are the codes of the only items that may be listed, None = all.
    features
        float32, shape (n_items, d): what the concepts were found in.
    h
        People.
    """
    found, vectors = [], concepts.vectors(features)
    for q in range(len(h)):
        strongest = concepts.of(h.row(q))[:1]
        for concept in (one.concept for one in strongest):
            inside, one = concepts.mask(concept), h.take(np.array([q]))
            near = neighbours(vectors, inside)
            plain, hidden = (lists(one, Steering(), c)[0] for c in (None, np.flatnonzero(~inside)))
            off, more = (lists(one, s, None)[0] for s in (Steering(without=[concept]), Steering(more=[concept])))
            among = ((plain, inside), (plain, near), (hidden, near), (off, inside), (off, near), (more, inside))
            found.append([share(listed, mask) for listed, mask in among])
    mean = np.array(found).mean(0) if found else np.full(6, np.nan)
    return Steered(len(found), *mean.tolist())


def neighbours(vectors: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The 50 items outside a concept that lie nearest to its middle, by cosine: bool, shape (n_items,).

    Examples
    --------
    >>> neighbours(np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]), np.array([True, False, False])).tolist()
    [False, True, True]
    """
    near = np.where(inside, -np.inf, unit_rows(vectors) @ vectors[inside].mean(0))
    out = np.zeros(len(inside), bool)
    out[np.argsort(-near, kind="stable")[:NEIGHBOURS]] = True
    out &= ~inside
    return out


def share(listed: np.ndarray, inside: np.ndarray) -> float:
    """Part of a list that belongs to a set of items; 0 of an empty list.

    Examples
    --------
    >>> share(np.array([2, 0, 1, -1]), np.array([False, False, True]))
    0.3333333333333333
    """
    kept = listed[listed >= 0]
    return float(inside[kept].mean()) if len(kept) else 0.0
