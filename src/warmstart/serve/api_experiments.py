"""Routes of experiments: begin one, see what it shows, stop it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, StringConstraints

from warmstart.evaluate.interleaving import Preference
from warmstart.evaluate.sample_ratio import SampleRatio
from warmstart.serve.api_data import READ, Key, Serving
from warmstart.serve.experiments import RUNNING, STOPPED, Variant, begun
from warmstart.serve.forms import DifferenceOut, IntervalOut
from warmstart.serve.problems import Problem, problem_responses
from warmstart.serve.schemas import Asked
from warmstart.serve.security import require
from warmstart.serve.times import iso
from warmstart.serve.verdicts import Arm, Result, result_of
from warmstart.store.rows import Experiment

router = APIRouter(prefix="/v1/experiments", responses=problem_responses(404, 409))
ADMIN = [Depends(require("admin"))]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class VariantIn(Asked):
    """One way to answer; what is null stays as the service and the request say."""

    name: Name
    share: float = Field(gt=0, le=1, description="Of all people.")
    model: str | None = Field(None, max_length=256, description="Version that ranks; GET /v1/models lists them.")
    calibrate: Share | None = Field(None, description="How far lists keep the proportions of the interests.")
    diversity: Share | None = Field(None, description="How much items of a list must differ.")
    explore: Share | None = Field(None, description="Share of the places that try new items.")


class ExperimentIn(Asked):
    """An experiment to begin; the first variant is what the others are compared with."""

    name: Name
    variants: list[VariantIn] = Field(
        min_length=2,
        max_length=10,
        examples=[[{"name": "as_it_is", "share": 0.5}, {"name": "mixed", "share": 0.5, "diversity": 0.3}]],
    )
    kind: Literal["ab", "interleave"] = Field(
        "ab", description="ab: each person sees one variant. interleave: each list mixes two; needs fewer people."
    )
    scenario: Annotated[str, StringConstraints(max_length=64)] = Field("", description="Where it runs; empty = all.")
    metric: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        "click", description="Kind of event that counts, e.g. click or buy."
    )


class VariantOut(BaseModel):
    """A variant and its settings."""

    name: str
    share: float
    settings: dict[str, str | float] = Field(description="What it changes.")


class ExperimentOut(BaseModel):
    """An experiment."""

    name: str
    kind: str
    status: str
    scenario: str
    metric: str
    variants: list[VariantOut]
    created_at: str
    stopped_at: str | None

    @classmethod
    def of(cls, row: Experiment) -> ExperimentOut:
        """From a row."""
        variants = [Variant.of(v) for v in row.variants]
        return cls(
            name=row.name,
            kind=row.kind,
            status=row.status,
            scenario=row.scenario,
            metric=row.metric,
            variants=[VariantOut(name=v.name, share=v.share, settings=v.settings) for v in variants],
            created_at=iso(row.created_at),
            stopped_at=iso(row.stopped_at) if row.stopped_at else None,
        )


class ExperimentsOut(BaseModel):
    """All experiments, oldest first."""

    experiments: list[ExperimentOut]


class ArmOut(BaseModel):
    """A variant's result."""

    name: str
    people: int = Field(description="Who got an answer of it, each counted once.")
    rate: IntervalOut = Field(description="Of shown places, how many were taken.")
    against_first: DifferenceOut | None = Field(description="Its rate less that of the first; null of the first.")

    @classmethod
    def of(cls, arm: Arm) -> ArmOut:
        """From a result."""
        gap = None if arm.against_first is None else DifferenceOut.of(arm.against_first)
        return cls(name=arm.name, people=arm.people, rate=IntervalOut.of(arm.rate), against_first=gap)


class RatioOut(BaseModel):
    """Whether people were shared out as they should be."""

    observed: list[int]
    expected: list[float]
    p: float = Field(description="Always valid: it may be looked at at any time.")
    chi_square_p: float = Field(description="Of Pearson's test; valid at one look.")
    mismatch: bool

    @classmethod
    def of(cls, ratio: SampleRatio) -> RatioOut:
        """From a check."""
        return cls(
            observed=list(ratio.observed),
            expected=list(ratio.expected),
            p=ratio.p,
            chi_square_p=ratio.chi_square_p,
            mismatch=ratio.mismatch,
        )


class PreferenceOut(BaseModel):
    """Of mixed lists: whose places people take more."""

    wins_first: int
    wins_second: int
    ties: int
    margin: IntervalOut = Field(description="From -1, all prefer the second, to 1, all prefer the first; without ties.")
    p: float

    @classmethod
    def of(cls, found: Preference) -> PreferenceOut:
        """From a test."""
        margin = IntervalOut.of(found.margin)
        return cls(wins_first=found.wins_a, wins_second=found.wins_b, ties=found.ties, margin=margin, p=found.p)


class ExperimentResult(ExperimentOut):
    """An experiment and what it shows now. Intervals hold at every look: stop whenever it pleases."""

    verdict: str = Field(description="In words.")
    results: list[ArmOut] = Field(description="Empty where lists are mixed.")
    sample_ratio: RatioOut | None = Field(description="null where lists are mixed.")
    crossed: int = Field(description="People who saw more than one variant.")
    preference: PreferenceOut | None = Field(description="null in an A/B test.")
    counted: str = Field(description="What counts as shown.")

    @classmethod
    def told(cls, row: Experiment, result: Result) -> ExperimentResult:
        """From a row and its result."""
        ratio, found = result.ratio, result.preference
        return cls(
            **ExperimentOut.of(row).model_dump(),
            verdict=result.verdict,
            results=[ArmOut.of(arm) for arm in result.arms],
            sample_ratio=None if ratio is None else RatioOut.of(ratio),
            crossed=result.crossed,
            preference=None if found is None else PreferenceOut.of(found),
            counted=result.counted,
        )


@router.get("", dependencies=READ, summary="Experiments")
def get_experiments(service: Serving) -> ExperimentsOut:
    """Running and stopped."""
    return ExperimentsOut(experiments=[ExperimentOut.of(row) for row in service.store.experiments()])


@router.post("", dependencies=ADMIN, summary="Begin an experiment", status_code=201)
def post_experiment(body: ExperimentIn, service: Serving) -> ExperimentOut:
    """Who sees which variant depends on the name of the experiment and the user alone; a name is used once."""
    known = service.store.experiments()
    if any(row.name == body.name for row in known):
        raise Problem(409, "The name is taken", repr(body.name), "body.name", "begin it under a new name")
    models = {model.version: model.status for model in service.store.models()}
    for at, variant in enumerate(body.variants):
        if variant.model is not None and models.get(variant.model) in (None, "refused"):
            field, remedy = f"body.variants[{at}].model", "GET /v1/models lists those that can serve"
            raise Problem(422, "The model cannot serve", repr(variant.model), field, remedy)
    rows = [variant.model_dump(exclude_none=True) for variant in body.variants]
    row = Experiment(body.name, rows, body.kind, body.scenario, body.metric, created_at=int(time.time()))
    service.store.put_experiment(begun(row, known))
    return ExperimentOut.of(row)


@router.get("/{name}", dependencies=READ, summary="An experiment and what it shows")
def get_experiment(name: Key, service: Serving) -> ExperimentResult:
    """May be asked at any time; the intervals and p values allow for it."""
    row = found_experiment(service, name)
    return ExperimentResult.told(row, result_of(service.store, row))


@router.post("/{name}:stop", dependencies=ADMIN, summary="Stop an experiment")
def stop_experiment(name: Key, service: Serving) -> ExperimentResult:
    """Everybody is answered as the service says from now on; one that is stopped stays so."""
    row = found_experiment(service, name)
    if row.status == RUNNING:
        row = replace(row, status=STOPPED, stopped_at=max(int(time.time()), row.created_at))
        service.store.put_experiment(row)
    return ExperimentResult.told(row, result_of(service.store, row))


def found_experiment(service: Serving, name: str) -> Experiment:
    """An experiment, or a 404."""
    for row in service.store.experiments():
        if row.name == name:
            return row
    raise Problem(404, "Experiment not found", f"{name!r} is not known", remedy="GET /v1/experiments lists them")
