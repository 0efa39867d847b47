"""From data to an engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import Data, Graph, Items, Json, Links, Map, RecipeFile, Rejects, Tables, Users, Weights
from warmstart.cli.screen import answers, emit, progress

if TYPE_CHECKING:
    from warmstart.engine import Engine

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the engine.")]
SaveData = Annotated[Path | None, typer.Option(help="Folder for the cleaned dataset, to give as --data later.")]


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
    rejects: Rejects = None,
    save_data: SaveData = None,
    as_json: Json = False,
) -> None:
    """Fit an engine and save it; the folder holds no user data."""
    from warmstart.engine import Engine

    dataset, account = Tables(data, items, graph, links, users, columns, weights, rejects).read()
    engine = Engine(recipe)
    with progress() as tell:
        engine.fit(dataset, progress=tell).save(out)
    if save_data is not None:
        dataset.save(save_data)
    told = {"engine": str(out), "users": dataset.n_users, "items": dataset.n_items, "events": len(dataset.interactions)}
    told |= {"refused": account.n_refused, "fingerprint": dataset.fingerprint(), "encoder": encoder_of(engine)}
    if as_json:
        emit(told)
    else:
        answers().print("\n".join(f"{name}: {value}" for name, value in told.items()), markup=False, soft_wrap=True)


def encoder_of(engine: Engine) -> str:
    """The kind of text encoder an engine was fitted with, e.g. ``"onnx"``.

    Examples
    --------
    >>> from warmstart.engine import Engine
    >>> encoder_of(Engine())
    'none'
    """
    return "none" if engine.encoder is None else engine.encoder.spec()["kind"]
