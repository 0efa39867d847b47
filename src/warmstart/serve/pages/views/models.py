"""The models: which served, serves, may; and how each compared with the one that served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warmstart.serve.api_models import RefitOut, get_refit
from warmstart.serve.pages.figures import figure
from warmstart.serve.service import Service
from warmstart.serve.turn import RUNNING
from warmstart.store.rows import Model

TOLD = ("measure", "against", "learned_events", "held_events", "queries")
SECONDS = "seconds"


@dataclass(frozen=True)
class Compared:
    """A slice of the comparison: the candidate, the model that served, popularity; means with intervals."""

    name: str
    n: int
    values: Mapping[str, Mapping[str, float | None]]
    change: float | None
    fate: str


@dataclass(frozen=True)
class ModelRow:
    """A version; ``parts`` are empty where it was not compared."""

    model: Model
    is_loaded: bool
    verdict: str
    told: Sequence[tuple[str, Any]]
    parts: Sequence[Compared]

    @property
    def may_serve(self) -> bool:
        """Whether it can be promoted."""
        return self.model.status in ("candidate", "retired")


@dataclass(frozen=True)
class ModelsView:
    """What the page shows.

    Parameters
    ----------
    serving
        The version this process answers with.
    awaited
        The version that is to serve by the store, where this process has not loaded it yet; else empty.
    """

    serving: str
    experts: Sequence[str]
    items: int
    encoder: str
    rows: Sequence[ModelRow]
    can_roll_back: bool
    refit: RefitOut
    awaited: str

    @property
    def fits(self) -> bool:
        """Whether a refit is at work."""
        return self.refit.status == RUNNING

    @property
    def moves(self) -> bool:
        """Whether the page is soon out of date: a refit is at work, or the model that is to serve is being loaded."""
        return self.fits or bool(self.awaited)


def models_view(service: Service) -> ModelsView:
    """All versions, newest first."""
    live = service.moment().live  # looks whether another is to serve, and begins to load it
    chosen = service.store.serving()
    rows = sorted(service.store.models(), key=lambda m: (m.status != "serving", -m.created_at))
    return ModelsView(
        serving=live.version,
        experts=list(live.snapshot.fitted.panel.experts),
        items=len(live.snapshot.fitted.catalog),
        encoder=live.engine.recipe.encoder,
        rows=[row_of(model, model.version == live.version) for model in rows],
        can_roll_back=any(m.status == "retired" and m.promoted_at for m in rows),
        refit=get_refit(service),
        awaited="" if chosen is None or chosen.version == live.version else chosen.version,
    )


def row_of(model: Model, is_loaded: bool) -> ModelRow:
    """A version with its report, as far as there is one."""
    report = model.report
    verdict = str(report.get("refused") or report.get("comparison") or "")
    told = [(name, report[name]) for name in TOLD if report.get(name) is not None] + seconds_of(report.get(SECONDS))
    parts = [compared(part) for part in report.get("slices", [])]
    return ModelRow(model, is_loaded, verdict, told, parts)


def seconds_of(spent: object) -> list[tuple[str, Any]]:
    """How long each part of a refit took, named by what it is a part of.

    Examples
    --------
    >>> seconds_of({"fit": 12.3, "judge": 4.0}), seconds_of(None)
    ([('seconds_fit', '12.3 s'), ('seconds_judge', '4 s')], [])
    """
    if not isinstance(spent, Mapping):
        return []
    return [(f"{SECONDS}_{part}", f"{figure(float(value))} s") for part, value in spent.items()]


def compared(part: Mapping[str, Any]) -> Compared:
    """A slice of a report."""
    return Compared(part["name"], int(part["test"]["n"]), part["values"], part.get("change"), part.get("fate", "held"))
