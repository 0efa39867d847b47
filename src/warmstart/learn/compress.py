"""Smaller forms of a model, each made, written and measured against the original."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.errors import ArtefactError, ConfigError, WarmstartError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.held_items import HeldItems
from warmstart.learn.measure import Row, Yardstick, megabytes, timed, zipped_megabytes
from warmstart.learn.plan import Plan
from warmstart.learn.processes import one_alone
from warmstart.learn.prune import pruned, sparsity
from warmstart.learn.quantise import FloatVectors
from warmstart.learn.settings import Training, at_least, share
from warmstart.learn.shrink import shrink
from warmstart.learn.static_distil import distil_static
from warmstart.learn.truncate import project, truncate
from warmstart.learn.vector_file import MORE, STORINGS, VECTORS
from warmstart.text.card import CARD, read_card
from warmstart.text.choose import encoder_from_folder
from warmstart.text.onnx import FILES as ONNX_FILES
from warmstart.text.onnx import OnnxEncoder
from warmstart.text.onnx_export import export_onnx
from warmstart.text.static_table import StaticTable
from warmstart.text.templates import item_texts
from warmstart.text.transformer import TransformerEncoder
from warmstart.text.weights import is_gguf, weights_folder

Tell = Callable[[str, int, int], None]  # stage, done, total
MODEL = "model"  # the transformer of a form that has one of its own, to train or compress further
RUNS = "runs"


@dataclass(frozen=True)
class Compression:
    """Settings.

    Parameters
    ----------
    held_out, seed
        Share of the items that forms are judged on, and which; fine-tuning for retrieval with the same two, on the
        same events, holds out the same items.
    training
        Of students and of what recovers from pruning; None = they do not learn.
    template
        Of item texts.
    more
        Texts besides the catalogue's for students and tables to learn from.
    """

    held_out: float = 0.1
    seed: int = 0
    training: Training | None = field(default_factory=Training)
    template: str | None = None
    more: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        share("held_out", self.held_out, 0.1, none=False)
        at_least("seed", self.seed, 0)


def compress(
    model: str | Path,
    data: Dataset,
    wanted: Sequence[Plan],
    out: str | Path,
    settings: Compression | None = None,
    tell: Tell | None = None,
) -> Iterator[Row]:
    """Make every form, write it to ``out/FORM`` and measure it; the first row is the original.

    Students, tables and projections are fitted on texts of items that are not held out; all is measured on those that
    are. A form whose folder exists is made anew.

    Parameters
    ----------
    model
        A transformer: folder, GGUF file or name.
    data
        The catalogue, and the events that say who likes what.
    wanted
        Forms.
    out
        Folder for all of them; students that were interrupted there go on.

    Raises
    ------
    ConfigError
        If a form is impossible for this model, or several processes were started.
    ArtefactError
        If the model cannot be loaded, or a form cannot be written; those before it stay.
    """
    one_alone("compress")
    s = settings or Compression()
    target = Path(out)
    shop = _Workshop(model, data, s, target, tell or (lambda *_: None))
    for plan in wanted:
        plan.check(shop.original.dim, shop.depth)
    for folder in (target / p.folder for p in wanted):
        if folder.exists() and not ((folder / CARD).is_file() or (folder / VECTORS).is_file()):
            raise ConfigError(f"{folder} is there and holds no encoder; remove it or give another -o")
    return shop.rows(wanted)


class _Workshop:
    """The original, what was measured of it, and bodies that several forms share."""

    def __init__(self, model: str | Path, data: Dataset, s: Compression, out: Path, tell: Tell) -> None:
        self.model, self.s, self.out, self.tell = str(model), s, out, tell
        self.texts = item_texts(data.catalog, s.template)
        self.ids = data.catalog.items.names(np.arange(len(self.texts)))
        self.held = HeldItems.of(self.texts, data.interactions, s.held_out, s.seed)
        if not len(self.held.held) or not len(self.held.users):
            raise ConfigError(f"held_out={s.held_out} leaves nobody to ask; give a larger share")
        self.source = weights_folder(self.model)
        self.original = TransformerEncoder(self.model, progress=partial(tell, "original"))
        self.depth = self.original.depth
        held = set(self.held.held.tolist())
        self.taught = np.array([i for i, t in enumerate(self.texts) if t.strip() and i not in held])
        self.made: dict[Plan, tuple[Path, np.ndarray, float]] = {}
        self.notes: dict[Plan, str] = {}  # of students

    def rows(self, wanted: Sequence[Plan]) -> Iterator[Row]:
        """The original, then every form."""
        vectors, speed = timed(self.original.encode, self.texts)
        self.yard = Yardstick(self.held, vectors)
        self.lessons = self._lessons(vectors)
        files = _weights(self.source)
        sizes = megabytes(files), zipped_megabytes(files), vectors.size * 4 / 1e6
        judged = self.yard.judge(FloatVectors(vectors), vectors)
        yield Row("original", *sizes, speed, judged, str(self.source))
        with _written(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.out) as work:
            for plan in wanted:
                with _written(self.out / plan.folder):
                    yield self._form(plan, Path(work))

    def _lessons(self, vectors: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Texts to learn from, and the original's vectors of them."""
        texts = [self.texts[i] for i in self.taught]
        more = [t for t in self.s.more if t.strip()]
        told = self.original.encode(more) if more else np.zeros((0, vectors.shape[1]), np.float32)
        return [*texts, *more], np.vstack([vectors[self.taught], told])

    def _form(self, plan: Plan, work: Path) -> Row:
        """Make, write and measure one form."""
        folder = work / "form"
        body, vectors, speed = self._body(plan, work)
        folder.mkdir() if body is None else shutil.copytree(body, folder)
        if length := plan.dims or plan.pca:
            truncate(folder, length) if plan.dims else project(folder, length, vectors[self.taught])
            vectors = encoder_from_folder(folder).ending.apply(vectors)
        encoder = encoder_from_folder(folder) if body else self.original
        storing = STORINGS[plan.stored]
        storing.write(folder, vectors, self.ids, encoder.fingerprint)
        files = _files(folder) if body else _weights(self.source)
        row = Row(
            plan.name,
            megabytes(files),
            zipped_megabytes(files),
            vectors.size * storing.bytes / 1e6,
            speed,
            self.yard.judge(storing.fit(vectors), vectors),
            str(self.out / plan.folder),
            self._note(plan, folder),
        )
        shutil.rmtree(self.out / plan.folder, ignore_errors=True)
        folder.rename(self.out / plan.folder)
        return row

    def _body(self, plan: Plan, work: Path) -> tuple[Path | None, np.ndarray, float]:
        """The folder that computes a form's vectors (None = the original), the vectors and the speed."""
        key = plan.body
        if not plan.engine:
            return None, self.yard.vectors, float("nan")
        if key not in self.made:
            folder = work / f"body-{len(self.made)}"
            source = self._transformer(plan, work)
            self.tell(f"{plan.name}: writing", 0, 0)
            if plan.engine == "static":
                told = partial(self.tell, f"{plan.name}: tokens")
                distil_static(Backbone(source), *self.lessons, folder, progress=told)
            else:
                export_onnx(source, folder, int8=plan.engine == "int8")
            if source != self.source:
                shutil.copytree(source, folder / MODEL)
            encoder = _one_thread(folder, partial(self.tell, f"{plan.name}: encoding"))
            self.made[key] = (folder, *timed(encoder.encode, self.texts))
        return self.made[key]

    def _transformer(self, plan: Plan, work: Path) -> Path:
        """The transformer behind a form: the original, or a student made of it, once for all forms that share it."""
        key = Plan("", plan.layers, plan.prune)
        if key == Plan(""):
            return self.source
        folder = work / f"{plan.layers}-{plan.prune}"
        if not folder.is_dir():
            run = self.out / RUNS / f"{'layers' if plan.layers else 'prune'}-{plan.layers or plan.prune}"
            self._student(plan, run).save(folder)
        return folder

    def _student(self, plan: Plan, run: Path) -> Backbone:
        """Fewer layers or fewer weights, after learning."""
        s = self.s

        def watch(stage: str, step: int, steps: int, _: dict[str, float]) -> None:
            self.tell(f"{plan.name}: {stage}", step, steps)

        if plan.layers is not None:
            return shrink(self.source, plan.layers, *self.lessons, s.training, run, watch)
        assert plan.prune is not None
        student = pruned(self.source, plan.prune, *self.lessons, s.training, run, watch)
        self.notes[Plan("", None, plan.prune)] = f"sparsity of linear layers {sparsity(student):.3f}"
        return student

    def _note(self, plan: Plan, folder: Path) -> str:
        """What the figures do not say."""
        notes = [self.notes.get(Plan("", plan.layers, plan.prune), "")]
        if plan.engine == "int8" and not read_card(folder, ONNX_FILES)["int8"]:
            notes.append("int8 was too far off, float32 was kept")
        return "; ".join(n for n in notes if n)


def _one_thread(folder: Path, progress: Callable[[int, int], None]) -> OnnxEncoder | StaticTable:
    """The encoder of a folder, as it is measured."""
    encoder = encoder_from_folder(folder)
    return OnnxEncoder(folder, threads=1, progress=progress) if isinstance(encoder, OnnxEncoder) else encoder


def _files(folder: Path) -> list[Path]:
    """Files of an encoder's folder that serving needs, stored vectors aside."""
    return sorted(f for f in folder.iterdir() if f.is_file() and f.name not in (VECTORS, MORE))


def _weights(source: Path) -> list[Path]:
    """Files of a transformer that serving needs most of: weights and tokenizer."""
    return [source] if is_gguf(source) else [*sorted(source.glob("*.safetensors")), *source.glob("tokenizer.json")]


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Turn what a full or forbidden disk says, in whatever library's words, into one line."""
    refused = require("safetensors", extra="lm").SafetensorError
    try:
        yield
    except WarmstartError:
        raise
    except (OSError, refused) as error:
        raise ArtefactError(
            f"{folder} could not be written ({error}); what was finished before stays; free the disk and run it again"
        ) from error
