"""Refits beside a running service: each a process of low priority, started when asked for or when it is time."""

from __future__ import annotations

import os
import subprocess  # nosec B404
import sys
import threading
import time
from typing import Any

import structlog

from warmstart.errors import StoreUnavailable
from warmstart.serve.settings import Settings
from warmstart.serve.settings_sources import exported
from warmstart.serve.turn import INTERRUPTED, Running, end, progress_of, take
from warmstart.store.states import SKEW
from warmstart.store.store import Store

LOG = structlog.get_logger("warmstart.serve")
CHILD = "warmstart.serve.refit_process"
LOG_FILE = "refit.log"
LOOK = 30.0  # seconds between looks whether it is time
END_SECONDS, AGAIN = 5.0, (0.0, 1.0, 5.0, 25.0)  # for a refit to end; between trials to tell the store of its end
HOUR = 3600.0


class Refits:
    """Starts refits, and ends the one at work when the service ends.

    A refit lives no longer than the process that started it: it reads a pipe that the system closes when that process
    ends, however it ends. All a refit leaves then is a folder that the next one removes, and a lock that the next one
    takes over.

    Parameters
    ----------
    settings
        Of the service; the refit reads the same.
    store
        Whose turn it is.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._watchers: list[threading.Thread] = []
        self._clock = threading.Thread(target=self._by_the_clock, name="refits", daemon=True)

    def begin(self) -> None:
        """Look from now on whether it is time."""
        if self.settings.refit_every_hours:
            self._clock.start()

    def close(self) -> None:
        """End the refit at work, if this process started it."""
        self._stop.set()
        child = self._child
        if child is not None and child.poll() is None:
            assert child.stdin is not None
            child.stdin.close()
            try:
                child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
        for thread in [*self._watchers, self._clock]:
            if thread.is_alive():
                thread.join(END_SECONDS)

    def progress(self) -> dict[str, Any]:
        """How far the refit is, or how the last one ended; see ``turn.progress_of``."""
        return progress_of(self.store)

    def start(self, why: str) -> dict[str, Any]:
        """Start a refit in a process of its own; returns how far it is, or that it failed to start.

        Raises
        ------
        Running
            If another refit is at work, of whichever process.
        """
        holder = take(self.store, why)
        try:
            child = self._started(holder)
        except OSError as error:
            end(self.store, holder, "failed", {"reason": f"its process could not be started: {error.strerror}"})
            return self.progress()
        self._child = child
        watcher = threading.Thread(target=self._watch, args=(child, holder), name="refit", daemon=True)
        self._watchers = [thread for thread in self._watchers if thread.is_alive()] + [watcher]
        watcher.start()
        return self.progress()

    def _started(self, holder: str) -> subprocess.Popen[bytes]:
        home = self.settings.models_folder
        home.mkdir(parents=True, exist_ok=True)
        log = home / LOG_FILE
        if log.is_file():
            log.replace(home / f"{LOG_FILE}.1")
        with log.open("wb") as out:
            return subprocess.Popen(  # nosec B603
                [sys.executable, "-m", CHILD, holder],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | exported(self.settings),
                start_new_session=True,  # a Ctrl-C is the service's; this process hears of its end by the pipe
            )

    def _watch(self, child: subprocess.Popen[bytes], holder: str) -> None:
        """When the process ends, make sure that the store knows; it does unless the process died."""
        with child:
            code = child.wait()
        reason = f"its process ended with code {code}; {LOG_FILE} in the folder of models says why"
        status, told = (INTERRUPTED, "the service ended") if self._stop.is_set() else ("failed", reason)
        for seconds in AGAIN:
            if self._stop.wait(seconds) and seconds:
                return
            try:
                if end(self.store, holder, status, {"reason": told}):
                    LOG.warning("refit ended early", why=told)
            except StoreUnavailable:
                continue
            return

    def is_due(self) -> bool:
        """Whether it is time: so many hours after the last refit began, or after the serving model was promoted.

        One that was interrupted is tried again after an hour. A beginning that lies in the future was told by a clock
        that has since gone back: it counts as long ago.
        """
        document, serving = self.progress(), self.store.serving()
        last = document.get("started_at") or (serving.promoted_at if serving else 0)
        most = 1.0 if document["status"] == INTERRUPTED else self.settings.refit_every_hours
        passed = time.time() - last
        return passed >= min(most, self.settings.refit_every_hours) * HOUR or passed < -SKEW

    def _by_the_clock(self) -> None:
        while not self._stop.wait(LOOK):
            try:
                if self.is_due():
                    self.start("on time")
            except Running:
                continue
            except StoreUnavailable as error:
                LOG.warning("no refit", why=str(error))
            except Exception:
                LOG.exception("no refit")
