"""Fine-tuning for retrieval: an encoder whose vectors of items that people share lie together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError
from warmstart.learn.adversarial import Adversary, against
from warmstart.learn.attacks import Attack
from warmstart.learn.backbone import Backbone
from warmstart.learn.cross_export import cached_cross, cross_fingerprint
from warmstart.learn.finetune import MODEL, Finetuning, Learned
from warmstart.learn.harden import HardenObjective
from warmstart.learn.loop import learn
from warmstart.learn.mining import categories_of
from warmstart.learn.mirrors import follow
from warmstart.learn.multiple_negatives import MultipleNegatives, MultipleNegativesObjective
from warmstart.learn.objective import Watch
from warmstart.learn.processes import Processes
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run, model_card
from warmstart.learn.settings import choose, share
from warmstart.learn.teach import Teaching, TeachingObjective
from warmstart.text.templates import item_texts

LOSSES = ("elsa", "pairs", "distil", "harden")


@dataclass(frozen=True)
class RetrievalTask:
    """By which loss, and how long vectors may be.

    Parameters
    ----------
    loss
        "elsa" over sampled users and items; "pairs": mined partners among multiple negatives; "distil": the margins of
        a cross-encoder; "harden": the model keeps its vectors and comes to give them under the settings' adversary too.
    dims
        Shorter lengths at which the vectors must work as well.
    held_out
        Share of the items with events that is kept to judge by: new items ranked among themselves.
    teacher
        The cross-encoder of "distil": ``model`` of a run that reads together, or what ``export_cross`` made of it.
    """

    loss: str = "elsa"
    dims: tuple[int, ...] = ()
    held_out: float = 0.1
    teacher: str = ""

    def __post_init__(self) -> None:
        choose("loss", self.loss, LOSSES)
        share("held_out", self.held_out, 0.1)
        if self.loss == "distil" and not self.teacher:
            raise ConfigError("loss='distil' has nobody to learn from; name a cross-encoder as teacher (--teacher)")
        if self.teacher and self.loss != "distil":
            raise ConfigError(f"teacher={self.teacher!r} beside loss={self.loss!r}; leave it out, or take 'distil'")
        if self.dims and self.loss not in ("elsa", "pairs"):
            raise ConfigError(f"dims={self.dims} beside loss={self.loss!r}; elsa and pairs learn shorter lengths")


def finetune_retrieval(
    data: Dataset,
    task: RetrievalTask,
    out: str | Path,
    settings: Finetuning,
    *,
    track: Sequence[str] = (),
    watch: Watch | None = None,
) -> Learned:
    """Fine-tune an encoder for retrieval; ``model/`` of the run is a text encoder for recipes.

    Head and pairing of the settings play no part; but "distil" reads ``pairing.history`` events of a person.

    Raises
    ------
    ConfigError
        If no weights of the language model are to learn.
    DataError
        If too few items have both text and events.
    TrainingError
        If the loss is not a number, or the disk is full.
    """
    if settings.tuning.mode == "frozen":
        raise ConfigError("tuning='frozen' leaves nothing to learn for retrieval; choose full, last or lora")
    objective = _objective(data, task, settings)
    guarded = against(objective, objective.backbone, None if task.loss == "harden" else settings.adversary)
    processes = Processes(settings.training.precision)
    asked, key, sizes = _asked(task, settings), data.fingerprint(), data.sizes()
    run = Run.begin(out, "finetune retrieval", asked, key, sizes=sizes, writes=processes.main)
    outcome = learn(guarded, settings.training, follow(run, track), processes, watch)
    if run.writes:
        objective.backbone.save(run.folder / MODEL)
    run.end(outcome.status, outcome.result())
    return Learned(run.folder, outcome, {}, len(objective.items), len(objective.held))


def _asked(task: RetrievalTask, settings: Finetuning) -> dict[str, Any]:
    """All that decides what comes out: settings that play a part, and the weights of model and teacher."""
    asked = {name: part for name, part in asdict(settings).items() if name not in ("head", "pairing")}
    asked |= model_card(settings.source.model) | {"task": asdict(task)}
    if task.teacher:
        asked |= {"teacher": cross_fingerprint(task.teacher), "history": settings.pairing.history}
    return asked


def _objective(
    data: Dataset, task: RetrievalTask, settings: Finetuning
) -> RetrievalObjective | MultipleNegativesObjective | TeachingObjective | HardenObjective:
    """The objective of the loss's name, on a fresh language model."""
    source, seed, x = settings.source, settings.training.seed, data.interactions
    backbone = Backbone(source.model, settings.tuning, max_tokens=source.max_tokens, seed=seed)
    texts = item_texts(data.catalog, source.template)
    if task.loss == "elsa":
        return RetrievalObjective(backbone, texts, x, Retrieval(held_out=task.held_out, dims=task.dims), seed)
    if task.loss == "harden":
        return HardenObjective(backbone, texts, x, _attack(settings.adversary), task.held_out, seed)
    if task.loss == "distil":
        teaching = Teaching(settings.pairing.history, task.held_out)
        return TeachingObjective(backbone, data, cached_cross(task.teacher), teaching, seed, source.template)
    wanted = MultipleNegatives(held_out=task.held_out, dims=task.dims)
    return MultipleNegativesObjective(backbone, texts, x, wanted, seed, categories_of(data.catalog))


def _attack(adversary: Adversary | None) -> Attack:
    """What a model is hardened against: typing errors, as the adversary says.

    Raises
    ------
    ConfigError
        If it is one of those that need a loss of their own.
    """
    if adversary is None:
        return Attack("typos")
    if adversary.method != "typos":
        raise ConfigError(f"adversary={adversary.method!r} beside loss='harden'; give 'typos', or none")
    return adversary.attack
