"""Experiments, running and stopped."""

from __future__ import annotations

import time

from sqlalchemy import select

from warmstart.store.part import Part
from warmstart.store.rows import Experiment
from warmstart.store.tables import EXPERIMENTS
from warmstart.store.upsert import put_rows
from warmstart.store.versions import bump

_NAMES = ("name", "variants", "kind", "scenario", "metric", "status", "created_at", "stopped_at")
_ALL = select(*(EXPERIMENTS.c[name] for name in _NAMES)).order_by(EXPERIMENTS.c.created_at, EXPERIMENTS.c.name)


class Experiments(Part):
    """Experiments."""

    def put_experiment(self, experiment: Experiment) -> None:
        """Add an experiment, or replace the one of that name."""
        with self.database.write() as connection:
            bump(connection, "experiments")
            row: dict[str, object] = {
                "name": experiment.name,
                "variants": [dict(variant) for variant in experiment.variants],
                "kind": experiment.kind,
                "scenario": experiment.scenario,
                "metric": experiment.metric,
                "status": experiment.status,
                "created_at": experiment.created_at or int(time.time()),
                "stopped_at": experiment.stopped_at,
            }
            put_rows(connection, EXPERIMENTS, [row], kept=() if experiment.created_at else ("created_at",))

    def experiments(self) -> list[Experiment]:
        """All experiments, oldest first."""
        with self.database.read() as connection:
            return [Experiment(row[0], tuple(row[1]), *row[2:]) for row in connection.execute(_ALL)]
