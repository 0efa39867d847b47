"""Whether an explanation tells what carried the item: the events it cites are taken out, and events drawn instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.errors import DataError
from warmstart.evaluate.intervals import Interval, resample
from warmstart.fusion.leave_out import LeaveOut
from warmstart.fusion.samples import allowed_items

Claims = Callable[[Histories, np.ndarray, np.ndarray], Sequence["np.ndarray | None"]]
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """How explanations stood the test.

    Parameters
    ----------
    listed
        Items that were recommended to anybody.
    explained
        How many of them got an explanation.
    query
        int64, shape (n_tested,), ascending: whose explanation; one whose history holds too few other events to draw
        from is not tested.
    won
        float64, shape (n_tested,), in [0, 1]: share of the draws that lowered the item less than what was cited; a
        draw that lowered it as much counts half.
    drop, random
        float64, shape (n_tested,): how far the item fell without what was cited, and, on average, without the draws;
        in deviations of its rivals' scores (``LeaveOut.standings``).
    """

    listed: int
    explained: int
    query: np.ndarray
    won: np.ndarray
    drop: np.ndarray
    random: np.ndarray

    @property
    def explained_share(self) -> float:
        """Share of the recommended items that got an explanation; NaN where nothing was recommended."""
        return self.explained / self.listed if self.listed else float("nan")

    def share(self, n_boot: int = 1000, seed: int = 0) -> Interval:
        """Mean of ``won`` over the explanations tested; its 95 % interval from people drawn anew."""
        if not len(self.won):
            return Interval(float("nan"), float("nan"), float("nan"), 0)
        _, at = np.unique(self.query, return_inverse=True)
        sums = np.column_stack([np.bincount(at, self.won), np.bincount(at)])
        drawn = resample(sums, n_boot, seed)
        low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
        return Interval(float(self.won.mean()), float(low), float(high), len(self.won))

    def to_dict(self) -> dict[str, object]:
        """All figures as plain values."""
        share = self.share()
        return {
            "listed": self.listed,
            "explained": self.explained,
            "explained_share": self.explained_share,
            "tested": len(self.won),
            "faithful": {"mean": share.mean, "low": share.low, "high": share.high},
            "drop": float(self.drop.mean()) if len(self.drop) else None,
            "drop_random": float(self.random.mean()) if len(self.random) else None,
        }


def faithfulness(
    ask: LeaveOut, claims: Claims, h: Histories, k: int = 10, draws: int = 10, seed: int = 0, tell: Tell | None = None
) -> Faithfulness:
    """Put explanations of everybody's best k items to the test.

    The events cited are taken out of the history, and the item is ranked among the same rivals; then, ``draws`` times,
    as many other items of the history, drawn at random, are.

    Parameters
    ----------
    ask
        The fitted fusion.
    claims
        ``(one query, items, allowed) -> codes of the history cited for each item``, None = no explanation.
    h
        Histories of people; somebody without events is not asked about.
    k, draws
        Items a person, and draws an explanation.
    seed
        Of the draws.
    tell
        Told of people done with.

    Raises
    ------
    DataError
        If nobody has an event.
    """
    rng, people = np.random.default_rng(seed), np.flatnonzero(h.lengths)
    if not len(people):
        raise DataError("nobody has a history; there is nothing that an explanation could cite")
    listed = explained = 0
    rows: list[tuple[float, ...]] = []
    for done, q in enumerate(people.tolist()):
        one = h.take(np.array([q]))
        allowed = allowed_items(one, np.ones(h.n_items, bool))
        item, _, _ = ask.fusion.rank(ask.panel, ask.support, one, allowed, k)
        item = item[0, item[0] >= 0]
        cited = claims(one, item, allowed[0])
        listed, explained = listed + len(item), explained + sum(c is not None for c in cited)
        rows += [(q, *row) for row in held_against(ask, one, item, cited, allowed[0], draws, rng)]
        if tell:
            tell("taking evidence away", done + 1, len(people))
    table = np.array(rows, np.float64).reshape(len(rows), 4)
    return Faithfulness(listed, explained, table[:, 0].astype(np.int64), *table[:, 1:].T)


def held_against(
    ask: LeaveOut,
    h: Histories,
    item: np.ndarray,
    cited: Sequence[np.ndarray | None],
    allowed: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> list[tuple[float, float, float]]:
    """Share of draws beaten, drop, mean drop of the draws: for each explanation of one person that can be tested."""
    sets, columns, row = list[np.ndarray](), list[int](), np.unique(h.row(0))
    for column, codes in enumerate(cited):
        others = row if codes is None else np.setdiff1d(row, codes)
        if codes is not None and len(others) >= len(codes):
            columns.append(column)
            sets += [codes, *(rng.choice(others, len(codes), replace=False) for _ in range(draws))]
    if not columns:
        return []
    drops = ask.drops(h, sets, item, allowed).reshape(len(columns), 1 + draws, len(item))
    out = []
    for at, column in enumerate(columns):
        drop, random = drops[at, 0, column], drops[at, 1:, column]
        out.append((float((drop > random).mean() + (drop == random).mean() / 2), float(drop), float(random.mean())))
    return out
