"""The list an asker is shown by one model: ranked, filtered, made diverse; remembered until anything changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from warmstart.answers import answered
from warmstart.interests.steer import Steering, Wishes
from warmstart.reasons import reasons
from warmstart.rerank.diverse import diverse
from warmstart.serve.asker import Asker
from warmstart.serve.live import Filters, Live, Snapshot

DEEPER, LEAST = 5, 100  # candidates of a list that must be diverse: so many times k, and so many at least


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
    explain: bool = False
    exclude_seen: bool = True
    candidates: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Line:
    """One place of a list."""

    code: int
    item_id: str
    score: float
    source: str
    reasons: tuple[str, ...] = ()


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

    def listed(self, live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted) -> tuple[Line, ...]:
        """The best items, best first; fewer than ``wanted.k`` where fewer may be shown."""
        key = (snapshot.number, asker.key, wanted)
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                self.hits += 1
                return known
            self.misses += 1
        made = ranked(live, snapshot, asker, wanted)
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


def ranked(live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted) -> tuple[Line, ...]:
    """Rank, and make diverse, without memory."""
    f, pool = snapshot.fitted, pool_of(snapshot, asker, wanted)
    if not pool.any():
        return ()
    wishes = Wishes.of(f.concepts, Steering(wanted.without, wanted.more))
    deep = max(DEEPER * wanted.k, LEAST) if wanted.diversity else wanted.k
    asked = (False, wanted.explain and not wanted.diversity, wishes, wanted.calibrate, live.engine.recipe.tail)
    h = asker.histories(live.engine, f)
    table = answered(f, h, pool, min(deep, len(pool)), *asked)
    codes = f.catalog.items.codes(table["item_id"].to_list())
    columns = (codes.tolist(), table["item_id"].to_list(), table["score"].to_list(), table["source"].to_list())
    told = table["reasons"].to_list() if "reasons" in table.columns else [()] * len(codes)
    rows = zip(*columns, told, strict=True)
    lines = [Line(code, item, score, source, tuple(why)) for code, item, score, source, why in rows]
    if not wanted.diversity:
        return tuple(lines)
    order = diverse(table["score"].to_numpy(), f.support.unit[codes], wanted.k, wanted.diversity)
    chosen = tuple(lines[at] for at in order.tolist())
    return explained_lines(live, snapshot, asker, chosen) if wanted.explain else chosen


def explained_lines(live: Live, snapshot: Snapshot, asker: Asker, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The same lines with the reasons of each."""
    f = snapshot.fitted
    h, items = asker.histories(live.engine, f), np.array([[line.code for line in lines]], np.int32)
    told = reasons(f, h, items, snapshot.shown[None])
    return tuple(Line(i.code, i.item_id, i.score, i.source, tuple(why)) for i, why in zip(lines, told, strict=True))
