"""From data to an engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.on_spark import On, People, read_on
from warmstart.cli.options import (
    Data,
    Graph,
    Items,
    Json,
    Links,
    Map,
    RecipeFile,
    Rejects,
    Scale,
    Tables,
    Users,
    Weights,
)
from warmstart.cli.screen import answers, emit, progress
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.engine import Engine
    from warmstart.recipe import Recipe

Out = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the engine.")]
Task = Annotated[str | None, typer.Option("--finetune", metavar="TASK", help="Let the text encoder learn: retrieval.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps of --finetune; every other setting is in the recipe.")]
Ratings = Annotated[bool, typer.Option("--ratings", help="Learn to predict ratings, too (warmstart rate).")]
Objective = Annotated[
    str | None, typer.Option(help="Sort lists by relevance, by (predicted) rating or by both; these learn ratings.")
]
Memory = Annotated[
    str | None, typer.Option(metavar="SIZE", help="Most memory the fit may take, e.g. 8GB; samples are cut to fit.")
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="EXPERT",
        help="Leave experts out, with commas between; most of a fit's time is that of sequence.",
    ),
]
SaveData = Annotated[
    Path | None, typer.Option(file_okay=False, help="Folder for the cleaned dataset, to give as --data later.")
]


def fit(
    data: Data,
    out: Out,
    recipe: RecipeFile = None,
    items: Items = None,
    graph: Graph = None,
    links: Links = None,
    users: Users = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    save_data: SaveData = None,
    finetune: Task = None,
    steps: Steps = None,
    ratings: Ratings = False,
    objective: Objective = None,
    on: On = None,
    people: People = None,
    memory_budget: Memory = None,
    without: Without = None,
    as_json: Json = False,
) -> None:
    """Fit an engine and save it; the folder holds no user data."""
    from warmstart.engine import Engine
    from warmstart.learn.processes import one_alone

    one_alone("fit")
    engine = Engine(recipe)
    engine.recipe = engine.recipe.without(*(name for said in without or [] for name in said.split(",")))
    engine.recipe = limited(aimed(finetuned(engine.recipe, finetune, steps), ratings, objective), memory_budget)
    tables = Tables(data, items, graph, links, users, columns, weights, rejects, scale)
    if on is None and people is not None:
        raise ConfigError(f"--people {people} without --on; add --on MASTER, a Spark cluster")
    dataset, account = tables.read() if on is None else read_on(on, tables, engine.recipe, people)
    with progress() as tell:
        engine.fit(dataset, progress=tell).save(out)
    if save_data is not None:
        dataset.save(save_data)
    told = {"engine": str(out), "users": dataset.n_users, "items": dataset.n_items, "events": len(dataset.interactions)}
    told |= {"refused": account.n_refused, "fingerprint": dataset.fingerprint(), "encoder": encoder_of(engine)}
    if engine.finetuned is not None:
        told["finetuned"] = str(engine.finetuned)
    if as_json:
        emit(told)
    else:
        answers().print("\n".join(f"{name}: {value}" for name, value in told.items()), markup=False, soft_wrap=True)


def aimed(recipe: Recipe, ratings: bool, objective: str | None) -> Recipe:
    """A recipe that learns ratings, and sorts lists by what is asked for.

    Examples
    --------
    >>> from warmstart.recipe import Recipe
    >>> aimed(Recipe(), True, None).ratings.seed, aimed(Recipe(), False, "rating").rating_model.seed
    (0, 0)
    """
    from warmstart.experts.ratings.model import RatingModel

    if ratings and recipe.ratings is None:
        recipe = replace(recipe, ratings=RatingModel())
    return recipe if objective is None else replace(recipe, objective=objective)


def limited(recipe: Recipe, budget: str | None) -> Recipe:
    """A recipe that keeps to a memory budget.

    Examples
    --------
    >>> from warmstart.recipe import Recipe
    >>> limited(Recipe(), "8GB").memory_gb, limited(Recipe(), None).memory_gb
    (8.0, 0.0)
    """
    from warmstart.budget import gigabytes

    return recipe if budget is None else replace(recipe, memory_gb=gigabytes(budget))


def finetuned(recipe: Recipe, task: str | None, steps: int | None) -> Recipe:
    """A recipe whose encoder learns: as it says itself, but for the task and the steps.

    Raises
    ------
    ConfigError
        If steps are given and nothing is to learn, or the task is not known.

    Examples
    --------
    >>> from warmstart.recipe import Recipe
    >>> finetuned(Recipe(), "retrieval", 20).finetune.training.steps
    20
    """
    from warmstart.learn.encoder import Finetune

    if task is None and recipe.finetune is None:
        if steps is not None:
            raise ConfigError(f"--steps {steps} without --finetune; add --finetune retrieval")
        return recipe
    wanted = recipe.finetune or Finetune()
    if steps is not None:
        loop = replace(wanted.training, steps=steps, validate_every=max(1, steps // 4))
        wanted = replace(wanted, epochs=0, training=loop)
    return replace(recipe, finetune=replace(wanted, task=task or wanted.task))


def encoder_of(engine: Engine) -> str:
    """The kind of text encoder an engine was fitted with, e.g. ``"onnx"``.

    Examples
    --------
    >>> from warmstart.engine import Engine
    >>> encoder_of(Engine())
    'none'
    """
    return "none" if engine.encoder is None else engine.encoder.spec()["kind"]
