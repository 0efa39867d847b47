"""Scenarios: one training set each, and the questions that are asked after one fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

import warmstart as ws
from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.split import Split
from warmstart.errors import ConfigError

SHOWN = (0, 1, 3, 5, 10)  # events shown of a new user; relevant is what came after the last


@dataclass(frozen=True)
class Scenario:
    """A training set and its questions.

    Parameters
    ----------
    name
        As it is named on the command line.
    told
        One sentence for readers of the results.
    questions
        By name, how the split is made; all leave the same training set.
    """

    name: str
    told: str
    questions: Mapping[str, Callable[[Dataset], Split]]

    def splits(self, data: Dataset) -> dict[str, Split]:
        """A split a question."""
        return {name: make(data) for name, make in self.questions.items()}


def few_shot(shown: int) -> Callable[[Dataset], Split]:
    """New users of whom so many events are shown."""
    return partial(ws.split.few_shot, k=shown, after=max(SHOWN))


def thin(percent: float) -> Scenario:
    """Training thinned to a share."""
    told = f"As warm, but only {percent:g} % of the training events are left, drawn at random."
    return Scenario(f"sparse-{percent:g}", told, {"all": partial(ws.split.sparse, percent=percent)})


SCENARIOS = (
    Scenario(
        "warm",
        "Known users: the last fifth of everybody's events is held out.",
        {"all": partial(ws.split.last_n, share=0.2)},
    ),
    Scenario(
        "cold-items",
        "A fifth of the items has no event in training. *all*: they stand among the others, held out as in"
        " warm; *new*: they are ranked among themselves.",
        {
            "all": partial(ws.split.cold_items, candidates="all"),
            "new": partial(ws.split.cold_items, candidates="cold"),
        },
    ),
    Scenario(
        "cold-users",
        f"A fifth of the users is not in training. Of their first {max(SHOWN)} events none to all are shown; relevant"
        " is what came after these.",
        {f"{n} shown": few_shot(n) for n in SHOWN},
    ),
    thin(5),
    thin(25),
    Scenario(
        "temporal", "One cut of the clock for everybody: the last fifth of the events.", {"all": ws.split.temporal}
    ),
)


def scenarios(names: Sequence[str] = ()) -> list[Scenario]:
    """All, or the named ones, in their order.

    Raises
    ------
    ConfigError
        If a name is none of them.
    """
    known = [s.name for s in SCENARIOS]
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ConfigError(f"no scenario is called {unknown[0]!r}; name some of {', '.join(known)}")
    return [s for s in SCENARIOS if not names or s.name in names]


def prepared(data: Dataset, seed: int = 0) -> Dataset:
    """The data without hints in its order: items in random order, and events of equal time, too.

    The order of the items of MovieLens, for one, tells how well known they are, which ties of scores would give away.
    """
    order = np.random.default_rng(seed).permutation(data.n_items)
    place = np.argsort(order).astype(np.int32)
    x = data.interactions
    moved = replace(data, catalog=Catalog(data.catalog.table[order]), interactions=replace(x, item=place[x.item]))
    return ws.split.shuffle_ties(moved, seed)
