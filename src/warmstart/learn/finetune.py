"""Fine-tuning: a task over people and items, learned from a dataset, kept in a run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.errors import DataError, require
from warmstart.learn.adversarial import Adversary, against
from warmstart.learn.backbone import Backbone
from warmstart.learn.heads import HeadSettings
from warmstart.learn.held_items import strangers
from warmstart.learn.loop import Outcome, learn
from warmstart.learn.mirrors import follow
from warmstart.learn.objective import Watch
from warmstart.learn.pair_model import PairModel, Plan
from warmstart.learn.pair_objective import PairObjective
from warmstart.learn.pairs import Examples, Pairing, held_out
from warmstart.learn.predictor import FineTuned
from warmstart.learn.processes import Processes
from warmstart.learn.run import Run, model_card
from warmstart.learn.settings import Training, Tuning
from warmstart.learn.task import Task
from warmstart.text.templates import item_texts
from warmstart.text.weights import MINILM

MODEL = "model"


@dataclass(frozen=True)
class Source:
    """Which language model reads what.

    Parameters
    ----------
    model
        A folder, a GGUF file or a model name (see ``weights_folder``).
    max_tokens
        Tokens of a text that are read; None = what the model's own files say.
    template
        Of the items' texts; see ``item_texts``.
    """

    model: str | Path = MINILM
    max_tokens: int | None = None
    template: str | None = None


@dataclass(frozen=True)
class Finetuning:
    """How a task is learned.

    Parameters
    ----------
    source
        The language model and what it reads.
    tuning
        Which of its weights learn; with "frozen" each text is encoded once.
    training
        The loop.
    head
        What stands on it.
    pairing
        How examples are made and held out.
    adversary
        What texts are put through while it learns; None = nothing.
    """

    source: Source = field(default_factory=Source)
    tuning: Tuning = field(default_factory=lambda: Tuning("last"))
    training: Training = field(default_factory=Training)
    head: HeadSettings = field(default_factory=HeadSettings)
    pairing: Pairing = field(default_factory=Pairing)
    adversary: Adversary | None = None


@dataclass(frozen=True)
class Learned:
    """What came out of fine-tuning.

    Parameters
    ----------
    folder
        Of the run; the model is in ``model/`` (see ``FineTuned.load``).
    outcome
        Figures at first and at best, on the held-out examples.
    trivial
        The same figures of whoever reads nothing: the commonest answer, the mean rating, popularity.
    examples, judged
        How many were learned from and judged by.
    """

    folder: Path
    outcome: Outcome
    trivial: dict[str, float]
    examples: int
    judged: int


def finetune(
    data: Dataset,
    task: Task,
    out: str | Path,
    settings: Finetuning | None = None,
    *,
    track: Sequence[str] = (),
    watch: Watch | None = None,
) -> Learned:
    """Fine-tune a language model and a head on a task; a run that was cut goes on.

    Parameters
    ----------
    data
        All that may be learned from: give training data. The latest examples of it are held out to judge by.
    task
        ``Interest``, ``Category.of(data.catalog)``, ``Rating`` or ``Ranking``.
    out
        Folder of the run.
    settings
        Which model, which of its weights learn, how, under which head, from which examples.
    track
        Mirrors by name; see ``follow``.
    watch
        Told of every step.

    Raises
    ------
    DataError
        If there is no text, no label, or a class with one example.
    TrainingError
        If the loss is not a number, or the disk is full.
    """
    settings = settings or Finetuning()
    task, train, held = prepare(data, task, settings)
    objective = PairObjective(_model(data, task, train, settings), data, train, held, settings.training.seed)
    guarded = against(objective, objective.model.backbone, settings.adversary)
    processes = Processes(settings.training.precision)
    asked = asdict(settings) | model_card(settings.source.model) | {"task": vars(task)}
    key, sizes = data.fingerprint(), data.sizes()
    run = Run.begin(out, f"finetune {task.name}", asked, key, sizes=sizes, writes=processes.main)
    outcome = learn(guarded, settings.training, follow(run, track), processes, watch)
    trivial = task.figures(task.trivial(train, held), held.labels)
    if run.writes:
        FineTuned(objective.model, data.catalog).save(run.folder / MODEL)
    run.end(outcome.status, outcome.result() | {f"trivial/{name}": value for name, value in trivial.items()})
    return Learned(run.folder, outcome, trivial, len(train), len(held))


def prepare(data: Dataset, task: Task, settings: Finetuning) -> tuple[Task, Examples, Examples]:
    """The task with what it takes from the training part, the examples to learn from, and those to judge by.

    Raises
    ------
    DataError
        If no item with events has a text, or the labels cannot be learned from.
    """
    template, seed = settings.source.template, settings.training.seed
    known = np.array([bool(t.strip()) for t in item_texts(data.catalog, template)])
    if not known[data.interactions.item].any():
        why = strangers(item_texts(data.catalog, template), data.interactions) or "no item with events has a text"
        raise DataError(f"{why}; give an items table whose columns say something (template={template!r})")
    examples = task.examples(data, known, seed)
    task, train, held = task.fitted(*held_out(data.interactions, examples, settings.pairing, seed))
    if not len(held):
        raise DataError("no held-out example has a class that was learned; give more events, or a larger held_out")
    return task, train, held


def _model(data: Dataset, task: Task, train: Examples, settings: Finetuning) -> PairModel:
    """A fresh head on the language model; ratings of histories are standardised by those to learn from."""
    torch, source, seed = require("torch", extra="lm"), settings.source, settings.training.seed
    x = data.interactions
    ratings = x.rating[train.event]
    ratings = ratings[~np.isnan(ratings)]
    mean, spread = (float(ratings.mean()), float(ratings.std()) or 1.0) if len(ratings) else (0.0, 1.0)
    plan = Plan(task, settings.head, x.kinds, mean, spread, settings.pairing.history, source.template)
    backbone = Backbone(source.model, settings.tuning, max_tokens=source.max_tokens, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PairModel(backbone, plan, data.catalog)
