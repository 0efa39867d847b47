"""Events as a sequence model reads them: rows of equal length, newest last, with what is known of each event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.data.interactions import NO_TIME, Interactions

NOBODY = -1  # stands where a history is shorter than the row
GAPS = (1, 60, 3_600, 86_400, 604_800, 2_592_000, 31_536_000)  # seconds: same second, minute, hour, day ... year
RATINGS = 5  # groups of ratings, about equally large
FACTS = ("kind", "rating", "gap")
TOGETHER = 4_096  # cells of a table that is read as it is: more steps for the computer cost more than blanks
SHORTEST = 4  # rows of so many events at most are read together; then of twice as many, and so on


@dataclass(frozen=True)
class EventFacts:
    """How kind, rating and time gap of an event become small codes; 0 = not known.

    Parameters
    ----------
    kinds
        Kinds of event that were met; code = position + 1.
    ratings
        float32, ascending: borders between groups of ratings; code = group + 1. Empty = no ratings were met.

    Examples
    --------
    >>> x = Interactions.of(np.zeros(3), np.arange(3), 1, 3, time=np.array([0, 30, 9000]))
    >>> facts = EventFacts.fit(x)
    >>> facts.codes(Histories.of_users(x, np.array([0])))[:, 2].tolist()  # gaps: none, below a minute, hours
    [0, 2, 4]
    """

    kinds: tuple[str, ...]
    ratings: np.ndarray

    @classmethod
    def fit(cls, x: Interactions) -> EventFacts:
        """From training events."""
        given = x.rating[~np.isnan(x.rating)]
        borders = np.quantile(given, np.arange(1, RATINGS) / RATINGS) if len(given) else np.empty(0)
        return cls(x.kinds, np.unique(borders).astype(np.float32))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of codes of kind, rating and gap, the unknown included."""
        return len(self.kinds) + 1, len(self.ratings) + 2, len(GAPS) + 2

    def codes(self, h: Histories) -> np.ndarray:
        """Codes of every event: int16, shape (n_events, 3), columns as in ``FACTS``."""
        out = np.zeros((len(h.item), len(FACTS)), np.int16)
        if h.kind is not None:
            known = {kind: code + 1 for code, kind in enumerate(self.kinds)}
            out[:, 0] = np.array([known.get(kind, 0) for kind in h.kinds] or [0], np.int16)[h.kind]
        if h.rating is not None:
            group = np.searchsorted(self.ratings, h.rating, side="right") + 1
            out[:, 1] = np.where(np.isnan(h.rating), 0, group)
        if h.time is not None and len(h.time):
            first = np.zeros(len(h.time), bool)
            first[h.indptr[:-1][h.lengths > 0]] = True
            gap = np.diff(h.time, prepend=h.time[0])
            undated = (h.time == NO_TIME) | (np.roll(h.time, 1) == NO_TIME)
            out[:, 2] = np.where(first | undated, 0, np.searchsorted(GAPS, gap, side="right") + 1)
        return out


@dataclass(frozen=True)
class Rows:
    """Histories as a table, the newest event in the last column.

    Parameters
    ----------
    item
        int64 item codes, shape (n, length); -1 where there is no event.
    facts
        int64, shape (n, length, 3): codes of ``EventFacts``, 0 where there is no event.
    """

    item: np.ndarray
    facts: np.ndarray

    @classmethod
    def of(cls, h: Histories, codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Rows:
        """Stretches ``starts:ends`` of the events of ``h``, as wide as the longest of them (one column at least).

        ``codes`` are those of all its events, made once: int16, shape (n_events, 3).
        """
        lengths = ends - starts
        width = max(1, int(lengths.max(initial=1)))
        column = np.arange(width)
        at = ends[:, None] - width + column  # events of earlier people are masked away
        there = column >= width - lengths[:, None]
        at = np.where(there, at, 0)
        codes = codes if len(h.item) else np.zeros((1, len(FACTS)), np.int16)
        items = h.item if len(h.item) else np.zeros(1, np.int32)
        return cls(np.where(there, items[at], NOBODY).astype(np.int64), codes[at].astype(np.int64) * there[..., None])

    def groups(self, together: int = TOGETHER) -> Iterator[tuple[np.ndarray, Rows]]:
        """Rows of like length, each group as wide as its longest: short ones are not read with long ones' blanks.

        A small table is one group. Yields positions of the rows (int64) and a part of the table; together every row
        once.

        Examples
        --------
        >>> rows = Rows(np.array([[-1, -1, -1, -1, 4], [1, 2, 3, 4, 5]]), np.zeros((2, 5, 3), np.int64))
        >>> [(at.tolist(), part.item.tolist()) for at, part in rows.groups(together=0)]
        [([0], [[4]]), ([1], [[1, 2, 3, 4, 5]])]
        >>> [at.tolist() for at, part in rows.groups()]
        [[0, 1]]
        """
        if self.item.size <= together:
            yield np.arange(len(self.item)), self
            return
        lengths = (self.item >= 0).sum(1)
        step = np.ceil(np.log2(np.maximum(lengths, 1) / SHORTEST)).clip(0)
        for one in np.unique(step):
            at = np.flatnonzero(step == one)
            width = max(1, int(lengths[at].max()))
            yield at, Rows(self.item[at, -width:], self.facts[at, -width:])


def windows(lengths: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut histories into stretches of at most ``most + 1`` events that overlap by one, newest first.

    Every event but the first of each history is the last word of exactly one position.

    Returns
    -------
    tuple
        row, start and end (within the row): int64, one a stretch; histories of fewer than two events give none.

    Examples
    --------
    >>> [a.tolist() for a in windows(np.array([5, 1, 2]), most=2)]
    [[0, 0, 2], [2, 0, 0], [5, 3, 2]]
    """
    row, start, end = [], [], []
    for r, n in enumerate(lengths.tolist()):
        while n > 1:
            begin = max(0, n - most - 1)
            row.append(r)
            start.append(begin)
            end.append(n)
            n = begin + 1
    return np.array(row, np.int64), np.array(start, np.int64), np.array(end, np.int64)
