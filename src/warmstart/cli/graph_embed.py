"""Vectors of a graph's entities and relations, and how well they name facts that were held out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.graph import GraphFile, Opened
from warmstart.cli.options import Items, Json, Links, Map, Seed
from warmstart.cli.screen import answers, emit, learning, progress

if TYPE_CHECKING:
    from warmstart.learn.kge_split import HeldOut
    from warmstart.learn.kge_vectors import GraphVectors


class ModelName(StrEnum):
    """Names of the score functions."""

    transe = "transe"
    distmult = "distmult"
    complex = "complex"
    rotate = "rotate"


class LossName(StrEnum):
    """Names of the losses."""

    one_vs_all = "1-vs-all"
    self_adversarial = "self-adversarial"


Out = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder of the run; the vectors are model/.")]
Function = Annotated[ModelName, typer.Option("--model", help="Score function.")]
Dim = Annotated[int, typer.Option(help="Length of the vectors; complex numbers for complex and rotate.")]
Epochs = Annotated[int, typer.Option(help="How often every fact is learned from.")]
Kind = Annotated[
    LossName | None,
    typer.Option("--loss", help="Usual: 1-vs-all for distmult and complex, else self-adversarial."),
]
Rate = Annotated[float, typer.Option("--learning-rate", help="Of Adam; falls to 0.")]
N3 = Annotated[float, typer.Option("--n3", help="Weight of the nuclear 3-norm.")]
Negatives = Annotated[int, typer.Option(help="Entities drawn a step (self-adversarial).")]
Margin = Annotated[float, typer.Option(help="Of the loss (self-adversarial).")]
Batch = Annotated[int, typer.Option(help="Questions a step (1-vs-all), or facts.")]
Share = Annotated[
    float, typer.Option("--test-share", help="Share of the facts held out to judge by; 0 = learn from all.")
]


def embed_graph(
    graph: GraphFile,
    out: Out,
    items: Items = None,
    links: Links = None,
    columns: Map = None,
    model: Function = ModelName.complex,
    dim: Dim = 64,
    epochs: Epochs = 12,
    loss: Kind = None,
    learning_rate: Rate = 0.01,
    n3: N3 = 0.01,
    negatives: Negatives = 256,
    margin: Margin = 9.0,
    batch: Batch = 512,
    test_share: Share = 0.1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Learn vectors of all entities and relations, and rank facts that were held out.

    The vectors know nothing of the facts held out; --test-share 0 learns from all. The same command takes up a run that
    was cut off.
    """
    from warmstart.learn.kge import GraphEmbedding, checked, fit_graph_embedding
    from warmstart.learn.kge_split import hold_out

    settings = GraphEmbedding(model, dim, epochs, loss, learning_rate, n3, negatives, margin, batch, seed)
    opened = Opened.of(graph, items, links, columns)
    checked(opened.graph.triples)
    held = hold_out(opened.graph.triples, test_share, seed)
    with learning() as watch:
        vectors = fit_graph_embedding(held.train, settings, out, watch)
    with progress() as tell:
        figures = vectors.judge(held.test, held.train, tell)
    show(vectors, held, figures, out, as_json=as_json)


def show(vectors: GraphVectors, held: HeldOut, figures: dict[str, float], out: Path, *, as_json: bool) -> None:
    """Say what was learned, and how well it names what was held out."""
    from warmstart.learn.kge import MODEL_FOLDER

    told: dict[str, Any] = {"vectors": str(out / MODEL_FOLDER), "entities": len(vectors.entities)}
    told |= {"relations": len(vectors.relations), "same_relations": len(vectors.same)}
    told |= {"learned_from": held.train.height, "held_out": held.test.height}
    judged = figures if held.test.height else {}
    if as_json:
        return emit(told | judged)
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in told.items()]
    lines += [f"{name}: {value:.4f}" for name, value in judged.items()]
    answers().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    return None
