"""One refit at a time: whose turn it is, how far it is, and whether it still lives."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from warmstart.errors import StoreUnavailable, WarmstartError
from warmstart.learn.lock import lives
from warmstart.store.store import Store

NAME = "refit"  # of the lock, and of the document that tells how far it is
SECONDS, BEAT = 60.0, 2.0  # the lock ends by itself after so long; it is prolonged so often
RUNNING, INTERRUPTED, IDLE = "running", "interrupted", "idle"


class Running(WarmstartError):
    """Another refit is at work."""


class Lost(WarmstartError):
    """Another process took the turn, as this one was not heard for too long."""


def place() -> str:
    """Where a process number means something: this machine, and on Linux this container."""
    space = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()} {os.readlink(space) if space.is_symlink() else ''}".strip()


def is_dead(document: Mapping[str, Any]) -> bool:
    """Whether the process of a document is known to be no more, or was not heard for longer than its lock lasts."""
    if document.get("place") == place() and os.name != "nt" and not lives(str(document.get("pid"))):
        return True
    return abs(time.time() - float(document.get("heard_at", 0))) > SECONDS


def progress_of(store: Store) -> dict[str, Any]:
    """How far the refit is, or how the last one ended; a dead one is ``interrupted``."""
    document = store.state(NAME)
    if not document:
        return {"status": IDLE}
    if document["status"] == RUNNING and is_dead(document):
        return document | {"status": INTERRUPTED, "reason": "its process ended before it was done; start it again"}
    return document


def take(store: Store, why: str) -> str:
    """Take the turn, also from a process that is known to be dead; returns the name of the holder.

    Raises
    ------
    Running
        If another refit is at work.
    """
    holder = uuid4().hex
    if not store.lock(NAME, holder, SECONDS):
        before = store.state(NAME)
        dead = before.get("status") == RUNNING and is_dead(before) and store.unlock(NAME, str(before["holder"]))
        if not (dead and store.lock(NAME, holder, SECONDS)):
            raise Running(f"a refit is at work ({before.get('stage') or 'it begins'}); wait until it has ended")
    now = time.time()
    document = {"status": RUNNING, "why": why, "holder": holder, "stage": "starting", "done": 0, "total": 0}
    store.set_state(NAME, document | {"started_at": int(now), "heard_at": now, "pid": os.getpid(), "place": place()})
    return holder


def end(store: Store, holder: str, status: str, told: Mapping[str, Any]) -> bool:
    """Say how it ended, and let others have the turn; False if it is another's by now."""
    document = store.state(NAME)
    if document.get("holder") != holder or document["status"] != RUNNING:
        return False
    store.set_state(NAME, document | {"status": status, "finished_at": int(time.time())} | dict(told))
    store.unlock(NAME, holder)
    return True


class Turn:
    """The turn while it lasts: prolonged by a thread, which also tells how far the work is.

    Parameters
    ----------
    store
        Knows whose turn it is.
    holder
        As ``take`` named it.
    """

    def __init__(self, store: Store, holder: str) -> None:
        self.store, self.holder = store, holder
        self._at: dict[str, Any] = {"stage": "starting", "done": 0, "total": 0}
        self._lost, self._over, self._news = threading.Event(), threading.Event(), threading.Event()
        self._beats = threading.Thread(target=self._beat, name="turn", daemon=True)

    def __enter__(self) -> Self:
        self._prolong()
        self.check()
        self._beats.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._news.set()
        self._beats.join()
        with suppress(StoreUnavailable):
            self._prolong()  # the last stage, for who asks why it ended there

    def wait_for_store(self) -> None:
        """Wait until the database answers, as long as the turn would last without a word; hours of work hang on it."""
        for _ in range(int(SECONDS / BEAT)):
            with suppress(StoreUnavailable):
                return self.store.ping()
            time.sleep(BEAT)
        return self.store.ping()

    def tell(self, stage: str, done: int, total: int) -> None:
        """Say how far the work is.

        Raises
        ------
        Lost
            If the turn is another's by now.
        """
        if stage != self._at["stage"]:
            self._news.set()
        self._at = {"stage": stage, "done": done, "total": total}
        self.check()

    def check(self) -> None:
        """Raise ``Lost`` if the turn is another's by now."""
        if self._lost.is_set():
            raise Lost("another refit took the turn, as this one was not heard for a minute; look at that one")

    def _beat(self) -> None:
        while not self._over.is_set():
            self._news.wait(BEAT)
            self._news.clear()
            with suppress(StoreUnavailable):  # the lock lasts longer than a database that is started again
                self._prolong()

    def _prolong(self) -> None:
        if not self.store.lock(NAME, self.holder, SECONDS):
            self._lost.set()
            return
        document = self.store.state(NAME)
        if document.get("holder") == self.holder:
            now = {"heard_at": time.time(), "pid": os.getpid(), "place": place()}
            self.store.set_state(NAME, document | self._at | now)
