"""What is wanted of a list, what may stand in it, and what a line of it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.reasons import reasons
from warmstart.rerank.diverse import diverse
from warmstart.serve.asker import Asker
from warmstart.serve.live import Filters, Live, Snapshot


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a list; see ``RecommendRequest``.

    Parameters
    ----------
    candidates
        Item ids that may be shown; None = all.
    """

    k: int = 10
    filters: Filters = ()
    exclude: frozenset[str] = frozenset()
    without: tuple[int | str, ...] = ()
    more: tuple[int | str, ...] = ()
    interest: int | str | None = None
    diversity: float = 0.0
    calibrate: float = 0.0
    exclude_seen: bool = True
    objective: str | None = None
    candidates: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Line:
    """One place of a list."""

    code: int
    item_id: str
    score: float
    source: str


def pool_of(snapshot: Snapshot, asker: Asker, wanted: Wanted) -> np.ndarray:
    """Items that may be listed: bool, shape (n_items,)."""
    f, pool = snapshot.fitted, snapshot.passing(wanted.filters).copy()
    items = f.catalog.items
    barred = (wanted.exclude | asker.seen) if wanted.exclude_seen else wanted.exclude
    codes = items.codes(sorted(barred))
    pool[codes[codes >= 0]] = False
    if wanted.candidates is not None:
        given = items.codes(wanted.candidates)
        among = np.zeros(len(pool), bool)
        among[given[given >= 0]] = True
        pool &= among
    if wanted.interest is not None:
        pool &= f.concepts.mask(wanted.interest)
    return pool


def chosen(snapshot: Snapshot, lines: tuple[Line, ...], wanted: Wanted) -> tuple[Line, ...]:
    """The lines that are shown, in their order: as diverse as wanted."""
    if not wanted.diversity:
        return lines[: wanted.k]
    score = np.array([line.score for line in lines])
    unit = snapshot.fitted.support.directions.rows(np.array([line.code for line in lines], np.int64))
    return tuple(lines[at] for at in diverse(score, unit, wanted.k, wanted.diversity).tolist())


def told(live: Live, snapshot: Snapshot, asker: Asker, lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """The reasons of each line."""
    if not lines:
        return []
    f, items = snapshot.fitted, np.array([[line.code for line in lines]], np.int32)
    allowed = snapshot.shown[None] | np.isin(np.arange(len(snapshot.shown)), items)[None]
    return [tuple(why) for why in reasons(f, asker.histories(live.engine, f), items, allowed)]
