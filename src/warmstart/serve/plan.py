"""How one question is answered: by which model, with which settings, and which places try something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warmstart.serve.asker import Asker
from warmstart.serve.lists import Line, Wanted
from warmstart.serve.live import Live, Snapshot
from warmstart.serve.service import Moment, Service


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
    lines = service.lists.listed(moment.live, moment.snapshot, asker, wanted)
    return Plan(moment.live, moment.snapshot, wanted, [Place(line) for line in lines])
