"""How one question is answered: by which model, with which settings, and which places try something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.rerank.explore import Budget, explore
from warmstart.serve.asker import Asker
from warmstart.serve.experiments import Assigned, Variant, assign, generator, mixed
from warmstart.serve.lines import Line, Wanted, chosen
from warmstart.serve.live import Live, Snapshot
from warmstart.serve.service import Moment, Service

DEEPER, LEAST = 5, 100  # candidates of a list that is diverse or tries items: so many times k, so many at least


@dataclass(frozen=True)
class Place:
    """A line at its place, the chance that it stands there, and in a mixed list the variant that put it there."""

    line: Line
    propensity: float = 1.0
    explored: bool = False
    variant: str | None = None


@dataclass(frozen=True)
class Plan:
    """A model, what was wanted of it, and what is shown."""

    live: Live
    snapshot: Snapshot
    wanted: Wanted
    places: Sequence[Place]
    experiment: str | None = None
    variant: str | None = None
    fallback: str | None = None


def plan_of(
    service: Service, moment: Moment, asker: Asker, wanted: Wanted, scenario: str, name: str, free: bool = True
) -> Plan:
    """The places of an answer.

    Parameters
    ----------
    name
        Id of the answer: what is drawn for it is drawn from this.
    free
        Whether an experiment may change it, and places try something new.
    """
    given = assign(service.trials(moment.versions), scenario, asker.user_id or name) if free else None
    if given is None:
        share = service.settings.explore_share if free else 0.0
        places = placed(service, moment.live, moment.snapshot, asker, wanted, share, name)
        return Plan(moment.live, moment.snapshot, wanted, places)
    plans = [varied(service, moment, asker, wanted, variant, name) for variant in given.variants]
    if given.interleaves:
        return interleaved(plans[0], plans[1], given, name)
    return replace(plans[0], experiment=given.experiment.name, variant=given.variants[0].name)


def varied(service: Service, moment: Moment, asker: Asker, wanted: Wanted, variant: Variant, name: str) -> Plan:
    """The places under a variant; a model of it that is not in memory yet is told as a fallback."""
    live, snapshot, why = moment.live, moment.snapshot, None
    if variant.model not in (None, live.version):
        other = service.models.if_loaded(str(variant.model))
        if other is None:
            why = "the model of this variant is not loaded: the serving one answered"
        else:
            live, snapshot = other, service.taken_up(other, moment)
    asked = replace(
        wanted,
        calibrate=wanted.calibrate if variant.calibrate is None else variant.calibrate,
        diversity=wanted.diversity if variant.diversity is None else variant.diversity,
    )
    share = service.settings.explore_share if variant.explore is None else variant.explore
    return Plan(live, snapshot, asked, placed(service, live, snapshot, asker, asked, share, name), fallback=why)


def interleaved(a: Plan, b: Plan, given: Assigned, name: str) -> Plan:
    """One list of two, each place of the variant that put it there."""
    codes = a.snapshot.fitted.catalog.items.codes([place.line.item_id for place in b.places])
    there = [replace(p, line=replace(p.line, code=int(c))) for p, c in zip(b.places, codes, strict=True) if c >= 0]
    by = [{place.line.item_id: place for place in places} for places in (a.places, there)]
    joined = mixed(list(by[0]), list(by[1]), a.wanted.k, name)
    places = [
        replace(by[team][item], variant=given.variants[team].name)
        for item, team in zip(joined.items, joined.teams, strict=True)
    ]
    return replace(a, places=places, experiment=given.experiment.name, fallback=a.fallback or b.fallback)


def placed(
    service: Service, live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted, share: float, name: str = ""
) -> list[Place]:
    """What one model shows: its best lines, made diverse, some places trying items that few have met.

    Parameters
    ----------
    share
        Of the places, given to such items.
    """
    deep = max(DEEPER * wanted.k, LEAST) if wanted.diversity or share else wanted.k
    lines = service.lists.listed(live, snapshot, asker, wanted, deep)
    shown = chosen(snapshot, lines, wanted)
    return (
        tried(snapshot, lines, shown, share, generator("explore", name)) if share else [Place(line) for line in shown]
    )


def tried(
    snapshot: Snapshot, lines: Sequence[Line], shown: Sequence[Line], share: float, rng: np.random.Generator
) -> list[Place]:
    """The lines shown, some of them given up to new items among the other lines; see ``rerank.explore``."""
    kept = {line.code for line in shown}
    rest = [line for line in lines if line.code not in kept and snapshot.new[line.code] >= 0]
    columns = snapshot.new[[line.code for line in rest]].astype(np.int64)
    score = np.array([line.score for line in lines])
    spread = max(float(score.std()), 1e-9) if len(score) else 1.0
    expected = np.array([line.score for line in rest]) / spread
    found = explore(len(shown), columns, expected, snapshot.worlds, Budget(share), rng)
    places = [Place(line, float(p)) for line, p in zip(shown, found.propensity, strict=True)]
    for at, which in zip(found.places.tolist(), found.candidates.tolist(), strict=True):
        places[at] = replace(places[at], line=rest[which], explored=True)
    return places
