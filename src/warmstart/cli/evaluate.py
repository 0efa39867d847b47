"""How good an engine is, measured on held-out data."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import (
    Data,
    Graph,
    Items,
    Json,
    Links,
    Map,
    Places,
    RecipeFile,
    Rejects,
    Scale,
    SplitKind,
    Tables,
    Users,
    Weights,
    ids,
    make_split,
)
from warmstart.cli.screen import Tell, answers, emit, progress
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.data.dataset import Dataset
    from warmstart.data.split import Split
    from warmstart.engine import Engine
    from warmstart.evaluate.report import Report
    from warmstart.recipe import Recipe

LOG = logging.getLogger(__name__)
Kind = Annotated[SplitKind, typer.Option("--split", help="What is held out.")]
Share = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of events, users or items held out.")]
Shots = Annotated[int, typer.Option(min=0, help="Events shown of each held-out user (few_shot).")]
Percent = Annotated[float, typer.Option(min=0.0, max=100.0, help="Training events kept (sparse).")]
Seed = Annotated[int, typer.Option(help="Of everything drawn.")]
Without = Annotated[
    str | None, typer.Option(help="Experts between commas; an engine that lacks them is fitted and measured beside it.")
]
Controlled = Annotated[
    bool, typer.Option("--graph-control", help="Fit and measure without the graph, and with its tails shuffled, too.")
]
Page = Annotated[Path | None, typer.Option("--report", help="Write one self-contained HTML page here.")]


def evaluate(
    data: Data,
    kind: Kind = SplitKind.temporal,
    share: Share = 0.2,
    shots: Shots = 3,
    percent: Percent = 10.0,
    seed: Seed = 0,
    k: Places = 10,
    recipe: RecipeFile = None,
    items: Items = None,
    graph: Graph = None,
    links: Links = None,
    users: Users = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    without: Without = None,
    graph_control: Controlled = False,
    page: Page = None,
    as_json: Json = False,
) -> None:
    """Measure an engine, slice by slice.

    Fits on one part of the data and asks for the rest, beside popularity, EASE and content.
    """
    dataset, _ = Tables(data, items, graph, links, users, columns, weights, rejects, scale).read()
    split = make_split(dataset, kind, share, shots, percent, seed)
    with progress() as tell:
        _, report = measure(recipe, split, k, tell, ids(without or ""), graph_control)
    if page is not None:
        report.save_html(page)
    if as_json:
        emit(report.to_dict())
    else:
        answers().print(report.overview(), report.table(), report.lists_and_costs(), sep="\n")


def measure(
    recipe: Path | Recipe | None,
    split: Split,
    k: int,
    tell: Tell,
    without: Sequence[str] = (),
    graph_control: bool = False,
) -> tuple[Engine, Report]:
    """A fitted engine and its report, with the seconds the fit took and the trust curve.

    With names of experts in ``without``, an engine that lacks them is measured beside it; with ``graph_control``, one
    without the graph and one with its tails shuffled.

    Raises
    ------
    ConfigError
        If the recipe has no such expert.
    DataError
        If there is no graph to be controlled.
    """
    from warmstart.engine import Engine
    from warmstart.evaluate.run import evaluate as run

    engine, seconds = Engine(recipe), {}
    systems, trains = {"warmstart": engine}, {}
    if without:
        systems[f"without {', '.join(without)}"] = Engine(lacking(engine.recipe, without))
    if graph_control:
        trains = controls(split.train)
        systems |= {name: Engine(recipe) for name in trains}
    for name, one in systems.items():
        start = time.perf_counter()
        one.fit(trains.get(name, split.train), progress=tell)
        seconds[name] = time.perf_counter() - start
    for expert in set(without) - set(engine.fitted.panel.experts):
        LOG.warning("%s has too little to learn from here: both engines lack it", expert)
    tell("measuring", 0, 0)
    report = run(systems, split, k=k, refit=False, trust=engine.trust())
    tell("measuring", 1, 1)
    costs = {s.name: {**s.costs, "fit_seconds": seconds.get(s.name, s.costs["fit_seconds"])} for s in report.systems}
    return engine, replace(report, systems=tuple(replace(s, costs=costs[s.name]) for s in report.systems))


def controls(train: Dataset) -> dict[str, Dataset]:
    """The same training data without the graph, and with the graph's tails shuffled within each relation."""
    from warmstart.evaluate.control import shuffle_graph

    return {"without the graph": replace(train, graph=None), "graph shuffled": shuffle_graph(train)}


def lacking(recipe: Recipe, names: Sequence[str]) -> Recipe:
    """A recipe without some of its experts.

    Examples
    --------
    >>> from warmstart.recipe import Recipe
    >>> "factors" in lacking(Recipe(), ["factors"]).experts
    False
    """
    for name in names:
        if name not in recipe.experts:
            raise ConfigError(f"--without {name}: the recipe has no such expert; it has {sorted(recipe.experts)}")
    return replace(recipe, experts={n: e for n, e in recipe.experts.items() if n not in names})
