"""Let a language model learn the words of a catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.options import (
    Accumulate,
    Items,
    Json,
    Layers,
    Map,
    MaxTokens,
    Model,
    Patience,
    Rank,
    Rejects,
    RunFolder,
    Scale,
    Seed,
    Tables,
    Template,
    Track,
    Weights,
    count_refused,
    pairs,
    trackers,
)
from warmstart.cli.screen import answers, emit, learning, note_no_gain
from warmstart.learn.settings import Training, Tuning

if TYPE_CHECKING:
    from warmstart.data.catalog import Catalog
    from warmstart.data.dataset import Dataset
    from warmstart.learn.pretrain import Pretrained

Data = Annotated[str | None, typer.Argument(metavar="DATA", help="Events, as DATA of fit; contrast needs them.")]
Files = Annotated[
    list[str] | None,
    typer.Option("--texts", help="More texts: .txt, .md, .jsonl, .csv, .tsv, .parquet."),
]
Column = Annotated[str, typer.Option(help="Column or field of --texts files that have such.")]
Method = Annotated[str, typer.Option(help="masked, causal, denoise or contrast.")]
Mode = Annotated[str, typer.Option("--tuning", help="Which weights learn: full, last or lora.")]
Steps = Annotated[int, typer.Option(help="Steps at most.")]
HeadSteps = Annotated[int, typer.Option(help="Steps at most for a head that begins at random, alone, before.")]
Batch = Annotated[int, typer.Option(help="Texts a step.")]
Rate = Annotated[float, typer.Option("--learning-rate", help="Highest learning rate.")]
Dropout = Annotated[float, typer.Option(help="Dropout inside the model while it learns.")]
HeldOut = Annotated[float, typer.Option(help="Share of the texts that is held out to judge by.")]
Every = Annotated[int, typer.Option(help="Steps between two validations.")]
Checkpoints = Annotated[int, typer.Option(help="Steps between two checkpoints; 0 = none.")]


def pretrain(
    out: RunFolder,
    data: Data = None,
    items: Items = None,
    files: Files = None,
    column: Column = "text",
    template: Template = None,
    model: Model = "all-MiniLM-L6-v2",
    method: Method = "masked",
    mode: Mode = "full",
    layers: Layers = 2,
    rank: Rank = 8,
    steps: Steps = 200,
    head_steps: HeadSteps = 100,
    batch: Batch = 32,
    rate: Rate = 5e-5,
    accumulate: Accumulate = 1,
    dropout: Dropout = 0.0,
    held_out: HeldOut = 0.1,
    max_tokens: MaxTokens = 0,
    validate_every: Every = 20,
    patience: Patience = 5,
    checkpoint_every: Checkpoints = 50,
    seed: Seed = 0,
    track: Track = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Train a language model on unlabelled text: of the catalogue, of any files.

    The same command takes up a run that was cut off.
    """
    from warmstart.learn.pretrain import Pretraining
    from warmstart.learn.pretrain import pretrain as train

    catalogue = described(data, items, columns, weights, scale, rejects)
    settings = Pretraining(method, head_steps=head_steps, held_out=held_out, max_tokens=max_tokens or None)
    settings = replace(settings, column=column, template=template)
    loop = Training(steps, batch, rate, accumulate=accumulate, patience=patience, seed=seed)
    loop = replace(loop, validate_every=validate_every, checkpoint_every=checkpoint_every)
    tuning = Tuning(mode, layers, rank, dropout=dropout)
    with learning() as watch:
        made = train(out, catalogue, (), files or (), model, settings, tuning, loop, trackers(track), watch)
    show(made, as_json)


def described(
    data: str | None,
    items: str | None,
    columns: list[str] | None = None,
    weights: str | None = None,
    scale: str | None = None,
    rejects: Path | None = None,
) -> Dataset | Catalog | None:
    """The dataset where events are given, the catalogue where items alone are, None where neither is."""
    if data is not None:
        return Tables(data, items, map=columns, weights=weights, rejects=rejects, scale=scale).read()[0]
    if items is None:
        return None
    from warmstart.data.ingest import read_items

    catalog, account = read_items(items, columns=pairs(columns or (), "--map") or None, rejects=rejects)
    count_refused(account)
    return catalog


def show(made: Pretrained, as_json: bool) -> None:
    """Say what came out: where the model is, and the held-out figure before and after."""
    told: dict[str, Any] = {"model": str(made.model), "steps": made.steps, "best_step": made.best_step}
    told |= {"stopped_early": made.stopped}
    if made.untrained:
        told[f"{made.watched}, head untrained"] = made.untrained[made.watched]
    before, after = made.before[made.watched], made.after[made.watched]
    told |= {f"{made.watched}, before": before, f"{made.watched}, after": after, "change": after / before - 1}
    if as_json:
        return emit(told)
    lines = [f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}" for name, value in told.items()]
    answers().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    note_no_gain(made.best_step)
    return None
