"""A refit: the serving engine's recipe fitted on newer events, judged beside it, promoted if no slice falls."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import NO_TIME
from warmstart.engine import Engine
from warmstart.errors import DataError, StoreUnavailable, WarmstartError
from warmstart.experts.panel import Progress
from warmstart.serve.holdout import ORIGIN, REFIT, Cut, cut_of, held_out, known_until, split_of
from warmstart.serve.judge import Judgement, judge
from warmstart.serve.judge_page import page
from warmstart.serve.live import Live
from warmstart.serve.models import Models, check_version, version_of
from warmstart.serve.settings import Settings
from warmstart.serve.tidy import FITTING, drop, tidy
from warmstart.serve.turn import Turn, end, take
from warmstart.store.models import REMOVED
from warmstart.store.rows import Model
from warmstart.store.store import Store

LOG = structlog.get_logger("warmstart.serve")
PROMOTED, REFUSED, KEPT, UNCHANGED, FAILED = "promoted", "refused", "kept", "unchanged", "failed"
FLATTERED = (
    "the serving model may have learned from the events it was judged by, too few have come since; so the new one is "
    "kept as a candidate: refit when more have come, or promote it by hand"
)
SAME = "the new engine is, byte for byte, the one that serves: nothing it learns from has changed"
ERASED = "somebody was erased while it was fitted, and it may have learned from them; refit again"
OVERTAKEN = "another model began to serve meanwhile; the new one is kept as a candidate, promote it by hand or refit"


@dataclass(frozen=True)
class Outcome:
    """How a refit ended.

    Parameters
    ----------
    status
        ``promoted``, ``refused`` (a slice fell), ``kept`` (a candidate, for somebody to decide), ``unchanged`` (it
        would be the same), or ``failed``.
    reason
        Why.
    version
        Of the new model; empty if there is none.
    report
        The comparison, as the table of models keeps it.
    """

    status: str
    reason: str
    version: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """What the document of the refit keeps."""
        return {"model_version": self.version or None, "reason": self.reason}


@dataclass(frozen=True)
class Known:
    """The store at the moment the refit begins."""

    serving: Model
    cut: Cut
    items: int
    erased: int

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Known:
        """Of now; a store in which no model ever served begins with the engine of the settings."""
        if store.serving() is None:
            Models(store, dict(settings.event_weights)).begin(settings.engine)
        serving, versions, last = store.serving(), store.versions(), store.last_seq()
        assert serving is not None
        cut = cut_of(store, settings.event_weights, settings.refit_holdout, serving, last)
        return cls(serving, cut, versions["items"], versions["erased"])


def refit(settings: Settings, store: Store, why: str, progress: Progress | None = None) -> Outcome:
    """Refit in this process, if it is nobody else's turn.

    Raises
    ------
    Running
        If another refit is at work.
    """
    return refit_in_turn(settings, store, take(store, why), progress)


def refit_in_turn(settings: Settings, store: Store, holder: str, progress: Progress | None = None) -> Outcome:
    """Refit in this process, whose turn it is; whatever happens, the turn ends and the store says how.

    What an operator can put right is an outcome, ``failed``, not an error.
    """
    outcome = Outcome(FAILED, "it ended before it was done; the log says why")
    try:
        with Turn(store, holder) as turn:

            def tell(stage: str, done: int, total: int) -> None:
                turn.tell(stage, done, total)
                if progress:
                    progress(stage, done, total)

            outcome = Refit(settings, store, turn, tell).run()
    except WarmstartError as error:
        outcome = Outcome(FAILED, " ".join(str(error).split()))
    finally:
        _ended(store, holder, outcome)
    return outcome


def _ended(store: Store, holder: str, outcome: Outcome) -> None:
    LOG.info("refit ended", status=outcome.status, model=outcome.version, why=outcome.reason)
    try:
        end(store, holder, outcome.status, outcome.told())
    except StoreUnavailable as error:  # the lock ends by itself, and the document counts as interrupted
        LOG.warning("the end of the refit is not told", why=str(error))


class Refit:
    """One refit; ``run`` once.

    Parameters
    ----------
    settings
        Of the service.
    store
        Where the events are, and the models.
    turn
        Taken.
    tell
        Hears how far it is; raises when the turn is lost.
    """

    def __init__(self, settings: Settings, store: Store, turn: Turn, tell: Progress) -> None:
        self.settings, self.store, self.turn, self.tell = settings, store, turn, tell
        self.weights = dict(settings.event_weights)
        self.home = settings.models_folder
        self.fresh = self.home / f"{FITTING}{turn.holder}"

    def run(self) -> Outcome:
        """Fit, judge, and promote what passes."""
        self.home.mkdir(parents=True, exist_ok=True)
        tidy(self.store, self.home, self.settings.refit_keep)
        known = Known.of(self.settings, self.store)
        try:
            started = time.monotonic()
            serving = self._live(known, known.serving)
            train = self._train(known, serving)
            made = Model(self._fit(train, serving), str(self.fresh), until=known.cut.seq)
            if made.version == known.serving.version:
                return Outcome(UNCHANGED, SAME, made.version)
            fitted = time.monotonic()
            judgement, sizes = self._judge(known, train, serving, self._live(known, made))
            seconds = {"fit": round(fitted - started, 1), "judge": round(time.monotonic() - fitted, 1)}
            report = judgement.to_dict() | sizes | {"seconds": seconds, "against": known.serving.version}
            return self._published(known, made, judgement, report | {ORIGIN: REFIT, "fair": known.cut.fair})
        finally:
            shutil.rmtree(self.fresh, ignore_errors=True)

    def _live(self, known: Known, model: Model) -> Live:
        """A model as it answered at the cut: with all items of now, and popularity of the events before the cut."""
        check_version(model)
        live = Live(model.version, Engine.load(model.folder), model.until, self.weights)
        live.take_up(self.store, known.items)
        live.follow(self.store, known.cut.seq)
        return live

    def _train(self, known: Known, serving: Live) -> Dataset:
        self.tell("reading events", 0, 1)
        data = self.store.dataset(self.weights, until=known.cut.seq)
        return replace(data, graph=serving.engine.fitted.graph)  # a graph has no place in the store

    def _fit(self, train: Dataset, serving: Live) -> str:
        Engine(serving.engine.recipe).fit(train, progress=self.tell).save(self.fresh)
        return version_of(self.fresh)

    def _judge(self, known: Known, train: Dataset, serving: Live, candidate: Live) -> tuple[Judgement, dict[str, Any]]:
        self.turn.wait_for_store()
        since = known_until(serving.engine, known.serving) if known.cut.fair else NO_TIME
        events = [e for e in held_out(self.store, known.cut, serving.weight) if e.time > since]
        both = sorted({*_shown(serving)} & {*_shown(candidate)})
        split = split_of(train, events, both)
        limits = (self.settings.few_shot, self.settings.refit_margin)
        sizes = {"learned_events": len(train.interactions), "held_events": len(events), "queries": len(split)}
        return judge(candidate, serving, split, *limits, progress=self.tell), sizes | {"items": len(both)}

    def _published(self, known: Known, made: Model, judgement: Judgement, report: dict[str, Any]) -> Outcome:
        self.turn.wait_for_store()
        self.turn.check()
        (self.home / f"{made.version}.html").write_text(page(made.version, report), encoding="utf-8")
        before = self.store.model(made.version)  # the same engine, of a refit that learned the same before
        stays = before is not None and before.status not in (REFUSED, REMOVED)
        if not judgement.passed and known.cut.fair:
            report = report | {"refused": judgement.reason}
            if not stays:  # else it can still be promoted, and rolled back to
                self.store.put_model(replace(made, folder="", status=REFUSED, report=report))
            return Outcome(REFUSED, judgement.reason, made.version, report)
        folder = self.home / made.version
        shutil.rmtree(folder, ignore_errors=True)
        self.fresh.rename(folder)
        row = replace(made, folder=str(folder.resolve()), report=report)
        if before is not None and stays:
            row = replace(row, status=before.status, promoted_at=before.promoted_at)
        self.store.put_model(row)
        if self.store.versions()["erased"] != known.erased:  # from here on a receipt names the new model, too
            drop(self.store, replace(row, report=report | {"refused": ERASED}), REFUSED)
            raise DataError(ERASED)
        return self._served(known, row, judgement)

    def _served(self, known: Known, row: Model, judgement: Judgement) -> Outcome:
        now = self.store.serving()
        if not judgement.passed:
            return Outcome(KEPT, f"{judgement.reason}; but {FLATTERED}", row.version, row.report)
        if now is None or now.version != known.serving.version:
            return Outcome(KEPT, OVERTAKEN, row.version, row.report)
        self.turn.check()
        self.store.promote(row.version)
        tidy(self.store, self.home, self.settings.refit_keep)
        return Outcome(PROMOTED, judgement.reason, row.version, row.report)


def _shown(live: Live) -> list[str]:
    items = live.snapshot.fitted.catalog.items
    return [name for name, shown in zip(items.ids, live.snapshot.shown.tolist(), strict=True) if shown]
