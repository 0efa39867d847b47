"""What came of answers, by model, scenario, slice, or anything else they are known by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from warmstart.serve.outcomes import ExplorationCost, OutcomeTable, days_before, exploration_cost, outcome_table
from warmstart.serve.service import Service
from warmstart.store.outcomes import MEANS, RATES
from warmstart.store.shown import Within

By = Literal["model", "scenario", "slice", "day", "position", "fallback", "experiment"]
GROUPS: tuple[By, ...] = ("model", "scenario", "slice", "day", "position", "fallback", "experiment")


@dataclass(frozen=True)
class OutcomesView:
    """What the page shows; ``top`` is the highest end of an interval of each rate, for the scale of its bars."""

    by: By
    days: int
    table: OutcomeTable
    rates: Sequence[str]
    means: Sequence[str]
    top: dict[str, float]
    exploration: ExplorationCost | None


def outcomes_view(service: Service, by: By, days: int) -> OutcomesView:
    """Outcomes of the last days, by one of ``GROUPS``."""
    within = Within(since=days_before(days))
    table = outcome_table(service.store, (by,), within)
    cost = exploration_cost(service.store, within)
    means = [m for m in MEANS if any(g.means[m].n for g in table.groups)]
    top = {kind: max((g.rates[kind].high for g in table.groups), default=0.0) for kind in RATES}
    return OutcomesView(by, days, table, RATES, means, top, cost if cost.places else None)
