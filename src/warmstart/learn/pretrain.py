"""Domain-adaptive pretraining: a language model learns the words of a catalogue before it learns of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError
from warmstart.learn.backbone import Backbone
from warmstart.learn.causal import CausalObjective
from warmstart.learn.corpus import Corpus
from warmstart.learn.denoise import DenoiseObjective
from warmstart.learn.loop import CHECKPOINT, FIRST, learn
from warmstart.learn.masked import MaskedObjective
from warmstart.learn.mining import categories_of
from warmstart.learn.mirrors import follow
from warmstart.learn.multiple_negatives import MultipleNegatives, MultipleNegativesObjective
from warmstart.learn.objective import Objective, Watch
from warmstart.learn.processes import Processes
from warmstart.learn.run import Run, model_card
from warmstart.learn.settings import Training, Tuning, at_least, choose, share
from warmstart.learn.tokens import TokenObjective, alone
from warmstart.text.reading import Reading
from warmstart.text.templates import item_texts
from warmstart.text.weights import MINILM, fingerprint_of, weights_folder

METHODS = ("masked", "causal", "denoise", "contrast")
HEAD_FOLDER, MODEL_FOLDER = "head", "model"
_HEADS = {"masked": "masked", "causal": "causal"}


@dataclass(frozen=True)
class Pretraining:
    """What is learned from unlabelled text.

    Parameters
    ----------
    method
        "masked" (encoders), "causal" (decoders), "denoise" (either), or "contrast" (either; from what people
        consume together, see ``MultipleNegativesObjective``).
    masked, deleted
        Share of the tokens that "masked" predicts and that "denoise" deletes.
    head_steps
        Steps, at most, in which weights that no file had (a head, the decoder of "denoise") learn alone, before
        "before" is measured. 0 = none: what comes out is then mostly the learning of the head.
    held_out, most_held
        Share of the texts ("contrast": of the items with events) that is held out, and about how many at most.
    max_tokens
        Tokens of a text that are learned from; None = as far as the model reads.
    column
        Column or field of the files that have such.
    template
        How a text is made from the columns of the catalogue, see ``item_texts``.
    """

    method: str = "masked"
    masked: float = 0.15
    deleted: float = 0.6
    head_steps: int = 100
    held_out: float = 0.1
    most_held: int = 2000
    max_tokens: int | None = None
    column: str = "text"
    template: str | None = None

    def __post_init__(self) -> None:
        choose("method", self.method, METHODS)
        at_least("head_steps", self.head_steps, 0)
        for name, usual in (("masked", 0.15), ("deleted", 0.6), ("held_out", 0.1)):
            share(name, getattr(self, name), usual, none=False)
        at_least("most_held", self.most_held, 1)
        at_least("max_tokens", 2 if self.max_tokens is None else self.max_tokens, 2)


@dataclass(frozen=True)
class Pretrained:
    """What came out.

    Parameters
    ----------
    model
        A folder that ``TransformerEncoder``, a recipe (``encoder = "folder"``) and any further run read.
    watched
        The figure by which the best weights were chosen: "perplexity" or "ndcg@10".
    untrained
        Held-out figures while head or decoder were still random; empty where none was.
    before
        Held-out figures of the model as it was given, with head or decoder trained.
    after
        Held-out figures of the model that was kept.
    steps, best_step
        Steps taken, and after which of them the model was had; 0 = nothing was better than the beginning.
    stopped
        Whether it ended before its last step, for nothing improved.
    """

    model: Path
    watched: str
    untrained: dict[str, float]
    before: dict[str, float]
    after: dict[str, float]
    steps: int
    best_step: int
    stopped: bool


def pretrain(
    out: str | Path,
    data: Dataset | Catalog | None = None,
    texts: Sequence[str] = (),
    files: Sequence[str | Path] = (),
    model: str | Path = MINILM,
    settings: Pretraining | None = None,
    tuning: Tuning | None = None,
    training: Training | None = None,
    track: Sequence[str] = (),
    watch: Watch | None = None,
) -> Pretrained:
    """Train a language model on the texts of a catalogue, on others, and on files larger than memory.

    A run that was killed goes on when it is called again with the same arguments.

    Parameters
    ----------
    out
        Folder of the run; ``out/model`` is the model.
    data
        The catalogue, alone or in a dataset; "contrast" needs the events too.
    texts, files
        Further texts; see ``Corpus.of``.
    model
        A folder, a GGUF file or a model name.
    settings, tuning, training
        Method, which weights learn, and how.
    track
        Mirrors by name; see ``follow``.
    watch
        Told of every step.

    Raises
    ------
    ConfigError
        If method and model do not go together, nothing would learn, or ``out`` holds another run.
    DataError
        If there are too few texts, or a file cannot be read.
    TrainingError
        If the loss is not a number, or a file cannot be written.
    """
    s, tuning, training = settings or Pretraining(), tuning or Tuning(), training or Training()
    _check(s.method, tuning, model)
    learned = _Learned.of(s, data, texts, files)
    backbone = Backbone(model, tuning, _HEADS.get(s.method, "none"), seed=training.seed)
    objective = learned.objective(backbone, s, training.seed)
    asked = model_card(model) | {"pretraining": asdict(s), "tuning": asdict(tuning), "training": asdict(training)}
    processes = Processes(training.precision)
    run = Run.begin(out, "pretrain", asked, learned.fingerprint, sizes=learned.sizes(), writes=processes.main)
    follow(run, track)
    untrained = _head_alone(objective, run, replace(training, steps=max(1, s.head_steps)), s, processes, watch)
    outcome = learn(objective, training, run, processes, watch)
    if processes.main:
        backbone.save(Path(out) / MODEL_FOLDER, vectors_only=s.method not in _HEADS)
    processes.wait()
    run.end(outcome.status, outcome.result() | {f"untrained/{k}": v for k, v in untrained.items()})
    how = (outcome.steps, outcome.best_step, outcome.stopped)
    return Pretrained(Path(out) / MODEL_FOLDER, objective.watched, untrained, outcome.first, outcome.best, *how)


@dataclass(frozen=True)
class _Learned:
    """What there is to learn from: a corpus, or a dataset and its texts."""

    fingerprint: str
    corpus: Corpus | None
    data: Dataset | None
    texts: Sequence[str]

    @classmethod
    def of(
        cls, s: Pretraining, data: Dataset | Catalog | None, texts: Sequence[str], files: Sequence[str | Path]
    ) -> _Learned:
        catalog = data.catalog if isinstance(data, Dataset) else data
        own = [] if catalog is None else item_texts(catalog, s.template)
        if s.method != "contrast":
            corpus = Corpus.of([*own, *texts], files, s.column, s.held_out, s.most_held)
            return cls(corpus.fingerprint, corpus, None, ())
        if not isinstance(data, Dataset) or texts or files:
            raise ConfigError(
                "method='contrast' learns from events and the texts of their items alone; give DATA (in Python a "
                "dataset), and neither --texts nor files"
            )
        return cls(fingerprint_of(data.fingerprint(), "\n".join(own)), None, data, own)

    def sizes(self) -> dict[str, int]:
        """How many texts there are, or of a dataset users, items and events."""
        if self.data is not None:
            return self.data.sizes()
        assert self.corpus is not None
        return {"texts": len(self.corpus.train), "held-out texts": len(self.corpus.held)}

    def objective(self, backbone: Backbone, s: Pretraining, seed: int) -> Objective:
        if self.data is not None:
            held = MultipleNegatives(held_out=s.held_out)
            kinds = categories_of(self.data.catalog)
            return MultipleNegativesObjective(backbone, self.texts, self.data.interactions, held, seed, kinds)
        assert self.corpus is not None
        train, held_texts = self.corpus.train, self.corpus.held
        if s.method == "masked":
            return MaskedObjective(backbone, train, held_texts, s.max_tokens, seed, s.masked)
        if s.method == "causal":
            return CausalObjective(backbone, train, held_texts, s.max_tokens, seed)
        return DenoiseObjective(backbone, train, held_texts, s.max_tokens, seed, s.deleted)


def _check(method: str, tuning: Tuning, model: str | Path) -> None:
    """Refuse to learn nothing, and a method that the model's kind cannot learn by."""
    if tuning.mode == "frozen":
        raise ConfigError("tuning='frozen' would learn nothing that is kept; choose full, last or lora")
    decoder = Reading.of(weights_folder(str(model))).pooling == "last"
    if method == "masked" and decoder:
        raise ConfigError(
            f"{model} is a decoder and has no mask to fill, as method='masked' does; take --method causal or denoise"
        )
    if method == "causal" and not decoder:
        raise ConfigError(
            f"{model} is an encoder: it reads the whole text at once and cannot guess the next word, as "
            "method='causal' does; take --method masked or denoise, or a decoder (--model gemma-3-270m)"
        )


def _head_alone(
    objective: Objective, run: Run, training: Training, s: Pretraining, processes: Processes, watch: Watch | None
) -> dict[str, float]:
    """Let weights that began at random learn alone, in a run of their own; the figures from before that."""
    if not isinstance(objective, TokenObjective) or not objective.fresh() or not s.head_steps:
        return {}
    folder = run.folder / HEAD_FOLDER
    if (run.folder / CHECKPOINT).is_file():  # the run went on beyond; its checkpoint holds the head
        result = Run.read(folder).card["result"]
        return {k.removeprefix(FIRST): float(v) for k, v in result.items() if k.startswith(FIRST)}
    asked = run.card["settings"] | {"training": asdict(training)}
    inner = Run.begin(folder, "pretrain head", asked, run.card["data"], writes=processes.main)
    with alone(objective.fresh(), objective):
        outcome = learn(objective, training, inner, processes, watch)
    inner.end(outcome.status, outcome.result())
    return outcome.first
