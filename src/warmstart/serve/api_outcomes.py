"""Routes of outcomes: what came of answers, what exploration costs, what another model would have earned."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from warmstart.evaluate.counterfactual import Estimate
from warmstart.serve.api_data import READ, Serving
from warmstart.serve.api_models import ADMIN
from warmstart.serve.counterfactual import Counterfactual, asked_again, counterfactual, without_exploration
from warmstart.serve.forms import DifferenceOut, IntervalOut, finite
from warmstart.serve.outcomes import ExplorationCost, Group, days_before, exploration_cost, outcome_table
from warmstart.serve.problems import Problem, problem_responses
from warmstart.serve.times import iso, seconds
from warmstart.store.outcomes import MEANS, RATES
from warmstart.store.shown import FOREVER, Within

router = APIRouter(prefix="/v1/outcomes", responses=problem_responses(404))
By = Literal["model", "scenario", "slice", "experiment", "variant", "day", "fallback", "explored", "position"]
Word = Annotated[str, Query(max_length=256)]
Kind = Annotated[str, Query(min_length=1, max_length=64, description="Kind of event that counts.", examples=["click"])]
DAYS = 30.0
ASKING = threading.Lock()  # held by the process while it asks a model again
RETRY = {"Retry-After": "10"}  # seconds, about what asking some hundred answers again takes


class GroupOut(BaseModel):
    """Outcomes of a group."""

    key: dict[str, str | int] = Field(examples=[{"model": "3f2a9c01b7de", "slice": "cold"}])
    answers: int | None = Field(description="null where groups are parts of answers.")
    shown: int = Field(description="Places.")
    people: int = Field(description="Who saw them; an answer to nobody known is a person by itself.")
    rates: dict[str, IntervalOut] = Field(description="By kind of event: shown places that have one.")
    means: dict[str, IntervalOut] = Field(description="By kind of event: mean value; dwell in seconds.")
    remarks: list[str] = Field(description="What makes it doubtful.")

    @classmethod
    def of(cls, group: Group) -> GroupOut:
        """From a group."""
        return cls(
            key=dict(group.key),
            answers=group.answers,
            shown=group.places,
            people=group.people,
            rates={kind: IntervalOut.of(rate) for kind, rate in group.rates.items()},
            means={kind: IntervalOut.of(mean) for kind, mean in group.means.items()},
            remarks=list(group.remarks),
        )


class OutcomesOut(BaseModel):
    """Outcomes of the answers of a time."""

    since: str
    until: str | None
    counted: str = Field(description="What counts as shown.")
    groups: list[GroupOut]


class ExplorationOut(BaseModel):
    """What trying new items costs."""

    tried: IntervalOut = Field(description="Rate of the places that tried something.")
    otherwise: IntervalOut = Field(description="Rate of the places that could have, and did not.")
    difference: DifferenceOut
    places: int = Field(description="How many tried.")
    lost: float = Field(description="Outcomes given away for what was learned; below 0 = gained.")
    counted: str = Field(description="What counts as shown.")

    @classmethod
    def of(cls, cost: ExplorationCost) -> ExplorationOut:
        """From a cost."""
        return cls(
            tried=IntervalOut.of(cost.tried),
            otherwise=IntervalOut.of(cost.otherwise),
            difference=DifferenceOut.of(cost.difference),
            places=cost.places,
            lost=cost.lost,
            counted=cost.counted,
        )


class EstimateOut(BaseModel):
    """An estimate of what a model would have earned per place."""

    rate: IntervalOut
    effective_places: float = Field(description="How many places shown by the model itself these are worth.")
    told_of: float | None = Field(description="Share of what it would show that the logs tell of; 1 = all of it.")
    clipped: float = Field(description="Share of the weights that were cut.")
    warnings: list[str] = Field(description="What to know before trusting it.")

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateOut:
        """From an estimate."""
        return cls(
            rate=IntervalOut.of(estimate.value),
            effective_places=estimate.effective,
            told_of=finite(estimate.mean_weight),
            clipped=estimate.clipped,
            warnings=list(estimate.warnings),
        )


class CounterfactualOut(BaseModel):
    """What was earned, and what a model would have earned in its place."""

    target: str | None = Field(description="The model in question; null = as served, without exploration.")
    shown: IntervalOut = Field(description="What the shown places earned.")
    ips: EstimateOut = Field(description="By inverse propensities.")
    snips: EstimateOut = Field(description="The same, self-normalised: steadier.")
    doubly_robust: EstimateOut = Field(description="With a model of what each item earns at each position.")
    answers: int = Field(description="Answers that were asked again.")
    left_out: int = Field(description="Answers that could not be.")

    @classmethod
    def of(cls, target: str | None, found: Counterfactual) -> CounterfactualOut:
        """From estimates."""
        return cls(
            target=target,
            shown=IntervalOut.of(found.shown),
            ips=EstimateOut.of(found.ips),
            snips=EstimateOut.of(found.snips),
            doubly_robust=EstimateOut.of(found.doubly_robust),
            answers=found.answers,
            left_out=found.left_out,
        )


def within_of(
    since: Annotated[str | None, Query(max_length=64, description="Time; 30 days ago where not given.")] = None,
    until: Annotated[str | None, Query(max_length=64, description="Time; now where not given.")] = None,
    model: Word | None = None,
    scenario: Word | None = None,
    slice: Annotated[Literal["cold", "few_shot", "warm"] | None, Query()] = None,
    experiment: Word | None = None,
) -> Within:
    """Which answers are meant, from a query."""
    first = days_before(DAYS) if since is None else seconds(number(since), "since")
    last = FOREVER if until is None else seconds(number(until), "until")
    return Within(first, last, model, scenario, slice, experiment)


def number(text: str) -> str | float:
    """A number where the text is one."""
    try:
        return float(text)
    except ValueError:
        return text


Meant = Annotated[Within, Depends(within_of)]
Target = Annotated[
    str | None, Query(max_length=256, description="The model in question; else: as served, without exploration.")
]


@router.get("", dependencies=READ, summary="What came of answers")
def get_outcomes(
    service: Serving,
    within: Meant,
    by: Annotated[list[By], Query(description="Groups; several = their combinations.", max_length=4)] = [],  # noqa: B006
    rates: Annotated[list[str], Query(description="Kinds of event that happen or do not.", max_length=8)] = [*RATES],  # noqa: B006
    means: Annotated[list[str], Query(description="Kinds of event with a value.", max_length=8)] = [*MEANS],  # noqa: B006
) -> OutcomesOut:
    """Clicks, conversions, dwell, ratings and satisfaction, joined to answers by recommendation_id alone.

    A place counts once, however many events there are; an event for an item that the answer did not hold counts for
    nothing. Intervals are over people, who bring many places each, and hold at every look.
    """
    table = outcome_table(service.store, tuple(dict.fromkeys(by)), within, tuple(rates), tuple(means))
    return OutcomesOut(
        since=iso(within.since),
        until=None if within.until == FOREVER else iso(within.until),
        counted=table.counted,
        groups=[GroupOut.of(group) for group in table.groups],
    )


@router.get("/exploration", dependencies=READ, summary="What trying new items costs")
def get_exploration(service: Serving, within: Meant, kind: Kind = "click") -> ExplorationOut:
    """Places that tried something against places that could have, and did not."""
    return ExplorationOut.of(exploration_cost(service.store, within, kind))


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else in this process asks a model again meanwhile; who comes second is told to come later."""
    if not ASKING.acquire(blocking=False):
        detail = "answers are being asked again for somebody else"
        raise Problem(503, "Busy", detail, remedy="try again later", code="busy", headers=RETRY)
    try:
        yield
    finally:
        ASKING.release()


@router.get("/counterfactual", dependencies=ADMIN, summary="What another model would have earned")
def get_counterfactual(
    service: Serving,
    within: Meant,
    target: Target = None,
    kind: Kind = "click",
    answers: Annotated[int, Query(ge=1, le=5000, description="Newest answers that are asked again, at most.")] = 500,
    clip: Annotated[float | None, Query(ge=1, le=1e6, description="Largest weight; null = none is cut.")] = None,
) -> CounterfactualOut:
    """From the chances that were logged; a model must be asked again for each answer, which takes milliseconds each.

    It may load that model beside those that serve, and is work for one at a time: hence admin, and 503 with Retry-After
    while another is at it.
    """
    if target is not None and service.store.model(target) is None:
        raise Problem(404, "Model not found", repr(target), "query.target", "GET /v1/models lists the known ones")
    with alone():
        lists = without_exploration if target is None else asked_again(service, target)
        return CounterfactualOut.of(target, counterfactual(service, within, lists, kind, answers, clip))
