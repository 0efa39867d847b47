"""How good mined interests are, by labels that are hidden from the miner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import Data, Items, Json, Map, Rejects, Scale, Tables, Template, Weights, ids
from warmstart.cli.screen import Tell, answers, emit, progress
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.data.catalog import Catalog
    from warmstart.data.dataset import Dataset
    from warmstart.evaluate.labels import Labels

Hide = Annotated[str, typer.Option(help="Columns of the items that are the truth and hidden: genres,directors.")]
Tags = Annotated[Path | None, typer.Option(help="Table item_id, tag: further labels of the truth.")]
Count = Annotated[str | None, typer.Option(help="Column that the counting peer counts; the first hidden one.")]
Least = Annotated[int, typer.Option(min=1, help="New items that a person's future must hold.")]
LeastItems = Annotated[int, typer.Option(min=1, help="Items that must have a label.")]
TopicNumbers = Annotated[str, typer.Option("--topics", help="Numbers of LDA topics, of which the best is taken.")]
Seeds = Annotated[int, typer.Option(min=1, help="Seeds over which agreement is measured.")]
Seed = Annotated[int, typer.Option(min=0, help="The first of them.")]
Kind = Annotated[str, typer.Option("--concepts", help="tree, or sparse: overlapping ones.")]
Encoder = Annotated[str, typer.Option(help="Text encoder: folder, name, or auto.")]


def evaluate_interests(
    data: Data,
    hide: Hide,
    items: Items = None,
    tags: Tags = None,
    count: Count = None,
    least: Least = 10,
    least_items: LeastItems = 5,
    topics: TopicNumbers = "20,50,100,200,400",
    seeds: Seeds = 3,
    seed: Seed = 0,
    concepts: Kind = "tree",
    encoder: Encoder = "auto",
    template: Template = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Mine interests without some columns; print how well they foresee these labels of people's future events.

    Beside them: LDA topics of the same texts, counts of a hidden column, popularity. Further: coherence, coverage,
    agreement of seeds, ranking by interests alone, and what removing one does.
    """
    from warmstart.cli.fewshot import whole_numbers
    from warmstart.evaluate.interests import InterestTask, judge_interests
    from warmstart.interests.concepts import ConceptSettings

    dataset, _ = Tables(data, items, map=columns, weights=weights, rejects=rejects, scale=scale).read()
    hidden = ids(hide)
    truth, counts = labelled(dataset.catalog, hidden, tags, count, least_items)
    kind = ConceptSettings(kind=concepts)
    asked = InterestTask(0.2, least, whole_numbers(topics), seeds, seed, concepts=kind, template=template)
    with progress() as tell:
        found = judge_interests(without(dataset, hidden, encoder, template, tell), truth, counts, asked, tell)
    if as_json:
        emit(found.to_dict())
    else:
        answers().print(*found.tables(), sep="\n")


def labelled(
    catalog: Catalog, hidden: list[str], tags: Path | None, count: str | None, least: int
) -> tuple[Labels, Labels]:
    """The truth, and what the peer counts."""
    from warmstart.data.readers import read_table
    from warmstart.evaluate.labels import Labels, hidden_tokens

    if not hidden:
        raise ConfigError("--hide names no column; name those that are the truth, e.g. --hide genres")
    truth = hidden_tokens(catalog, hidden, None if tags is None else read_table(tags).frame)
    return Labels.of(truth, least), Labels.of(hidden_tokens(catalog, [count or hidden[0]]), 1)


def without(data: Dataset, hidden: list[str], encoder: str, template: str | None, tell: Tell) -> Dataset:
    """The data without the hidden columns, with features of what is left."""
    from warmstart.data.catalog import Catalog
    from warmstart.encoders import Encoders
    from warmstart.experts.space import ItemSpace
    from warmstart.recipe import Recipe

    rest = replace(data, catalog=Catalog(data.catalog.table.drop(hidden)), graph=None)
    recipe = Recipe(encoder=encoder, space=ItemSpace(template=template))
    space, _ = Encoders.of(recipe, rest, tell).spaces(recipe.space, rest.catalog, None, tell)
    return space.describe(rest)
