"""Examples out of events: a person as he was just before an event, items, and a label for each.

Nothing of an example depends on what happened at its time or later, but for its own label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.data.holdout import last
from warmstart.data.interactions import NO_TIME, Interactions
from warmstart.errors import ConfigError, DataError
from warmstart.learn.settings import at_least

NO_ITEM = -1
_TRIES = 8  # draws for one negative before one that the person knows is taken after all


@dataclass(frozen=True)
class Pairing:
    """How examples are made and held out.

    Parameters
    ----------
    history
        Newest events of a person that are read.
    held_out
        Share of the examples, the latest ones, that validation asks about.
    judged
        Held-out examples that are judged, drawn at random where there are more.
    """

    history: int = 20
    held_out: float = 0.1
    judged: int = 1000

    def __post_init__(self) -> None:
        at_least("history", self.history, 1)
        at_least("judged", self.judged, 1)
        if not 0 < self.held_out < 1:
            raise ConfigError(f"held_out={self.held_out} is not between 0 and 1; 0.1 holds out a tenth")


@dataclass(frozen=True)
class Examples:
    """Questions about people: who, when, about which items, and the right answers.

    Parameters
    ----------
    user
        int32 codes, shape (n,).
    cut
        int64, shape (n,): how many of the user's events are known when the question is asked.
    items
        int32 codes, shape (n, m); -1 where the question is about no item, or the list is shorter.
    labels
        float32, shape (n, m); NaN where there is nothing to answer.
    event
        int64 positions in the interactions, shape (n,): the (last) event that tells the answer.
    """

    user: np.ndarray
    cut: np.ndarray
    items: np.ndarray
    labels: np.ndarray
    event: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    def take(self, at: np.ndarray) -> Examples:
        """Those at the given positions, or of a mask."""
        return Examples(self.user[at], self.cut[at], self.items[at], self.labels[at], self.event[at])

    def histories(self, x: Interactions, longest: int) -> Histories:
        """What each person had done before, the newest ``longest`` events, oldest first."""
        begin = np.concatenate([[0], np.cumsum(x.user_counts())])[self.user]
        return Histories.of_rows(x, begin + np.maximum(self.cut - longest, 0), begin + self.cut)


def known_before(x: Interactions) -> np.ndarray:
    """How many of his user's events lie strictly before each event, in time where it is known: int64, (n_events,).

    Examples
    --------
    >>> x = Interactions.of(np.zeros(4, int), np.arange(4), 1, 4, time=np.array([5, 7, 7, 9]))
    >>> known_before(x).tolist()
    [0, 1, 1, 3]
    """
    position = x.position()
    fresh = np.ones(len(x), bool)
    fresh[1:] = (x.user[1:] != x.user[:-1]) | (x.time[1:] != x.time[:-1]) | (x.time[1:] == NO_TIME)
    at: np.ndarray = np.maximum.accumulate(np.where(fresh, np.arange(len(x)), 0)) if len(x) else position
    before: np.ndarray = position[at]
    return before


def one_each(x: Interactions, rows: np.ndarray, labels: np.ndarray, *, of_item: bool = True) -> Examples:
    """An example an event: of its item, or (``of_item=False``) of what kind of item it will be."""
    items = x.item[rows] if of_item else np.full(len(rows), NO_ITEM, np.int32)
    return Examples(x.user[rows], known_before(x)[rows], items[:, None], labels[:, None].astype(np.float32), rows)


def sampled(x: Interactions, rows: np.ndarray, pool: np.ndarray, negatives: int, seed: int) -> Examples:
    """An example an event: its item, labelled 1, beside items of ``pool`` the person had not met, labelled 0.

    Negatives are drawn alike from the whole pool, for each user by a generator of his own, so that a later event
    changes no earlier draw. What he will meet later may be among them: to leave it out would tell the future.
    """
    cut, position = known_before(x), x.position()
    met, first = _first_met(x)
    drawn = np.full((len(rows), negatives), NO_ITEM, np.int32)
    begin = np.searchsorted(x.user[rows], np.arange(x.n_users + 1))
    for user in np.unique(x.user[rows]).tolist():
        mine = slice(begin[user], begin[user + 1])
        count = int(position[rows[mine]].max()) + 1
        lots = np.random.default_rng([seed, user]).integers(len(pool), size=(count, negatives, _TRIES))
        tries = pool[lots[position[rows[mine]]]]
        at = np.minimum(np.searchsorted(met, user * x.n_items + tries), len(met) - 1)
        known = (met[at] == user * x.n_items + tries) & (first[at] < cut[rows[mine]][:, None, None])
        known |= tries == x.item[rows[mine]][:, None, None]
        drawn[mine] = np.take_along_axis(tries, known.argmin(2)[:, :, None], 2)[:, :, 0]
    items = np.column_stack([x.item[rows], drawn]).astype(np.int32)
    labels = np.zeros(items.shape, np.float32)
    labels[:, 0] = 1.0
    return Examples(x.user[rows], cut[rows], items, labels, rows)


def lists(x: Interactions, rows: np.ndarray, labels: np.ndarray, size: int) -> Examples:
    """Each user's events, ``size`` by ``size`` in order of time: one example a list, known = what came before it.

    Lists whose labels are all alike are left out; there is nothing to rank in them.
    """
    cut, users = known_before(x), x.user[rows]
    place = np.arange(len(rows)) - np.searchsorted(users, users)
    begins = np.flatnonzero(place % size == 0)
    of = np.searchsorted(begins, np.arange(len(rows)), side="right") - 1
    items = np.full((len(begins), size), NO_ITEM, np.int32)
    answers = np.full((len(begins), size), np.nan, np.float32)
    items[of, place % size], answers[of, place % size] = x.item[rows], labels
    ends = np.append(begins[1:], len(rows)) - 1
    made = Examples(users[begins], cut[rows[begins]], items, answers, rows[ends])
    spread = np.nanmax(answers, axis=1) > np.nanmin(answers, axis=1) if len(begins) else np.zeros(0, bool)
    return made.take(spread)


def held_out(x: Interactions, examples: Examples, pairing: Pairing, seed: int) -> tuple[Examples, Examples]:
    """The examples to learn from, and the latest ones: by the clock where there is one, else each user's last.

    Raises
    ------
    DataError
        If either part is empty.
    """
    late = last(x, 1, pairing.held_out)[examples.event]
    time = x.time[examples.event]
    if x.has_time and len(examples) and time.max() > (bound := np.quantile(time, 1 - pairing.held_out)) > time.min():
        late = time >= bound
    train, held = examples.take(~late), np.flatnonzero(late)
    if not len(train) or not len(held):
        raise DataError(
            f"{len(train)} examples to learn from and {len(held)} to judge by; give more events, or another held_out"
        )
    judged = np.sort(np.random.default_rng([seed, 2]).permutation(held)[: pairing.judged])
    return train, examples.take(judged)


def _first_met(x: Interactions) -> tuple[np.ndarray, np.ndarray]:
    """Pairs ``user * n_items + item``, ascending, and the position of the event at which they met first."""
    met, at = np.unique(x.user.astype(np.int64) * x.n_items + x.item, return_index=True)
    return met, x.position()[at]
