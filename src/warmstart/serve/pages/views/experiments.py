"""Experiments: those that run and ran, and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warmstart.serve.api_experiments import found_experiment
from warmstart.serve.experiments import RUNNING, Variant
from warmstart.serve.service import Service
from warmstart.serve.verdicts import Result, result_of
from warmstart.store.rows import Experiment


@dataclass(frozen=True)
class Told:
    """An experiment with its variants and what it shows now."""

    row: Experiment
    variants: Sequence[Variant]
    result: Result

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self.row.status == RUNNING

    @property
    def top(self) -> float:
        """The highest end of an interval, for the scale of bars."""
        return max((arm.rate.high for arm in self.result.arms), default=1.0) or 1.0


@dataclass(frozen=True)
class ExperimentsView:
    """What the page of all shows; newest first, running ones before."""

    rows: Sequence[Told]
    models: Sequence[str]


def experiments_view(service: Service) -> ExperimentsView:
    """All experiments."""
    rows = sorted(service.store.experiments(), key=lambda e: (e.status != RUNNING, -e.created_at))
    models = [m.version for m in service.store.models() if m.status != "refused"]
    return ExperimentsView([told(service, row) for row in rows], models)


def experiment_view(service: Service, name: str) -> Told:
    """One experiment.

    Raises
    ------
    Problem
        404 if there is none of that name.
    """
    return told(service, found_experiment(service, name))


def told(service: Service, row: Experiment) -> Told:
    """An experiment with what it shows."""
    return Told(row, [Variant.of(v) for v in row.variants], result_of(service.store, row))
