"""How one question is answered: by which model, with which settings, and which places try something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.rerank.explore import Budget, explore
from warmstart.serve.asker import Asker
from warmstart.serve.lists import Line, Wanted, chosen
from warmstart.serve.live import Live, Snapshot
from warmstart.serve.service import Moment, Service

DEEPER, LEAST = 5, 100  # candidates of a list that is diverse or tries items: so many times k, so many at least


@dataclass(frozen=True)
class Place:
    """A line at its place, and the chance that it stands there."""

    line: Line
    propensity: float = 1.0
    explored: bool = False


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


def plan_of(service: Service, moment: Moment, asker: Asker, wanted: Wanted, scenario: str, free: bool = True) -> Plan:
    """The places of an answer.

    Parameters
    ----------
    free
        Whether places may be given to exploration, and models be interleaved.
    """
    share = service.settings.explore_share if free else 0.0
    places = placed(service, moment.live, moment.snapshot, asker, wanted, share)
    return Plan(moment.live, moment.snapshot, wanted, places)


def placed(service: Service, live: Live, snapshot: Snapshot, asker: Asker, wanted: Wanted, share: float) -> list[Place]:
    """What one model shows: its best lines, made diverse, some places trying items that few have met.

    Parameters
    ----------
    share
        Of the places, given to such items.
    """
    deep = max(DEEPER * wanted.k, LEAST) if wanted.diversity or share else wanted.k
    lines = service.lists.listed(live, snapshot, asker, wanted, deep)
    shown = chosen(snapshot, lines, wanted)
    return tried(snapshot, lines, shown, share, service.rng()) if share else [Place(line) for line in shown]


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
