"""An encoder that learned from what people did: fine-tuned once for given data, kept, and used without torch."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError
from warmstart.learn.backbone import Backbone
from warmstart.learn.held_items import HeldItems
from warmstart.learn.loop import BEST, CHECKPOINT, learn
from warmstart.learn.processes import Processes
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning, at_least, choose
from warmstart.text.card import CARD
from warmstart.text.onnx_export import export_onnx
from warmstart.text.reading import source_fingerprint
from warmstart.text.templates import item_texts
from warmstart.text.weights import MINILM, cache_home, fingerprint_of, weights_folder

LOG = logging.getLogger(__name__)
TASKS = ("retrieval",)
STAGE = "fine-tuning the encoder"
RUN, MODEL, ONNX = "run", "model", "onnx"
FORMAT = 2
Progress = Callable[[str, int, int], None]  # stage, steps done, steps in all


@dataclass(frozen=True)
class Finetune:
    """What a recipe says of fine-tuning its text encoder.

    Parameters
    ----------
    task
        "retrieval": texts of items that people share come to lie together.
    model
        The encoder to begin with (see ``weights_folder``).
    max_tokens
        Tokens of a text that are read, then and later; 0 = what the model's own files say.
    int8
        Whether the exported encoder is quantised: a quarter of the size, at least twice as fast.
    characters
        Items a step: as many as hold so many characters of text, 256 to 1,024; 0 = ``training.batch``.
    epochs
        Readings of every item that teaches: decides the steps, and four validations; 0 = as ``training`` says.
    tuning, training, retrieval
        Which weights learn, how, and by which loss.

    Raises
    ------
    ConfigError
        If ``training`` gives steps, validations or a batch that ``epochs`` or ``characters`` would decide.
    """

    task: str = "retrieval"
    model: str = MINILM
    max_tokens: int = 96
    int8: bool = True
    characters: int = 140_000
    epochs: float = 12.0
    tuning: Tuning = field(default_factory=lambda: Tuning(dropout=0.1, token_dropout=0.2))
    training: Training = field(default_factory=lambda: Training(learning_rate=2e-4, checkpoint_every=6))
    retrieval: Retrieval = field(default_factory=Retrieval)

    def __post_init__(self) -> None:
        choose("task", self.task, TASKS)
        at_least("max_tokens", self.max_tokens, 0)
        at_least("characters", self.characters, 0)
        at_least("epochs", self.epochs, 0)
        for ruler, names in (("epochs", ("steps", "validate_every")), ("characters", ("batch",))):
            for name in names:
                value = getattr(self.training, name)
                if getattr(self, ruler) and value != getattr(Training, name):
                    raise ConfigError(f"training.{name}={value} beside {ruler}, which decides it; set {ruler} = 0")

    def for_data(self, data: Dataset, template: str | None = None) -> Training:
        """The same for a dataset: held-out items, and those without text or events, teach nothing."""
        texts, seed = item_texts(data.catalog, template), self.training.seed
        teaching = HeldItems.of(texts, data.interactions, self.retrieval.held_out, seed).items
        return self.for_texts([texts[i] for i in teaching])

    def for_texts(self, texts: Sequence[str]) -> Training:
        """The loop's settings with a batch and steps that fit so many texts of this length.

        Examples
        --------
        >>> made = Finetune(characters=1000).for_texts(["ab"] * 4000)
        >>> made.batch, made.steps, made.validate_every
        (500, 96, 24)
        """
        made, n = self.training, max(1, len(texts))
        if self.characters:
            fitting = self.characters * n // max(1, sum(map(len, texts)))
            made = replace(made, batch=min(max(256, fitting), 1024))
        if self.epochs:
            steps = max(1, round(self.epochs * n / min(n, made.batch)))
            made = replace(made, steps=steps, validate_every=max(1, steps // 4))
        return made


def finetune_encoder(
    data: Dataset,
    settings: Finetune | None = None,
    *,
    template: str | None = None,
    progress: Progress | None = None,
    home: Path | None = None,
) -> Path:
    """Fine-tune a text encoder on the events of a dataset and export it; done once for equal data and settings.

    Only ``data.interactions`` and the texts of ``data.catalog`` are looked at: give training data.

    Parameters
    ----------
    data
        What may be learned from.
    settings
        None = the default ones.
    template
        Text of an item from its columns (see ``item_texts``).
    progress
        Told (stage, steps done, steps in all) after every step.
    home
        Folder of such encoders; None = ``finetuned`` in the user's cache. A killed call goes on from its last
        checkpoint there; a finished one is found again.

    Returns
    -------
    Path
        A folder with ``onnx`` (for ``OnnxEncoder``), ``model`` (for ``TransformerEncoder`` and further training) and
        ``run`` (settings, figures by step).

    Raises
    ------
    DataError
        If too few items have both a text and an event, or no user has two events.
    TrainingError
        If the loss is not a number, or the disk is full; the last checkpoint stays.
    MissingExtra
        If torch, transformers or onnx is not installed.
    """
    wanted = settings or Finetune()
    texts = item_texts(data.catalog, template)
    folder = (home or cache_home() / "finetuned") / key_of(data, texts, wanted)[:24]
    if (folder / ONNX / CARD).is_file():
        LOG.info("encoder fine-tuned before: %s", folder)
        return folder
    processes = Processes(wanted.training.precision)
    if not (folder / MODEL / "config.json").is_file():
        _train(data, texts, wanted, folder, processes, progress)
    if processes.main:
        export_onnx(folder / MODEL, folder / ONNX, int8=wanted.int8)
    processes.wait()
    return folder


def key_of(data: Dataset, texts: list[str], settings: Finetune) -> str:
    """SHA-256 (hex) over all that decides what comes out: events, texts, first weights, settings."""
    asked = json.dumps(asdict(settings) | {"format": FORMAT}, sort_keys=True)
    first = source_fingerprint(weights_folder(settings.model))
    return fingerprint_of(data.fingerprint(), "\0".join(texts), first, asked)


def _train(
    data: Dataset, texts: list[str], wanted: Finetune, folder: Path, processes: Processes, progress: Progress | None
) -> None:
    """Learn in ``folder/run``; then the model is moved into place whole, and checkpoints go."""
    backbone = Backbone(wanted.model, wanted.tuning, max_tokens=wanted.max_tokens or None, seed=wanted.training.seed)
    objective = RetrievalObjective(backbone, texts, data.interactions, wanted.retrieval, wanted.training.seed)
    run = Run.begin(folder / RUN, f"engine {wanted.task}", asdict(wanted), data.fingerprint(), writes=processes.main)

    def watch(stage: str, done: int, total: int, _figures: dict[str, float]) -> None:
        if progress is not None and stage == "training":
            progress(STAGE, done, total)

    loop = wanted.for_texts([texts[i] for i in objective.items])
    out = learn(objective, loop, run, processes, watch)
    if processes.main:
        _keep(backbone, folder)
    run.end(out.status, out.result())
    processes.wait()


def _keep(backbone: Backbone, folder: Path) -> None:
    fresh = folder / (MODEL + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    backbone.save(fresh)
    shutil.rmtree(folder / MODEL, ignore_errors=True)
    fresh.rename(folder / MODEL)
    for name in (CHECKPOINT, BEST):  # four times the model's size, of no use any more
        (folder / RUN / name).unlink(missing_ok=True)
