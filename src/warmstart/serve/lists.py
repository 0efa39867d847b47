"""What a model lists for an asker: ranked, filtered, remembered until anything changes; made diverse, explained."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.answers import answered
from warmstart.interests.steer import Steering, Wishes
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
    candidates: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Line:
    """One place of a list."""

    code: int
    item_id: str
    score: float
    source: str


class Lists:
    """Lists, and a memory of the newest of them.

    A list is remembered under all it depends on: the snapshot, what is known of the asker, what is wanted. So nothing
    has to be forgotten when an event comes, an item is added or a model changes.

    Parameters
    ----------
    size
        Lists that are remembered; 0 = none.
    """

    def __init__(self, size: int) -> None:
        self.size, self.hits, self.misses = size, 0, 0
        self._kept: OrderedDict[Hashable, tuple[Line, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def listed(
        self, live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted, deep: int | None = None
    ) -> tuple[Line, ...]:
        """The best ``deep`` items (None = ``wanted.k``) by score; fewer where fewer may be shown."""
        deep = deep or wanted.k
        key = (snapshot.number, asker.key, replace(wanted, k=deep, diversity=0.0))
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                self.hits += 1
                return known
            self.misses += 1
        made = ranked(live, snapshot, asker, wanted, deep)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self.size:
                self._kept.popitem(last=False)
        return made

    def forget(self) -> None:
        """Drop everything, as after an erasure."""
        with self._lock:
            self._kept.clear()


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


def ranked(live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted, deep: int) -> tuple[Line, ...]:
    """The best ``deep`` items by score, without memory."""
    f, pool = snapshot.fitted, pool_of(snapshot, asker, wanted)
    if not pool.any():
        return ()
    wishes = Wishes.of(f.concepts, Steering(wanted.without, wanted.more))
    h, known = asker.histories(live.engine, f), live.engine.recipe.tail
    table = answered(f, h, pool, min(deep, len(pool)), False, False, wishes, wanted.calibrate, known)
    items, scores, sources = (table[c].to_list() for c in ("item_id", "score", "source"))
    codes = f.catalog.items.codes(items).tolist()
    return tuple(Line(*row) for row in zip(codes, items, scores, sources, strict=True))


def chosen(snapshot: Snapshot, lines: tuple[Line, ...], wanted: Wanted) -> tuple[Line, ...]:
    """The lines that are shown, in their order: as diverse as wanted."""
    if not wanted.diversity:
        return lines[: wanted.k]
    score = np.array([line.score for line in lines])
    unit = snapshot.fitted.support.unit[[line.code for line in lines]]
    return tuple(lines[at] for at in diverse(score, unit, wanted.k, wanted.diversity).tolist())


def told(live: Live, snapshot: Snapshot, asker: Asker, lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """The reasons of each line."""
    if not lines:
        return []
    f, items = snapshot.fitted, np.array([[line.code for line in lines]], np.int32)
    allowed = snapshot.shown[None] | np.isin(np.arange(len(snapshot.shown)), items)[None]
    return [tuple(why) for why in reasons(f, asker.histories(live.engine, f), items, allowed)]
