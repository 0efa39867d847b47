"""The service without HTTP: the store, its writer, the models, and what is known of an asker."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from warmstart.errors import StoreUnavailable
from warmstart.serve.asker import Asker
from warmstart.serve.experiments import RUNNING
from warmstart.serve.lists import Lists
from warmstart.serve.live import Live, Snapshot
from warmstart.serve.metrics import Metrics
from warmstart.serve.models import Models
from warmstart.serve.refits import Refits
from warmstart.serve.schemas import Question
from warmstart.serve.settings import Settings
from warmstart.serve.times import Clock, seconds
from warmstart.serve.turn import place
from warmstart.store.rows import Event, Experiment, Retention
from warmstart.store.store import Store
from warmstart.store.writer import Writer

LOG = structlog.get_logger("warmstart.serve")
RETAIN_SECONDS, LEFT_ALONE = 21_600.0, 1.0
DOWN = "the store cannot be reached: answered without what it knows of the asker"


@dataclass(frozen=True)
class Moment:
    """The state of things for one request: the model, its snapshot, and what stands against a full answer."""

    live: Live
    snapshot: Snapshot
    versions: Mapping[str, int]
    fallback: str | None = None


class Service:
    """All that requests share; ``begin`` before the first, ``end`` after the last.

    Parameters
    ----------
    settings
        Of the service.
    store
        An open store; ``end`` closes it.
    metrics
        Where it counts.
    """

    def __init__(self, settings: Settings, store: Store, metrics: Metrics) -> None:
        self.settings, self.store, self.writer, self.metrics = settings, store, Writer(store), metrics
        self.models = Models(store, dict(settings.event_weights))
        self.refits = Refits(settings, store)
        self.lists, self.clock = Lists(settings.cache_size), Clock()
        self.widening = threading.Lock()  # of the request that brings new columns of items
        self._trials: tuple[int, Sequence[Experiment]] = (0, ())
        self._known: dict[str, int] = {}
        self._down_until = self._retain_at = 0.0
        self._told = 0  # the snapshot that the figures are of
        self._stop = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="follow", daemon=True)

    @classmethod
    def open(cls, settings: Settings, metrics: Metrics) -> Service:
        """With the store that the settings name."""
        return cls(settings, Store.open(settings.database), metrics)

    def begin(self) -> None:
        """Load the model that serves, and begin to follow the events."""
        self.models.begin(self.settings.engine)
        self._known = self.store.versions()
        self._follower.start()
        self.refits.begin()

    def end(self) -> None:
        """Write what is waiting, and close the store."""
        self._stop.set()
        self.refits.close()
        if self._follower.is_alive():
            self._follower.join(timeout=self.settings.shutdown_seconds)
        self.writer.close()
        self.store.close()

    def _follow(self) -> None:
        while not self._stop.wait(self.settings.refresh_seconds):
            try:
                self.models.follow()
                self.moment()
                self._retain()
            except StoreUnavailable as error:
                LOG.warning("events cannot be followed", why=str(error))
            except Exception:
                LOG.exception("events cannot be followed")

    def _retain(self) -> None:
        """Remove what is older than the settings keep it; once in so many seconds, by one process of all."""
        kept = Retention(self.settings.retention_events_days, self.settings.retention_answers_days)
        if not (kept.events or kept.answers) or time.monotonic() < self._retain_at:
            return
        self._retain_at = time.monotonic() + RETAIN_SECONDS
        if not self.store.lock("retention", f"{place()} {os.getpid()}", RETAIN_SECONDS):
            return
        removed = self.store.retain(kept)
        if any(removed.values()):
            LOG.info("rows removed by age", **removed)

    def moment(self) -> Moment:
        """The model as it is now, with every item the store knows; without the store, as it was.

        A store that failed is left alone for a second: those who ask meanwhile do not wait for it.
        """
        if time.monotonic() >= self._down_until:
            try:
                return self._current(self.store.versions())
            except StoreUnavailable as error:
                self._down_until = time.monotonic() + LEFT_ALONE
                LOG.warning("the store cannot be reached", why=str(error))
        live = self.models.serving
        return Moment(live, live.snapshot, self._known, DOWN)

    def taken_up(self, live: Live, moment: Moment) -> Snapshot:
        """The snapshot of another model at this moment; as it was, where the store cannot be reached."""
        try:
            return live.snapshot if moment.fallback else live.take_up(self.store, moment.versions["items"])
        except StoreUnavailable:
            return live.snapshot

    def _current(self, versions: Mapping[str, int]) -> Moment:
        """The model with all that the store holds at these versions."""
        if versions.get("erased") != self._known.get("erased"):
            self.lists.forget()
        self._known = dict(versions)
        live = self.models.current(versions["models"])
        snapshot = live.take_up(self.store, versions["items"])
        if snapshot.number != self._told:
            self._told = snapshot.number
            self.metrics.engine(live.version, int(snapshot.shown.sum()))
        return Moment(live, snapshot, versions)

    def asker(self, question: Question, reachable: bool = True) -> tuple[Asker, str | None]:
        """What is known of who asks, and why it is less than it could be (None = it is not)."""
        stored: Sequence[Event] = ()
        attributes: Mapping[str, Any] = {}
        why = None if reachable else DOWN
        if question.user_id is not None and reachable:
            try:
                stored = self.store.history(question.user_id, self.settings.history_limit, impressions=False)
                known = self.store.user(question.user_id)
                attributes = {} if known is None else known.attributes
            except StoreUnavailable:
                why = DOWN
        told = self.told_events(question)
        given = {**attributes, **{k: v for k, v in question.attributes.items() if v is not None}}
        weights = self.settings.event_weights
        return Asker.of(question.user_id, [*stored, *told], given, question.text.strip(), weights), why

    def told_events(self, question: Question) -> list[Event]:
        """Events that the request itself tells, in their order, after all that is stored."""
        now, user = self.clock.now(), question.user_id or ""
        rows = []
        for number, told in enumerate(question.events or ()):
            at = 2**62 + number  # later than anything stored, where no time is told
            if isinstance(told, str):
                rows.append(Event("", user, told, "view", now, seq=at))
                continue
            when = now if told.time is None else seconds(told.time, f"events[{number}].time")
            rows.append(Event("", user, told.item_id, told.kind, when, told.value, seq=at))
        return rows

    def ready(self) -> dict[str, str]:
        """What is wrong, by part; empty = nothing."""
        wrong = {}
        try:
            self.store.ping()
        except StoreUnavailable as error:
            wrong["store"] = str(error)
        try:
            self.moment()
        except Exception as error:  # whatever stands between a request and its answer
            wrong["model"] = str(error)
        return wrong

    def trials(self, versions: Mapping[str, int]) -> Sequence[Experiment]:
        """The experiments that run, as of these versions of the store; without the store, as they were."""
        number = versions.get("experiments", 0)
        known, trials = self._trials
        if number != known:
            try:
                trials = [one for one in self.store.experiments() if one.status == RUNNING]
            except StoreUnavailable:
                return trials
            self._trials = (number, trials)
        return trials

    def elapsed(self, began: float) -> float:
        """Milliseconds since ``time.perf_counter()`` was ``began``."""
        return (time.perf_counter() - began) * 1e3
