"""Which experts data are enough for, in a simulated world and before any."""

from __future__ import annotations

from collections.abc import Mapping

from warmstart.data.dataset import Dataset
from warmstart.errors import DataError
from warmstart.experts.base import Expert, Hurried, Slow
from warmstart.experts.panel import Panel
from warmstart.experts.silent import Silent
from warmstart.fusion.simulate import Episode


def able(experts: Mapping[str, Expert], data: Dataset) -> dict[str, Expert]:
    """Experts that these data are enough for, without a clock.

    Raises
    ------
    DataError
        If none is left.
    """
    kept = {name: e for name, e in experts.items() if not isinstance(e, Slow) or e.learns(data)}
    if not kept:
        raise DataError(f"{sorted(experts)} have too little to learn from here; name a Popularity among the experts")
    return {name: e.unhurried() if isinstance(e, Hurried) else e for name, e in kept.items()}


def world_panel(experts: Mapping[str, Expert], world: Episode) -> Panel:
    """The experts of a simulated world.

    A slow one is silent where too little is left to learn from, and spared where all asked for is items nobody met.
    """
    asked = {n: e for n, e in experts.items() if not (world.kind == "items" and isinstance(e, Slow))}
    learned = Panel.fit(asked, world.train).experts
    silent = {n: Silent(world.train.n_items) for n, e in experts.items() if isinstance(e, Slow) and n not in learned}
    return Panel({n: (learned | silent)[n] for n in experts if n in learned or n in silent})
