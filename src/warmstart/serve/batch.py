"""Questions that wait are ranked together: while one thread ranks, those who come meanwhile become the next batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from warmstart.answers import answered
from warmstart.data.histories import Histories
from warmstart.errors import DataError
from warmstart.fitted import Fitted
from warmstart.interests.steer import Steering, Wishes
from warmstart.rerank.order import Order
from warmstart.rerank.rated import LACKING
from warmstart.serve.asker import Asker
from warmstart.serve.lines import Line, Wanted, pool_of
from warmstart.serve.live import Live, Snapshot

MOST = 16  # questions a batch: beyond, those who wait longest wait longer than they gain


@dataclass(eq=False)
class Job:
    """A question that waits, and what becomes of it."""

    live: Live
    snapshot: Snapshot
    asker: Asker
    wanted: Wanted
    deep: int
    ready: threading.Event = field(default_factory=threading.Event)
    lines: tuple[Line, ...] | None = None
    error: BaseException | None = None

    @property
    def group(self) -> Hashable:
        """Jobs of one group can be ranked together."""
        wanted = self.wanted
        known = tuple(sorted((name, type(value).__name__) for name, value in self.asker.attributes.items()))
        return self.snapshot.number, self.deep, wanted.without, wanted.more, wanted.calibrate, wanted.objective, known


class Batches:
    """Ranks for many threads, one batch at a time, in the thread of one of those who ask.

    A question that comes while nothing is ranked is ranked at once, by itself, in its own thread. Those that come
    meanwhile wait; then the one that waited longest takes with it all that can be ranked with it, and hands on.
    """

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._busy = False
        self._lock = threading.Lock()

    def ranked(self, live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted, deep: int) -> tuple[Line, ...]:
        """The best ``deep`` items by score; see ``Lists.listed``."""
        job = Job(live, snapshot, asker, wanted, deep)
        with self._lock:
            leads, self._busy = not self._busy, True
            if not leads:
                self._waiting.append(job)
        if not leads:
            job.ready.wait()
        if job.lines is None and job.error is None:  # it leads
            self._lead(job)
        if job.error is not None:
            raise job.error
        return job.lines or ()

    def _lead(self, job: Job) -> None:
        with self._lock:
            mine = [other for other in self._waiting if other.group == job.group][: MOST - 1]
            for other in mine:
                self._waiting.remove(other)
        rank_all([job, *mine])
        with self._lock:
            following = self._waiting.popleft() if self._waiting else None
            self._busy = following is not None
        for other in mine:
            other.ready.set()
        if following is not None:
            following.ready.set()


def rank_all(jobs: Sequence[Job]) -> None:
    """Rank jobs of one group; where they cannot be ranked together, each by itself, so that it bears its own error."""
    try:
        for job, lines in zip(jobs, ranked(jobs), strict=True):
            job.lines = lines
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].error = error
            return
        for job in jobs:
            rank_all([job])


def order_of(live: Live, f: Fitted, wanted: Wanted) -> Order:
    """What decides the order of a list: the model's recipe, and what is wanted of the list.

    Raises
    ------
    DataError
        If ratings are to have a say, and the model predicts none.
    """
    recipe = live.engine.recipe
    order = Order(wanted.objective or recipe.objective, wanted.calibrate, recipe.tail)
    if order.rated and f.ratings is None:
        raise DataError(f"objective {order.objective!r}: {LACKING}")
    return order


def ranked(jobs: Sequence[Job]) -> list[tuple[Line, ...]]:
    """The lists of jobs of one group."""
    first, wanted = jobs[0], jobs[0].wanted
    f, engine = first.snapshot.fitted, first.live.engine
    pools = np.stack([pool_of(job.snapshot, job.asker, job.wanted) for job in jobs])
    h = Histories.joined([job.asker.histories(engine, f) for job in jobs])
    wishes = Wishes.of(f.concepts, Steering(wanted.without, wanted.more))
    deep = min(first.deep, len(f.counts))
    table = answered(f, h, pools, deep, False, False, wishes, order_of(first.live, f, wanted))
    rows: list[list[Line]] = [[] for _ in jobs]
    codes = f.catalog.items.codes(table["item_id"].to_list()).tolist()
    columns = (table[c].to_list() for c in ("query", "item_id", "score", "source"))
    for code, query, item, score, source in zip(codes, *columns, strict=True):
        rows[query].append(Line(code, item, score, source))
    return [tuple(lines) for lines in rows]
