"""Recommend, and what comes next: from the question to an answer that is told and logged."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from warmstart.errors import DataError, StoreUnavailable
from warmstart.serve.asker import Asker
from warmstart.serve.lines import Line, Wanted, told
from warmstart.serve.live import Filters, Snapshot
from warmstart.serve.plan import Place, Plan, plan_of
from warmstart.serve.schemas import (
    NextRequest,
    Placed,
    RankRequest,
    Recommendation,
    RecommendRequest,
    Slice,
    Value,
    understood,
)
from warmstart.serve.service import Service
from warmstart.serve.times import iso
from warmstart.store.rows import Answer, Shown

LOG = structlog.get_logger("warmstart.serve")
NOBODY = "nothing is known of the asker: what most people take, and what is new"
KEPT = {"events", "attributes", "text", "k", "filters", "exclude", "exclude_seen"}  # for the next page
KEPT |= {"without", "more", "interest", "diversity", "calibrate", "objective"}


def filters_of(given: Mapping[str, Value | list[Value]]) -> Filters:
    """Filters in a form that can be remembered.

    Examples
    --------
    >>> filters_of({"year": 1979, "genres": ["SF", "Horror"]})
    (('genres', ('Horror', 'SF')), ('year', ('1979',)))
    """
    several = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return tuple(sorted((name, tuple(sorted(str(v) for v in values))) for name, values in several.items()))


def wanted_of(ask: RecommendRequest) -> Wanted:
    """What a request wants of its list."""
    return Wanted(
        k=ask.k,
        filters=filters_of(ask.filters),
        exclude=frozenset(ask.exclude),
        without=tuple(ask.without),
        more=tuple(ask.more),
        interest=ask.interest,
        diversity=ask.diversity,
        calibrate=ask.calibrate,
        exclude_seen=ask.exclude_seen,
        objective=ask.objective,
    )


def recommend(service: Service, ask: RecommendRequest, skip: int = 0) -> Recommendation:
    """Answer, and keep what was shown.

    Parameters
    ----------
    skip
        Places at the top that are not shown: the answer is a later page.

    Raises
    ------
    DataError, ConfigError
        If a filter or an interest is unknown, or a time cannot be read.
    """
    began = time.perf_counter()
    moment = service.moment()
    asker, why = service.asker(ask, moment.fallback is None)
    name = secrets.token_hex(12)
    plan = plan_of(service, moment, asker, wanted_of(ask), ask.scenario, name)
    plan = replace(plan, places=plan.places[skip:]) if skip else plan
    kept = ask.model_dump(mode="json", include=KEPT, exclude_defaults=True)
    return given(service, name, asker, plan, ask, why, kept, began)


def next_page(service: Service, ask: NextRequest) -> Recommendation:
    """What comes after an answer: the same question without all that it, and those before it, showed.

    Raises
    ------
    DataError
        If the answer is unknown; answers are kept as long as the settings say.
    """
    before = service.store.answer(ask.recommendation_id)
    if before is None:
        service.writer.flush()  # it may be among those that are being written
        before = service.store.answer(ask.recommendation_id)
    if before is None:
        raise DataError(f"recommendation_id {ask.recommendation_id!r} is unknown or too old; ask /v1/recommend first")
    shown = [*before.request.get("exclude", []), *(s.item_id for s in before.items)]
    question = {**before.request, "exclude": shown[-10_000:], "k": ask.k, "user_id": before.user_id}
    return recommend(service, understood(RecommendRequest, dict(**question, scenario=before.scenario)))


def rank(service: Service, ask: RankRequest) -> Recommendation:
    """Put given items in order; logged like any answer."""
    began = time.perf_counter()
    moment = service.moment()
    asker, why = service.asker(ask, moment.fallback is None)
    wanted = Wanted(
        k=len(ask.items),
        filters=filters_of(ask.filters),
        exclude=frozenset(ask.exclude),
        without=tuple(ask.without),
        more=tuple(ask.more),
        exclude_seen=False,
        objective=ask.objective,
        candidates=tuple(dict.fromkeys(ask.items)),
    )
    name = secrets.token_hex(12)
    plan = plan_of(service, moment, asker, wanted, ask.scenario, name, free=False)
    answer = given(service, name, asker, plan, ask, why, {}, began)
    ranked = {item.item_id for item in answer.items}
    return answer.model_copy(update={"unknown": [i for i in dict.fromkeys(ask.items) if i not in ranked]})


def given(
    service: Service,
    name: str,
    asker: Asker,
    plan: Plan,
    ask: RecommendRequest | RankRequest,
    why: str | None,
    kept: Mapping[str, object],
    began: float,
) -> Recommendation:
    """The answer of a plan, logged."""
    lines = [place.line for place in plan.places]
    reasons = told(plan.live, plan.snapshot, asker, lines) if ask.explain else [()] * len(lines)
    items = plan.snapshot.fitted.catalog.items
    known = sum(event.item_id in items for event in asker.taste)
    part = asker.slice(known, service.settings.few_shot)
    answer = Answer(
        recommendation_id=name,
        user_id=asker.user_id,
        time=service.clock.now(),
        model=plan.live.version,
        scenario=ask.scenario,
        slice=part,
        fallback=why or plan.fallback or shortcoming(asker, known, plan),
        experiment=plan.experiment,
        variant=plan.variant,
        items=[shown(place) for place in plan.places],
        request=kept,
        milliseconds=service.elapsed(began),
    )
    log(service, answer)
    service.metrics.answer(answer.slice, answer.fallback, answer.model)
    return as_seen(answer, part, lines, reasons, plan.snapshot)


def shown(place: Place) -> Shown:
    """A place as it is kept."""
    line = place.line
    return Shown(line.item_id, line.score, line.source, place.propensity, place.explored, place.variant)


def shortcoming(asker: Asker, known: int, plan: Plan) -> str | None:
    """Why an answer is less than it could be; None = it is not."""
    if not plan.places:
        return "no item may be shown: filters, exclusions and what was seen leave none"
    if len(plan.places) < plan.wanted.k and plan.wanted.candidates is None:
        return "fewer items than asked for may be shown"
    if known or (asker.text and asker.vectors(plan.live.engine, plan.snapshot.fitted).any()):
        return None
    if asker.text:
        return f"no word of the text is known: {NOBODY}"
    if asker.taste:
        return f"no item of the history is in the catalogue: {NOBODY}"
    return None if asker.attributes else NOBODY


def log(service: Service, answer: Answer) -> None:
    """Keep an answer; one that cannot be kept is told in the log and counted, the asker has it all the same."""
    try:
        service.writer.answers([answer])
    except StoreUnavailable as error:
        service.metrics.unkept()
        LOG.warning("answer not kept", recommendation_id=answer.recommendation_id, why=str(error))


def as_seen(
    answer: Answer, part: Slice, lines: Sequence[Line], reasons: Sequence[Sequence[str]], snapshot: Snapshot
) -> Recommendation:
    """An answer as the client sees it."""
    titles = snapshot.fitted.catalog.titles
    places = [
        Placed(
            item_id=shown.item_id,
            title=titles[line.code],
            score=shown.score,
            rank=at,
            source=shown.source,
            explored=shown.explored,
            reasons=list(why),
        )
        for at, (shown, line, why) in enumerate(zip(answer.items, lines, reasons, strict=True), start=1)
    ]
    return Recommendation(
        recommendation_id=answer.recommendation_id,
        model_version=answer.model,
        generated_at=iso(answer.time),
        slice=part,
        items=places,
        fallback=answer.fallback,
        experiment=answer.experiment,
        variant=answer.variant,
    )
