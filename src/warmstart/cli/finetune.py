"""Let a language model learn what people do with the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli.options import Data, Items, Json, Map, Tables, Track, Users, Weights, trackers
from warmstart.cli.pretrain import (
    Accumulate,
    Layers,
    MaxTokens,
    Model,
    Patience,
    Rank,
    Seed,
    Template,
)
from warmstart.cli.screen import answers, emit, learning
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.data.catalog import Catalog
    from warmstart.data.dataset import Dataset
    from warmstart.learn.finetune import Finetuning, Learned
    from warmstart.learn.objective import Watch
    from warmstart.learn.task import Task


class TaskName(StrEnum):
    """What can be learned."""

    retrieval = "retrieval"
    interest = "interest"
    category = "category"
    rating = "rating"
    ranking = "ranking"


@dataclass(frozen=True)
class Usual:
    """What is taken where an option is left out."""

    tuning: str
    steps: int
    batch: int
    learning_rate: float
    dropout: float
    token_dropout: float
    validate_every: int
    checkpoint_every: int


RETRIEVES = Usual("full", 24, 400, 1e-4, 0.1, 0.2, 6, 6)
ANSWERS = Usual("last", 200, 32, 5e-5, 0.0, 0.0, 20, 50)
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run; the model is its model/.")]
Kind = Annotated[TaskName, typer.Option("--task", help="What is learned.")]
Loss = Annotated[
    str | None, typer.Option(help="For retrieval elsa, pairs, distil; for ranking bpr, margin, softmax, lambda.")
]
HeadKind = Annotated[str, typer.Option("--head", help="linear, feed_forward, attention or transformer.")]
Reads = Annotated[str, typer.Option(help="Person and item apart, or together (a cross-encoder).")]
Hidden = Annotated[int, typer.Option(help="Width inside the head.")]
Mode = Annotated[
    str | None, typer.Option("--tuning", help="full (usual for retrieval), last (usual for others), lora or frozen.")
]
Steps = Annotated[int | None, typer.Option(help="Steps at most; usual: 24 for retrieval, 200 for others.")]
Batch = Annotated[int | None, typer.Option(help="Examples a step; usual: 400 items for retrieval, 32 for others.")]
PeakRate = Annotated[
    float | None, typer.Option("--learning-rate", help="Highest rate; usual: 1e-4 for retrieval, 5e-5 for others.")
]
TokenDropout = Annotated[
    float | None, typer.Option(help="Share of the tokens missing at a reading; usual: 0.2 for retrieval, else 0.")
]
InnerDropout = Annotated[
    float | None, typer.Option("--dropout", help="Dropout inside the model; usual: 0.1 for retrieval, else 0.")
]
Judged = Annotated[
    int | None, typer.Option("--validate-every", help="Steps between validations; usual: 6 for retrieval, else 20.")
]
Kept = Annotated[
    int | None, typer.Option("--checkpoint-every", help="Steps between checkpoints; usual: 6 for retrieval, else 50.")
]
HeadRate = Annotated[float, typer.Option(help="The head learns at this multiple of the rate.")]
Optimiser = Annotated[str, typer.Option(help="adamw, adam or sgd.")]
Decay = Annotated[str, typer.Option(help="linear, cosine or constant.")]
Warmup = Annotated[float, typer.Option(help="Share of the steps over which the rate rises.")]
Clip = Annotated[float, typer.Option(help="Largest norm of the gradient; 0 = unbounded.")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Past = Annotated[int, typer.Option("--history", help="Newest events of a person that are read.")]
HeldOut = Annotated[float, typer.Option(help="Share held out to judge by: latest events; items for retrieval.")]
Negatives = Annotated[int, typer.Option(help="Items drawn beside each event (interest, ranking).")]
Threshold = Annotated[float | None, typer.Option(help="Ratings from here on mean interest; nothing is drawn.")]
ByRating = Annotated[bool, typer.Option("--by-rating", help="Rank what was rated by its rating; nothing is drawn.")]
Column = Annotated[str | None, typer.Option("--category", help="Column of the items with their category.")]
Rare = Annotated[str, typer.Option(help="Classes with one example: refuse or drop.")]
Teacher = Annotated[str, typer.Option(help="Cross-encoder that --loss distil learns from: model/ of its run.")]
Dims = Annotated[str, typer.Option(help="Shorter lengths at which vectors work as well, e.g. 64,128 (retrieval).")]

Against = Annotated[
    str | None, typer.Option("--adversary", help="Train against fgm, pgd, vat, typos or consistency (under typos).")
]
Wrong = Annotated[float, typer.Option("--adversary-rate", help="Share of words mistyped (typos, consistency).")]
Force = Annotated[float, typer.Option("--adversary-weight", help="Weight of the adversary's loss beside the task's.")]


def finetune(
    data: Data,
    out: Out,
    task: Kind = TaskName.retrieval,
    items: Items = None,
    users: Users = None,
    loss: Loss = None,
    head: HeadKind = "attention",
    reads: Reads = "apart",
    hidden: Hidden = 128,
    model: Model = "all-MiniLM-L6-v2",
    template: Template = None,
    max_tokens: MaxTokens = 96,
    mode: Mode = None,
    layers: Layers = 2,
    rank: Rank = 8,
    dropout: InnerDropout = None,
    token_dropout: TokenDropout = None,
    history: Past = 20,
    negatives: Negatives = 4,
    threshold: Threshold = None,
    by_rating: ByRating = False,
    category: Column = None,
    rare: Rare = "refuse",
    dims: Dims = "",
    teacher: Teacher = "",
    held_out: HeldOut = 0.1,
    steps: Steps = None,
    batch: Batch = None,
    rate: PeakRate = None,
    head_rate: HeadRate = 20.0,
    optimiser: Optimiser = "adamw",
    warmup: Warmup = 0.1,
    decay: Decay = "linear",
    accumulate: Accumulate = 1,
    clip: Clip = 1.0,
    precision: Precision = "auto",
    validate_every: Judged = None,
    patience: Patience = 5,
    checkpoint_every: Kept = None,
    adversary: Against = None,
    adversary_weight: Force = 1.0,
    adversary_rate: Wrong = 0.2,
    seed: Seed = 0,
    track: Track = None,
    columns: Map = None,
    weights: Weights = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a language model on what people did.

    Give training data: the latest of it is held out to judge by. The same command takes up a run that was cut off.
    """
    from warmstart.learn.adversarial import Adversary
    from warmstart.learn.attacks import Attack
    from warmstart.learn.finetune import Finetuning, Source
    from warmstart.learn.heads import HeadSettings
    from warmstart.learn.pairs import Pairing
    from warmstart.learn.settings import Training, Tuning

    typos = Attack("typos", adversary_rate)
    guard = Adversary(adversary, adversary_weight, attack=typos) if adversary else None
    usual = RETRIEVES if task is TaskName.retrieval else ANSWERS
    settings = Finetuning(
        source=Source(model, max_tokens, template),
        tuning=Tuning(
            mode or usual.tuning,
            layers,
            rank,
            dropout=usual.dropout if dropout is None else dropout,
            token_dropout=usual.token_dropout if token_dropout is None else token_dropout,
        ),
        training=Training(
            steps=usual.steps if steps is None else steps,
            batch=usual.batch if batch is None else batch,
            learning_rate=usual.learning_rate if rate is None else rate,
            head_rate=head_rate,
            optimiser=optimiser,
            warmup=warmup,
            decay=decay,
            accumulate=accumulate,
            clip=clip,
            precision=precision,
            validate_every=usual.validate_every if validate_every is None else validate_every,
            patience=patience,
            checkpoint_every=usual.checkpoint_every if checkpoint_every is None else checkpoint_every,
            seed=seed,
        ),
        head=HeadSettings(head, reads, hidden),
        pairing=Pairing(history, held_out),
        adversary=guard,
    )
    options = Asked(task, loss, negatives, threshold, by_rating, category, rare, dims, teacher)
    dataset, _ = Tables(data, items, users=users, map=columns, weights=weights).read()
    with learning() as watch:
        learned = options.learn(dataset, out, settings, trackers(track), watch)
    show(learned, as_json)


@dataclass(frozen=True)
class Asked:
    """What the options say of the task."""

    task: TaskName
    loss: str | None
    negatives: int
    threshold: float | None
    by_rating: bool
    category: str | None
    rare: str
    dims: str
    teacher: str = ""

    def __post_init__(self) -> None:
        if self.loss is not None and self.task not in (TaskName.retrieval, TaskName.ranking):
            raise ConfigError(f"--loss {self.loss!r} has no meaning for task {self.task.value!r}; leave it out")
        if self.teacher and self.task is not TaskName.retrieval:
            raise ConfigError(f"--teacher {self.teacher!r} has no meaning for task {self.task.value!r}; leave it out")

    def learn(self, data: Dataset, out: Path, settings: Finetuning, track: list[str], watch: Watch) -> Learned:
        """Fine-tune."""
        from warmstart.learn.finetune import finetune as run
        from warmstart.learn.finetune_retrieval import RetrievalTask, finetune_retrieval

        if self.task is TaskName.retrieval:
            wanted = RetrievalTask(self.loss or "elsa", lengths(self.dims), settings.pairing.held_out, self.teacher)
            return finetune_retrieval(data, wanted, out, settings, track=track, watch=watch)
        return run(data, self.over_pairs(data.catalog), out, settings, track=track, watch=watch)

    def over_pairs(self, catalog: Catalog) -> Task:
        """The task over people and items."""
        from warmstart.learn.category import Category
        from warmstart.learn.interest import Interest
        from warmstart.learn.ranking import Ranking
        from warmstart.learn.rating import Rating

        if self.task is TaskName.interest:
            return Interest(self.threshold, self.negatives)
        if self.task is TaskName.category:
            return Category.of(catalog, self.category, self.rare)
        return Rating() if self.task is TaskName.rating else Ranking(self.loss or "bpr", self.negatives, self.by_rating)


def lengths(text: str) -> tuple[int, ...]:
    """Numbers between commas.

    Raises
    ------
    ConfigError
        If something is no number.

    Examples
    --------
    >>> lengths("64, 128"), lengths("")
    ((64, 128), ())
    """
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"--dims {text!r} holds something that is no number; write e.g. 64,128") from None


def show(learned: Learned, as_json: bool) -> None:
    """Say what came out: figures on held-out data at first, at best, and without reading."""
    from warmstart.learn.finetune import MODEL

    outcome = learned.outcome
    told: dict[str, Any] = {"model": str(learned.folder / MODEL), "examples": learned.examples}
    told |= {"judged": learned.judged, "steps": outcome.steps, "best_step": outcome.best_step}
    figures = {"at first": outcome.first, "at best": outcome.best, "without reading": learned.trivial}
    if as_json:
        return emit(told | {name.replace(" ", "_"): values for name, values in figures.items()})
    lines = [f"{name}: {value}" for name, value in told.items()]
    lines += [f"{name}: {', '.join(f'{k} {v:.4f}' for k, v in f.items())}" for name, f in figures.items() if f]
    answers().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    return None
