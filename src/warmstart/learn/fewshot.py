"""A few labels: k events of each user are all that is known, and the users' other events are the question.

A *world* is one draw of this: its users, the k events each of them shows, and what they are asked about. Nothing else
of anybody enters a method, with one exception that carries it in its name: the popularity of everybody. Who an item
has not been shown to has not refused it, so an unlabelled item counts as a weak negative, ``x_uj = 0`` with the weight
that each method states in its formula.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, DataError
from warmstart.learn.settings import at_least, choose

PARTS = ("all", "test", "validation")
ORDERS = ("random", "first")
SHOTS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class FewShot:
    """How worlds are drawn.

    Parameters
    ----------
    shots
        Every k of the curve, ascending.
    order
        Which k events a user shows: "random" ones, or the "first" in time.
    part
        "validation" users (a third of all, by a hash of their ids) to choose settings on, the other two thirds
        ("test") to measure, or "all".
    share
        Share of the part's users in a world, drawn by its seed, in (0, 1].

    Examples
    --------
    >>> FewShot(shots=(8, 2)).shots
    (2, 8)
    """

    shots: tuple[int, ...] = SHOTS
    order: str = "random"
    part: str = "test"
    share: float = 0.8

    def __post_init__(self) -> None:
        choose("order", self.order, ORDERS)
        choose("part", self.part, PARTS)
        if not self.shots:
            raise ConfigError("shots=() asks for nothing; give at least one k, e.g. 8")
        for k in self.shots:
            at_least("shots", k, 1)
        if not 0 < self.share <= 1:
            raise ConfigError(f"share={self.share} is not in (0, 1]; 0.8 is usual")
        object.__setattr__(self, "shots", tuple(sorted(set(self.shots))))


def reachable(data: Dataset, part: str, shots: Sequence[int] = SHOTS) -> tuple[int, ...]:
    """Those k's past which at least ten people of a part, and a tenth of them, have events; the smallest in any case.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> reachable(checkerboard(30, 12), "all")  # six events a user
    (1, 2, 4)
    """
    counts = data.interactions.user_counts()[part_of(data, part)]
    enough = max(10.0, 0.1 * len(counts))
    return tuple(k for k in sorted(shots) if (counts > k).sum() >= enough) or (min(shots),)


@dataclass(frozen=True)
class World:
    """What one draw knows and asks.

    Parameters
    ----------
    shown
        CSR of ones, shape (n_users, n_items): the labelled events, at most k a user.
    targets
        CSR of ones, same shape: events past the largest k of the curve, the same for every k.
    hidden
        CSR of ones, same shape: events that are neither shown nor asked about; they are left out of the ranking.
    everybody
        float64, shape (n_items,): events of all users outside the world; for the stricter floor alone.
    texts
        One an item.
    vectors
        float32, shape (n_items, dim), unit rows: the frozen encoder's.
    users
        int64, shape (n_users,): codes in the data.
    seed
        Of this draw.
    """

    shown: sp.csr_matrix
    targets: sp.csr_matrix
    hidden: sp.csr_matrix
    everybody: np.ndarray
    texts: Sequence[str]
    vectors: np.ndarray
    users: np.ndarray
    seed: int

    @property
    def counts(self) -> np.ndarray:
        """Labelled events of each item: float64, shape (n_items,)."""
        counts: np.ndarray = np.asarray(self.shown.sum(axis=0), np.float64).ravel()
        return counts

    def ranked(self, scores: np.ndarray) -> np.ndarray:
        """Scores with what is shown or hidden at ``-inf``: float64, shape (n_users, n_items)."""
        out: np.ndarray = np.array(np.broadcast_to(scores, self.shown.shape), np.float64)
        out[(self.shown + self.hidden).nonzero()] = -np.inf
        return out


def part_of(data: Dataset, part: str) -> np.ndarray:
    """Codes of the users with events that belong to a part; a user's part depends on the id alone.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(30, 6)
    >>> parts = [set(part_of(data, name).tolist()) for name in PARTS]
    >>> parts[0] == parts[1] | parts[2], parts[1] & parts[2]
    (True, set())
    """
    users = np.unique(data.interactions.user).astype(np.int64)
    if part == "all":
        return users
    third = np.array([zlib.crc32(name.encode()) % 3 == 0 for name in data.users.names(users.tolist())], bool)
    mine: np.ndarray = users[third if part == "validation" else ~third]
    return mine


def draw_world(data: Dataset, texts: Sequence[str], vectors: np.ndarray, settings: FewShot, k: int, seed: int) -> World:
    """One world: users by ``settings.share``, ``k`` events shown of each, those past the largest k asked about.

    Of one seed, the events shown for a smaller k are among those for a larger one, and the questions are the same.
    Users who have no event past the largest k show theirs and are not asked.

    Raises
    ------
    DataError
        If no item has a text, or nobody has more than the largest k events.
    """
    if not any(t.strip() for t in texts):
        raise DataError("no item has a text; few-shot methods read texts: give an items table with a title")
    x, rng, most = data.interactions, np.random.default_rng([seed, 41]), max(settings.shots)
    pool = part_of(data, settings.part)
    users = np.sort(rng.permutation(pool)[: max(1, round(settings.share * len(pool)))])
    place = _place(x.user, x.time if settings.order == "first" else np.zeros(len(x)), rng)
    shown, hidden, targets = (
        _ones(x, users, (place >= low) & (place < high)) for low, high in ((0, k), (k, most), (most, np.inf))
    )
    known = shown + hidden
    targets = _clean(targets - targets.multiply(known > 0))  # an item that was met before is no discovery
    if not targets.nnz:
        largest = int(x.user_counts()[users].max(initial=0))
        raise DataError(
            f"k={most} events are shown, but of {len(users)} users ({settings.part}) nobody has more than {largest}; "
            f"give a smaller --shots"
        )
    outside = np.setdiff1d(np.arange(data.n_users), users)
    everybody = np.asarray(x.matrix()[outside].sum(axis=0), np.float64).ravel()
    return World(shown, targets, hidden, everybody, texts, vectors, users, seed)


def _ones(x: Interactions, users: np.ndarray, rows: np.ndarray) -> sp.csr_matrix:
    """The events of a mask as a CSR of ones, a row for each of the users."""
    made = x.select(rows).matrix()[users]
    made.sort_indices()
    return sp.csr_matrix(made)


def _place(user: np.ndarray, time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each event's place within its user by time, equal times in random order: int64, shape (n_events,)."""
    order = np.lexsort((rng.random(len(user)), time, user))
    counts = np.bincount(user)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.empty(len(user), np.int64)
    place[order] = np.arange(len(user)) - starts[user[order]]
    return place


def _clean(x: sp.csr_matrix) -> sp.csr_matrix:
    out = sp.csr_matrix(x)
    out.eliminate_zeros()
    return out
