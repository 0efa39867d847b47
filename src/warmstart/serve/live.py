"""A model in service: a fitted engine that takes up new items at once and follows what people take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
import structlog

from warmstart.encoders import Encoders
from warmstart.engine import Engine
from warmstart.errors import StoreUnavailable
from warmstart.experts.popularity import Popularity
from warmstart.fitted import Fitted
from warmstart.query import filter_mask
from warmstart.rerank.explore import Worlds
from warmstart.serve import catalogue
from warmstart.store.rows import Event, Item
from warmstart.store.store import Store
from warmstart.text.cache import CachedEncoder
from warmstart.text.weights import cache_home

LOG = structlog.get_logger("warmstart.serve")
PAGE = 20_000  # events read at once
FEW = 10  # events below which an item is new
MASKS = 256  # filters whose items are remembered
NEWEST = 2**63  # after any event
NUMBERS = count(1)
Filters = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A model as it stands at one moment; requests in work keep theirs.

    Parameters
    ----------
    fitted
        What was learned, with the items added since, and popularity as it is now.
    shown
        bool, shape (n_items,): items that are not hidden.
    events
        int64, shape (n_items,): events of each item, those since the fit among them.
    items
        Version of the store's items that it holds.
    columns
        Names of all columns of the catalogue, those that only hidden items have among them.
    number
        Distinct for every snapshot of this process.
    masks
        What passed the filters asked for so far.
    """

    fitted: Fitted
    shown: np.ndarray
    events: np.ndarray
    items: int
    columns: frozenset[str]
    number: int
    masks: dict[Filters, np.ndarray] = field(default_factory=dict)

    @cached_property
    def new(self) -> np.ndarray:
        """Column of each item among those that few have met, -1 where many have: int64, shape (n_items,)."""
        few = self.events < FEW
        return np.where(few, np.cumsum(few) - 1, -1)

    @cached_property
    def worlds(self) -> Worlds:
        """What the rates of the new items may be."""
        return Worlds.draw(self.events[self.new >= 0], Popularity().tau, np.random.default_rng(self.number))

    def passing(self, filters: Filters) -> np.ndarray:
        """Items that are shown and pass the filters: bool, shape (n_items,); not to be written into."""
        if not filters:
            return self.shown
        mask = self.masks.get(filters)
        if mask is None:
            passed = filter_mask(self.fitted.catalog, {name: list(values) for name, values in filters})
            mask = self.shown & passed
            if len(self.masks) < MASKS:
                self.masks[filters] = mask
        return mask


class Live:
    """One model: the engine of a folder and its snapshot of the moment.

    Parameters
    ----------
    version
        Of the model.
    engine
        Loaded.
    until
        The last event, by ``Event.seq``, that it was fitted on.
    weights
        Weight by kind of event; kinds of weight 0 make nothing popular.
    """

    def __init__(self, version: str, engine: Engine, until: int, weights: dict[str, float]) -> None:
        self.version, self.engine, self.weights = version, engine, weights
        self._grown, self._hidden = engine.fitted, frozenset[str]()
        self._columns = frozenset[str]()  # of items of the store
        self._item, self._time, self._seq = np.empty(0, np.int64), np.empty(0, np.int64), until
        self._waiting: list[Event] = []  # the newest ones of items that are not there yet
        self._lock = threading.Lock()
        self.snapshot = self._taken(0)

    def warm(self) -> None:
        """Ask for one list: what is made at the first question is there before anybody waits for it."""
        self.engine.recommend(histories=[list(self.engine.fitted.catalog.items.ids[:1])], k=1)

    def _taken(self, items: int) -> Snapshot:
        shown = np.ones(len(self._grown.catalog), bool)
        codes = self._grown.catalog.items.codes(sorted(self._hidden))
        shown[codes[codes >= 0]] = False
        events = self._grown.counts + np.bincount(self._item, minlength=len(shown))
        columns = self._columns | frozenset(self._grown.catalog.table.columns)
        return Snapshot(self._grown.moved(self._item, self._time), shown, events, items, columns, next(NUMBERS))

    def take_up(self, store: Store, items: int) -> Snapshot:
        """The snapshot with all items of the store's version ``items``; one thread does the work, others wait."""
        if self.snapshot.items == items:
            return self.snapshot
        with self._lock:
            if self.snapshot.items != items:
                before, known = self.snapshot.items, self._grown.catalog.items
                given, deleted = store.items_since(before), store.deleted_since(before)
                tolerated(self._describe, [i for i in given if i.item_id in known])
                tolerated(self._grow, [i for i in given if i.item_id not in known and not i.hidden])
                self._columns |= {name for item in given for name in item.fields}
                hidden = {i.item_id for i in given if i.hidden}
                self._hidden = (self._hidden - {i.item_id for i in given}) | hidden | set(deleted)
                waiting, self._waiting = self._waiting, []
                self._count(waiting)
                self.snapshot = self._taken(items)
        return self.snapshot

    def _describe(self, items: Sequence[Item]) -> None:
        other = catalogue.changed([i for i in items if not i.hidden], self._grown.catalog)
        if other:
            self._grown = replace(self._grown, catalog=catalogue.updated(other, self._grown.catalog))

    def _grow(self, items: Sequence[Item]) -> None:
        if not items:
            return
        f, readers = self._grown, self._readers()
        rows = catalogue.table(items, f.catalog)
        z, judged = readers.items(f.space, f.judged, replace(f.catalog, table=rows), f.graph)
        self._grown = f.grow(rows, z, judged)

    def _readers(self) -> Encoders:
        """The engine's encoders, that read no item twice: neither after a start nor in another process."""
        own = self.engine.encoders
        assert own is not None
        judge: Any = None if own.judge is None else CachedEncoder(own.judge, cache_home())
        return Encoders(CachedEncoder(own.encoder, cache_home()), judge)

    def follow(self, store: Store, last: int = NEWEST) -> int:
        """Let popularity follow the events that came since it was last asked; returns how many counted.

        Parameters
        ----------
        last
            No event after this one, by ``Event.seq``.
        """
        with self._lock:
            before = len(self._item)
            while page := [e for e in store.events(self._seq, PAGE) if e.seq <= last]:
                self._seq = page[-1].seq
                self._count([e for e in page if self.weight(e) > 0])
            if len(self._item) > before:
                self.snapshot = self._taken(self.snapshot.items)
            return len(self._item) - before

    def _count(self, events: Sequence[Event]) -> None:
        codes = self._grown.catalog.items.codes([e.item_id for e in events]).astype(np.int64)
        times = np.array([e.time for e in events], np.int64)
        self._item = np.append(self._item, codes[codes >= 0])
        self._time = np.append(self._time, times[codes >= 0])
        unknown = [event for event, code in zip(events, codes.tolist(), strict=True) if code < 0]
        self._waiting = [*self._waiting, *unknown][-PAGE:]

    def weight(self, event: Event) -> float:
        """How strong a sign of interest an event is, >= 0: its own weight, or that of its kind, or 1."""
        return self.weights.get(event.kind, 1.0) if event.weight is None else event.weight


def tolerated(take: Callable[[Sequence[Item]], None], items: Sequence[Item]) -> None:
    """Take up items; one that cannot be is told in the log and left out, the others come all the same."""
    if not items:
        return
    try:
        take(items)
    except StoreUnavailable:
        raise
    except Exception:
        if len(items) == 1:
            LOG.exception("item cannot be taken up", item_id=items[0].item_id)
            return
        half = len(items) // 2
        tolerated(take, items[:half])
        tolerated(take, items[half:])
