"""Which models serve: loaded beside each other, swapped without a pause, rolled back with one call."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from warmstart.artefact import MANIFEST
from warmstart.engine import Engine
from warmstart.errors import ArtefactError, DataError, StoreUnavailable
from warmstart.serve.experiments import RUNNING
from warmstart.serve.live import Live
from warmstart.store.models import REFUSED, REMOVED, RETIRED, SERVING
from warmstart.store.rows import Model
from warmstart.store.store import Store

LOG = structlog.get_logger("warmstart.serve")
KEPT = 3  # models in memory beside the serving one; more where experiments that run name more
PAUSE, AGAIN = 30.0, 1.0  # seconds until a model that did not load in the background is tried again; until a new look
MISSING = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def version_of(folder: Path) -> str:
    """The version of a saved engine: the first 12 hex digits of its manifest's SHA-256, which covers every file.

    Raises
    ------
    ArtefactError
        If the folder holds no engine.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise ArtefactError(f"{folder} is not a saved engine (no {MANIFEST}); make one with warmstart fit")
    return hashlib.sha256(manifest.read_bytes()).hexdigest()[:12]


def check_version(row: Model) -> None:
    """Refuse a folder that holds another engine than the one it is known for.

    Raises
    ------
    ArtefactError
        If it does.
    """
    if version_of(Path(row.folder)) != row.version:
        raise ArtefactError(f"{row.folder} holds another engine than when it was registered; register it anew")


class Models:
    """The models of a store, as far as they are in memory.

    Parameters
    ----------
    store
        Knows all versions, and which of them serves.
    weights
        Weight by kind of event.
    """

    def __init__(self, store: Store, weights: dict[str, float]) -> None:
        self.store, self.weights = store, weights
        self._lives: dict[str, Live] = {}
        self._serving: Live | None = None
        self._number = -1
        self._before = ""  # the version that this process served before; nobody waits when it is rolled back to
        self._lock, self._switching = threading.Lock(), threading.Lock()
        self._doors: dict[str, threading.Lock] = {}  # by version: one loads it, others wait
        self._later_than: dict[str, float] = {}  # by version: when it may be loaded in the background

    @property
    def serving(self) -> Live:
        """The model that answers."""
        if self._serving is None:
            raise ArtefactError("no model is loaded yet; the service is starting")
        return self._serving

    def begin(self, folder: Path, until: int | None = None) -> Live:
        """Serve the store's model, or that of a folder it does not know yet; at the start.

        A folder that is new to the store begins to serve; one it knows does not undo a later promotion. A serving model
        whose folder is damaged gives way to the folder; so does one that cannot be read now, until the next request.
        """
        version = version_of(folder)
        if self.store.model(version) is None:
            engine = Engine.load(folder)  # a damaged one is to be known before anything changes
            last = self.store.last_seq() if until is None else until
            with suppress(DataError):  # another worker put it there a moment ago, and it serves
                self.store.put_model(Model(version, str(folder.resolve()), until=last))
            self.store.promote(version)
            self.store.seed_items(engine.fitted.catalog)
        self._number = self.store.versions()["models"]
        chosen = self.store.serving()
        assert chosen is not None
        try:
            self._serving = self.loaded(chosen.version)
        except (ArtefactError, StoreUnavailable) as error:
            if chosen.version == version:
                raise
            if isinstance(error, StoreUnavailable):
                self._number = -1
            LOG.warning("model refused", model=chosen.version, why=str(error), instead=version)
            self._serving = self.loaded(version)
        return self._serving

    def loaded(self, version: str) -> Live:
        """A model in memory, loaded where it is not; the caller waits.

        Raises
        ------
        DataError
            If the store does not know the version.
        ArtefactError
            If its folder is gone, changed or of another format: it is then marked as refused; or if it was before.
        StoreUnavailable
            If the store or the folder cannot be read now, or memory does not suffice; nothing is marked then.
        """
        if (live := self._in_memory(version)) is not None:
            return live
        self._usable(version)  # no lock is kept for what is unknown
        with self._lock:
            door = self._doors.setdefault(version, threading.Lock())
        with door:
            if (live := self._in_memory(version)) is None:
                live = self._opened(self._usable(version))
                self._keep(live)
        return live

    def _in_memory(self, version: str) -> Live | None:
        with self._lock:
            return self._lives.get(version)

    def _usable(self, version: str) -> Model:
        row = self.store.model(version)
        if row is None:
            raise DataError(f"model {version!r} is unknown; GET /v1/models lists those that are known")
        if row.status in (REFUSED, REMOVED):
            why = row.report.get("refused") or "its folder was deleted, as newer ones have come"
            raise ArtefactError(f"model {version!r} is {row.status}: {why}; promote another, or register it anew")
        return row

    def _opened(self, row: Model) -> Live:
        try:
            check_version(row)
            live = Live(row.version, Engine.load(row.folder), row.until, self.weights)
            live.warm()
        except Exception as error:  # whatever a damaged folder may raise must not end the service
            if isinstance(error, OSError | MemoryError) and not isinstance(error, MISSING):  # of the machine, not of it
                raise StoreUnavailable(f"{row.folder} cannot be read now: {error!r}; try again") from error
            why = error if isinstance(error, ArtefactError) else ArtefactError(f"{row.folder} cannot be read: {error}")
            self._refuse(row, str(why))
            raise why from error
        live.take_up(self.store, self.store.versions()["items"])
        live.follow(self.store)
        return live

    def _refuse(self, row: Model, why: str) -> None:
        """Keep the reason in the table of models, once: each change of it makes every process look."""
        LOG.error("model refused", model=row.version, why=why)
        if row.report.get("refused") == why:
            return
        status = row.status if row.status == SERVING else REFUSED
        with suppress(DataError):  # it began or ceased to serve a moment ago
            self.store.put_model(replace(row, status=status, report={**row.report, "refused": why}))

    def _keep(self, live: Live) -> None:
        """Keep a model in memory, and drop the oldest of those that nobody needs."""
        needed = {live.version, self._before, *self._tried()}
        with self._lock:
            self._lives[live.version] = live
            others = [v for v, one in self._lives.items() if one is not self._serving]
            spare = [v for v in others if v not in needed]
            for version in spare[: max(len(others) - KEPT, 0)]:
                del self._lives[version]

    def _tried(self) -> set[str]:
        """Versions that experiments name while they run; all that are in memory where the store does not say."""
        try:
            running = [one for one in self.store.experiments() if one.status == RUNNING]
        except StoreUnavailable:
            return set(self._lives)
        return {str(variant.get("model")) for one in running for variant in one.variants}

    def current(self, number: int) -> Live:
        """The model that answers; with a newer ``versions()["models"]`` the change is looked at in the background."""
        if number != self._number:
            self._number = number
            threading.Thread(target=self._look, name="switch-model", daemon=True).start()
        return self.serving

    def _look(self) -> None:
        try:
            self.switch()
        except StoreUnavailable as error:
            LOG.warning("the serving model is not known, or cannot be read now", why=str(error))
            time.sleep(AGAIN)
            self._number = -1  # look again with the next request

    def switch(self) -> None:
        """Serve what the store says; while it loads, and if it cannot be loaded, the present model goes on.

        One thread switches, others wait: the last look counts, however long the model before took to load.
        """
        with self._switching:
            chosen = self.store.serving()
            if chosen is None or (self._serving is not None and chosen.version == self._serving.version):
                return
            try:
                live = self.loaded(chosen.version)
            except (ArtefactError, DataError):
                return  # logged where it was refused
            if self._serving is not None:
                self._before = self._serving.version
            self._serving = live
            LOG.info("model serves", model=chosen.version)

    def promote(self, version: str) -> Live:
        """Load a model, then let it serve everywhere.

        Raises
        ------
        DataError, ArtefactError
            As ``loaded``; nothing changes then.
        """
        live = self.loaded(version)
        self.store.promote(version)
        LOG.info("model promoted", model=version)
        self.switch()
        return live

    def roll_back(self) -> Live:
        """Let the model that served before serve again.

        Raises
        ------
        DataError
            If none served before.
        """
        served = [m for m in self.store.models() if m.status == RETIRED and m.promoted_at]
        if not served:
            raise DataError("no model served before this one; there is nothing to roll back to")
        return self.promote(max(served, key=lambda m: m.promoted_at).version)

    def if_loaded(self, version: str) -> Live | None:
        """A model if it is in memory; else it is loaded in the background, for later requests.

        One that could not be loaded is left alone for half a minute.
        """
        with self._lock:
            live = self._lives.get(version)
            if live is None and time.monotonic() >= self._later_than.get(version, 0.0):
                self._later_than[version] = math.inf
                threading.Thread(target=self._later, args=(version,), name="load-model", daemon=True).start()
        return live

    def _later(self, version: str) -> None:
        try:
            self.loaded(version)
        except (ArtefactError, DataError, StoreUnavailable) as error:
            LOG.warning("model not loaded", model=version, why=str(error))
        finally:
            self._later_than[version] = time.monotonic() + PAUSE

    def follow(self) -> int:
        """Let popularity of every model follow the newest events; returns how many counted for the serving one."""
        counted = {version: live.follow(self.store) for version, live in list(self._lives.items())}
        return counted.get(self.serving.version, 0)
