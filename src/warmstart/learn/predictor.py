"""A fine-tuned model as it is used: histories and items in, probabilities, ratings or scores out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.artefact import pack, unpack
from warmstart.data.catalog import Catalog
from warmstart.data.histories import Histories
from warmstart.data.vocab import check_codes
from warmstart.errors import ArtefactError, ConfigError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.category import Category
from warmstart.learn.checkpoint import load_weights, read_tensors, write_tensors
from warmstart.learn.heads import HeadSettings
from warmstart.learn.interest import Interest
from warmstart.learn.pair_model import PairModel, Plan
from warmstart.learn.pairs import NO_ITEM
from warmstart.learn.ranking import Ranking
from warmstart.learn.rating import Rating
from warmstart.learn.settings import Tuning

CARD, HEAD_FILE, ENCODER = "finetuned.json", "head.safetensors", "encoder"
FORMAT = 1
CLASSES: dict[str, type] = {c.__name__: c for c in (Plan, HeadSettings, Interest, Category, Rating, Ranking)}
_PEOPLE, _ITEMS = 16, 512  # asked about at once


class FineTuned:
    """A model that has learned a task.

    Parameters
    ----------
    model
        Backbone, head, and the texts of the catalogue's items.
    catalog
        The items it is asked about. ``FineTuned.load("run/model", data.catalog)`` gives it both.
    """

    def __init__(self, model: PairModel, catalog: Catalog) -> None:
        self.model, self.catalog = model, catalog

    @property
    def task(self) -> str:
        """Name of the task: "interest", "category", "rating" or "ranking"."""
        return str(self.model.plan.task.name)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of the task "category"; empty for others."""
        task = self.model.plan.task
        return task.classes if isinstance(task, Category) else ()

    def score(self, histories: Histories, items: np.ndarray | None = None) -> np.ndarray:
        """What the task predicts for each person and item: a probability, a rating or a score.

        Parameters
        ----------
        histories
            People; with kinds, ratings and attributes where they are known.
        items
            Codes, as ``catalog.items.codes(ids)`` gives them: (m,), the same for all, or (n, m), each his own; None =
            the whole catalogue.

        Returns
        -------
        float32, shape (n, m), higher is better; NaN where an item has no text (with "category": none of the classes).

        Raises
        ------
        DataError
            If items are given by ids, or by codes that are out of range.
        """
        size = len(self.catalog)
        if items is None:
            items = np.arange(size)
        items = check_codes(items, size, least=0, name="items", remedy="data.catalog.items.codes")
        items = np.broadcast_to(items, (len(histories), items.shape[-1]))
        if isinstance(task := self.model.plan.task, Category):
            of_item, chances = task.of_items(self.catalog)[items], self.probabilities(histories)
            found = np.take_along_axis(chances, np.maximum(of_item, 0), axis=1)
            return np.where(of_item >= 0, found, np.nan).astype(np.float32)
        scores = task.predicted(self._outputs(histories, items))[..., 0]
        return np.where(self.model.has_text[items], scores, np.nan).astype(np.float32)

    def probabilities(self, histories: Histories) -> np.ndarray:
        """How likely each class comes next: float32, (n, n_classes), rows sum to 1; for the task "category".

        Raises
        ------
        ConfigError
            If the task is another.
        """
        if not self.classes:
            raise ConfigError(f"task {self.task!r} has no classes; ask for score")
        nothing = np.full((len(histories), 1), NO_ITEM)
        return self.model.plan.task.predicted(self._outputs(histories, nothing))[:, 0]

    def save(self, folder: str | Path) -> Path:
        """Write ``finetuned.json``, ``head.safetensors`` and the encoder's own folder, ``encoder``."""
        path = Path(folder)
        self.model.backbone.save(path / ENCODER)
        write_tensors(path / HEAD_FILE, self.model.head.weights.state_dict(), {})
        arrays: dict[str, np.ndarray] = {}
        card = {"format": FORMAT, "plan": pack(self.model.plan, CLASSES, arrays, "plan")}
        (path / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: str | Path, catalog: Catalog) -> FineTuned:
        """Read what ``save`` wrote.

        Parameters
        ----------
        folder
            ``model`` in the folder of a run.
        catalog
            The items to be asked about; those that came after training may be among them.

        Raises
        ------
        ArtefactError
            If a file is missing, damaged, or of another model.
        """
        path = Path(folder)
        plan = read_plan(path)
        if not (path / ENCODER).is_dir():
            raise ArtefactError(f"{path / ENCODER} is missing; the folder is incomplete, fine-tune again")
        model = PairModel(Backbone(path / ENCODER, Tuning("frozen")), plan, catalog)
        state = model.head.weights.state_dict()
        load_weights(state, read_tensors(path / HEAD_FILE)[0])
        return cls(model, catalog)

    def _outputs(self, histories: Histories, items: np.ndarray) -> np.ndarray:
        """Outputs (n, m, k), some people and items at a time."""
        n, m = items.shape
        rows = []
        for top in range(0, n, _PEOPLE):
            people = histories.take(np.arange(top, min(top + _PEOPLE, n)))
            mine = items[top : top + _PEOPLE]
            parts = [self._block(people, mine[:, left : left + _ITEMS]) for left in range(0, m, _ITEMS)]
            rows.append(np.concatenate(parts, axis=1))
        return np.concatenate(rows) if rows else np.zeros((0, m, len(self.model.plan.task.start)), np.float32)

    def _block(self, people: Histories, items: np.ndarray) -> np.ndarray:
        torch, batch = require("torch", extra="lm"), self.model.batch(people, items)
        read = self.model.quiet if self.model.together else self.model.kept
        with torch.no_grad():
            vectors = torch.from_numpy(read(batch.texts)).to(self.model.backbone.device)
            found: np.ndarray = self.model.outputs(vectors, batch).cpu().numpy()
        return found


def read_plan(folder: Path) -> Plan:
    """What ``finetuned.json`` says.

    Raises
    ------
    ArtefactError
        If it is missing, damaged, or of a newer format.
    """
    file = folder / CARD
    try:
        card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if card["format"] > FORMAT:
            raise ArtefactError(f"{folder} has format {card['format']}, not {FORMAT}; upgrade warmstart")
        plan = unpack(card["plan"], CLASSES, {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{file} cannot be read ({error!r}); give model/ of a run, or fine-tune again") from error
    if not isinstance(plan, Plan):
        raise ArtefactError(f"{file} describes no fine-tuned model; give model/ of a run, or fine-tune again")
    return plan
