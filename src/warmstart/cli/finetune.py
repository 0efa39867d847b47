"""Let a language model learn what people do with the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.finetune_task import Asked, TaskName, Usual, adversary, given
from warmstart.cli.options import (
    Accumulate,
    Data,
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
    Users,
    Weights,
    trackers,
)
from warmstart.cli.screen import answers, emit, learning, note_no_gain
from warmstart.learn.settings import Training

if TYPE_CHECKING:
    from warmstart.learn.finetune import Learned

Kind = Annotated[TaskName, typer.Option("--task", help="What is learned.")]
Loss = Annotated[
    str | None,
    typer.Option(help="For retrieval elsa, pairs, distil, harden; for ranking bpr, margin, softmax, lambda."),
]
HeadKind = Annotated[
    str | None,
    typer.Option("--head", help="linear, feed_forward, attention (usual) or transformer."),
]
Reads = Annotated[str | None, typer.Option(help="Person and item apart (usual), or together (a cross-encoder).")]
Hidden = Annotated[int | None, typer.Option(help="Width inside the head; usual: 128.")]
Mode = Annotated[
    str | None, typer.Option("--tuning", help="full (usual for retrieval), last (usual for others), lora or frozen.")
]
Steps = Annotated[
    int | None,
    typer.Option(help="Steps at most; usual: twelve readings of every item for retrieval, 200 steps for others."),
]
Batch = Annotated[
    int | None,
    typer.Option(help="Examples a step; usual: 256 to 1024 items by length of text for retrieval, 32 for others."),
]
PeakRate = Annotated[
    float | None, typer.Option("--learning-rate", help="Highest rate; usual: 2e-4 for retrieval, 5e-5 for others.")
]
TokenDropout = Annotated[
    float | None, typer.Option(help="Share of the tokens missing at a reading; usual: 0.2 for retrieval, else 0.")
]
InnerDropout = Annotated[
    float | None, typer.Option("--dropout", help="Dropout inside the model; usual: 0.1 for retrieval, else 0.")
]
Judged = Annotated[
    int | None,
    typer.Option("--validate-every", help="Steps between validations; usual: a quarter of all for retrieval, else 20."),
]
Kept = Annotated[
    int | None, typer.Option("--checkpoint-every", help="Steps between checkpoints; usual: 6 for retrieval, else 50.")
]
HeadRate = Annotated[float | None, typer.Option(help="The head learns at this multiple of the rate; usual: 20.")]
Optimiser = Annotated[str, typer.Option(help="adamw, adam or sgd.")]
Decay = Annotated[str, typer.Option(help="linear, cosine or constant.")]
Warmup = Annotated[float, typer.Option(help="Share of the steps over which the rate rises.")]
Clip = Annotated[float, typer.Option(help="Largest norm of the gradient; 0 = unbounded.")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Past = Annotated[int | None, typer.Option("--history", help="Newest events of a person that are read; usual: 20.")]
HeldOut = Annotated[float, typer.Option(help="Share held out to judge by: latest events; items for retrieval.")]
Negatives = Annotated[int | None, typer.Option(help="Items drawn beside each event (interest, ranking); usual: 4.")]
Threshold = Annotated[float | None, typer.Option(help="Ratings from here on mean interest; nothing is drawn.")]
ByRating = Annotated[
    bool | None, typer.Option("--by-rating", help="Rank what was rated by its rating; nothing is drawn (ranking).")
]
Column = Annotated[str | None, typer.Option("--category", help="Column of the items with their category.")]
Rare = Annotated[str | None, typer.Option(help="Classes with one example: refuse (usual) or drop (category).")]
Teacher = Annotated[str | None, typer.Option(help="Cross-encoder that --loss distil learns from: model/ of its run.")]
Dims = Annotated[
    str | None,
    typer.Option(help="Shorter lengths at which vectors work as well, e.g. 64,128 (retrieval)."),
]
Against = Annotated[
    str | None, typer.Option("--adversary", help="Train against fgm, pgd, vat, typos or consistency (under typos).")
]
Wrong = Annotated[
    float | None, typer.Option("--adversary-rate", help="Share of words mistyped (typos, consistency); usual: 0.2.")
]
Force = Annotated[
    float | None, typer.Option("--adversary-weight", help="Weight of the adversary's loss beside the task's; usual: 1.")
]


def finetune(
    data: Data,
    out: RunFolder,
    task: Kind = TaskName.retrieval,
    items: Items = None,
    users: Users = None,
    loss: Loss = None,
    head: HeadKind = None,
    reads: Reads = None,
    hidden: Hidden = None,
    model: Model = "all-MiniLM-L6-v2",
    template: Template = None,
    max_tokens: MaxTokens = 96,
    mode: Mode = None,
    layers: Layers = 2,
    rank: Rank = 8,
    dropout: InnerDropout = None,
    token_dropout: TokenDropout = None,
    history: Past = None,
    negatives: Negatives = None,
    threshold: Threshold = None,
    by_rating: ByRating = None,
    category: Column = None,
    rare: Rare = None,
    dims: Dims = None,
    teacher: Teacher = None,
    held_out: HeldOut = 0.1,
    steps: Steps = None,
    batch: Batch = None,
    rate: PeakRate = None,
    head_rate: HeadRate = None,
    optimiser: Optimiser = "adamw",
    warmup: Warmup = 0.1,
    decay: Decay = "linear",
    accumulate: Accumulate = 1,
    clip: Clip = 1.0,
    precision: Precision = "auto",
    validate_every: Judged = None,
    patience: Patience = 5,
    checkpoint_every: Kept = None,
    against: Against = None,
    adversary_weight: Force = None,
    adversary_rate: Wrong = None,
    seed: Seed = 0,
    track: Track = None,
    columns: Map = None,
    weights: Weights = None,
    scale: Scale = None,
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a language model on what people did.

    Give training data: the latest of it is held out to judge by. The same command takes up a run that was cut off.
    """
    from warmstart.learn.finetune import Finetuning, Source

    pairs = (threshold, negatives, by_rating, category, rare)
    asked = Asked(task, loss, teacher, dims, *pairs, head, reads, hidden, history, head_rate)
    tables = Tables(data, items, users=users, map=columns, weights=weights, rejects=rejects, scale=scale)
    dataset, account = tables.read()
    usual = Usual.of(task, dataset, template, batch, held_out, seed)
    loop = Training(optimiser=optimiser, warmup=warmup, decay=decay, accumulate=accumulate, clip=clip)
    loop = replace(loop, precision=precision, patience=patience, head_rate=given(head_rate, loop.head_rate), seed=seed)
    settings = Finetuning(
        source=Source(model, max_tokens or None, template),
        tuning=usual.tuning(mode, layers, rank, dropout, token_dropout),
        training=usual.training(loop, steps, batch, rate, validate_every, checkpoint_every),
        head=asked.heads(),
        pairing=asked.pairing(held_out),
        adversary=adversary(against, adversary_weight, adversary_rate),
    )
    with learning() as watch:
        learned = asked.learn(dataset, out, settings, trackers(track), watch)
    show(learned, account.n_refused, as_json)


def show(learned: Learned, refused: int, as_json: bool) -> None:
    """Say what came out: figures on held-out data at first, at best, and without reading."""
    from warmstart.learn.finetune import MODEL

    outcome = learned.outcome
    told: dict[str, Any] = {"model": str(learned.folder / MODEL), "refused": refused}
    told |= {"examples": learned.examples, "judged": learned.judged}
    told |= {"steps": outcome.steps, "best_step": outcome.best_step}
    figures = {"at first": outcome.first, "at best": outcome.best, "without reading": learned.trivial}
    if as_json:
        return emit(told | {name.replace(" ", "_"): values for name, values in figures.items()})
    lines = [f"{name}: {value}" for name, value in told.items()]
    lines += [f"{name}: {', '.join(f'{k} {v:.4f}' for k, v in f.items())}" for name, f in figures.items() if f]
    answers().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    note_no_gain(outcome.best_step)
    return None
