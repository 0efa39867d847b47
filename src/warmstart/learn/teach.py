"""A cross-encoder teaches: the encoder of single texts learns its margins between two items for a person.

What reads person and item together judges better and costs a pass a pair; the student needs a vector a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import DataError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.cached import cached_backward
from warmstart.learn.cross import CrossModel
from warmstart.learn.held_items import HeldItems
from warmstart.learn.loop import HEAD
from warmstart.learn.objective import OnBackbone
from warmstart.learn.pairs import Examples, sampled
from warmstart.learn.people import item_titles, person_texts
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.settings import at_least, share
from warmstart.text.templates import item_texts

_FIRST_LOOK = 64  # examples by whose margins the student's scale begins


@dataclass(frozen=True)
class Teaching:
    """Settings of learning from a cross-encoder.

    Parameters
    ----------
    history
        Newest events of a person that the student sees.
    held_out
        Share of the items with events that is kept for validation: new items ranked among themselves.
    """

    history: int = 20
    held_out: float = 0.1

    def __post_init__(self) -> None:
        at_least("history", self.history, 1)
        share("held_out", self.held_out, 0.1)


@dataclass(frozen=True, eq=False)
class Lesson:
    """People, two items each, and by how much the teacher prefers the first.

    Parameters
    ----------
    texts
        What the student reads, each once.
    history
        float32, shape (n, len(texts)): rows sum to 1 over the texts of a person's history.
    first, second
        int64, shape (n,): places of the two items in ``texts``.
    margin
        float32, shape (n,).
    """

    texts: list[str]
    history: np.ndarray
    first: np.ndarray
    second: np.ndarray
    margin: np.ndarray


class TeachingObjective(OnBackbone):
    """Margin-MSE: ``mean ((t(u,i) - t(u,j)) - a (s(u,i) - s(u,j)))^2`` for what u took (i) and did not (j).

    t is the teacher's score, s the cosine up to a factor a person: the mean of the unit vectors of the history times
    the unit vector of the item; a > 0 is learned, because the two have different units. Source: Hofstaetter et al.,
    Improving efficient neural ranking models with cross-architecture knowledge distillation, 2020, arXiv:2010.02666,
    equation 6.

    Parameters
    ----------
    backbone
        The student.
    data
        Events to learn from; nothing else of the world is looked at. The teacher may have seen the items that are
        held out here: who judges by them should have trained it without.
    teacher
        See ``cached_cross``.
    settings
        What is seen and held out.
    seed
        Decides which items are held out and drawn.
    template
        Of the items' texts for the student.

    Raises
    ------
    DataError
        If too few items have text and events, or nobody has two events.
    """

    watched = "ndcg@10"
    higher_is_better = True

    def __init__(
        self,
        backbone: Backbone,
        data: Dataset,
        teacher: CrossModel,
        settings: Teaching | None = None,
        seed: int = 0,
        template: str | None = None,
    ) -> None:
        self.backbone, self.teacher, self.settings = backbone, teacher, settings or Teaching()
        self.texts, self.told = item_texts(data.catalog, template), item_texts(data.catalog, teacher.template)
        self.titles = item_titles(data.catalog, self.told)
        self.asked = HeldItems.of(self.texts, data.interactions, self.settings.held_out, seed)
        self.items, self.held = self.asked.items, self.asked.held
        self.data = data.with_interactions(data.interactions.select(np.isin(data.interactions.item, self.items)))
        x = self.data.interactions
        examples = sampled(x, np.arange(len(x)), self.items, 1, seed)
        self.examples = examples.take(examples.cut > 0)
        if not len(self.examples):
            raise DataError("no user has two events on items with text; a student learns from what came before")
        self._margins = np.full(len(self.examples), np.nan, np.float32)
        torch = require("torch", extra="lm")
        self.scale = torch.nn.Parameter(torch.zeros(()))  # the logarithm of a
        self._begin(seed)

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The backbone's weights that learn, and the scale."""
        yield from super().parameters()
        yield f"{HEAD}scale", self.scale

    def place(self, processes: Processes) -> None:
        """Move backbone and scale to the device."""
        super().place(processes)
        self.scale.data = self.scale.data.to(processes.device)

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over ``draw.size`` events; each distinct text is encoded once."""
        lesson = self.lesson(draw.whole(len(self.examples)))
        texts = lesson.texts + lesson.texts[:1] * (-len(lesson.texts) % draw.processes.count)
        mine = [texts[i] for i in draw.share(np.arange(len(texts)))]
        return cached_backward(self.backbone.vectors, mine, lambda v: self.loss(v[: len(lesson.texts)], lesson), draw)

    def loss(self, vectors: Any, lesson: Lesson) -> Any:
        """The loss from a tensor (texts, dim) of the lesson's texts in order; unit rows are made here."""
        margin = require("torch", extra="lm").from_numpy(lesson.margin).to(vectors.device)
        return ((margin - self.scale.exp() * student_margins(vectors, lesson)) ** 2).mean()

    def lesson(self, at: np.ndarray) -> Lesson:
        """Examples by their positions, with what the teacher says of them."""
        examples = self.examples.take(at)
        unknown = np.unique(at[np.isnan(self._margins[at])])
        if len(unknown):
            self._margins[unknown] = self._taught(self.examples.take(unknown))
        h = examples.histories(self.data.interactions, self.settings.history)
        items = np.unique(np.concatenate([h.item, examples.items.ravel()]))
        seen = h.matrix()[:, items].toarray().astype(np.float32)
        first, second = np.searchsorted(items, examples.items).T
        texts = [self.texts[i] for i in items]
        return Lesson(texts, seen / seen.sum(1, keepdims=True), first, second, self._margins[at])

    def validate(self) -> dict[str, float]:
        """NDCG@10 of held-out items ranked among themselves by the cosine to the mean of a user's other items."""
        return {self.watched: self.asked.ndcg(self.backbone, self.texts)}

    def _taught(self, examples: Examples) -> np.ndarray:
        """The teacher's margins: float32, shape (n,)."""
        people = person_texts(self._people(examples), self.titles)
        pairs = [(p, self.told[i]) for p, row in zip(people, examples.items, strict=True) for i in row]
        scores = self.teacher.scores(pairs).reshape(-1, 2)
        margins: np.ndarray = scores[:, 0] - scores[:, 1]
        return margins

    def _people(self, examples: Examples) -> Histories:
        histories = examples.histories(self.data.interactions, self.teacher.history)
        return replace(histories, attributes=self.data.attributes(examples.user))

    def _begin(self, seed: int) -> None:
        """Let the student's margins be as large as the teacher's at first."""
        torch = require("torch", extra="lm")
        lesson = self.lesson(np.random.default_rng([seed, 5]).permutation(len(self.examples))[:_FIRST_LOOK])
        own = student_margins(torch.from_numpy(self.backbone.encode(lesson.texts)), lesson)
        spread = [max(float(np.sqrt((m**2).mean())), 1e-3) for m in (lesson.margin, own.numpy())]
        self.scale.data.fill_(float(np.log(spread[0] / spread[1])))


def student_margins(vectors: Any, lesson: Lesson) -> Any:
    """``s(u,i) - s(u,j)`` of every person: a tensor (n,)."""
    torch = require("torch", extra="lm")
    unit = torch.nn.functional.normalize(vectors, dim=1)
    people = torch.from_numpy(lesson.history).to(vectors.device) @ unit
    return (people * (unit[lesson.first] - unit[lesson.second])).sum(1)
