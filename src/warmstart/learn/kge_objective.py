"""What a graph embedding learns: to name the entity at the other end of every fact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.errors import require
from warmstart.learn.kge_models import MODELS
from warmstart.learn.kge_partition import log_partition
from warmstart.learn.processes import Draw, Processes

JUDGED = 512  # examples whose loss is the validation figure


@dataclass(frozen=True)
class LinkLoss:
    """Which loss, over which score function.

    Parameters
    ----------
    model
        A name of ``MODELS``.
    kind
        "1-vs-all": cross-entropy of the right entity among all (Lacroix et al. 2018, arXiv:1806.07297, eq. 2). Facts
        that ask the same (entity and relation) are scored together, which changes no gradient and spares most of the
        work. "self-adversarial": ``-log s(m + f) - sum_j p_j log s(-m - f_j)`` over entities drawn, weighed by
        ``p = softmax(f_j)`` (Sun et al. 2019, arXiv:1902.10197, eq. 5 and 6).
    negatives
        Entities drawn a step, evenly, the same for all its facts.
    margin
        m above; also the width of the box in which distances begin.
    n3
        Weight of the nuclear 3-norm: the mean sum of cubed moduli of the three vectors of a fact (Lacroix et al. 2018,
        eq. 4).
    """

    model: str
    kind: str
    negatives: int
    margin: float
    n3: float


class LinkObjective:
    """Facts, both ends asked for, and the tables of vectors that learn.

    Parameters
    ----------
    questions
        int64, shape (n, 3): entity, relation, answer; relations and their reciprocals.
    n_entities, n_relations
        Rows of the tables.
    dim
        Length of the vectors; of complex numbers where the model has them.
    loss
        What is learned.
    seed
        Fixes the first vectors.
    """

    watched = "loss"
    higher_is_better = False

    def __init__(
        self, questions: np.ndarray, n_entities: int, n_relations: int, dim: int, loss: LinkLoss, seed: int
    ) -> None:
        torch = require("torch", extra="lm")
        self.loss, self.function = loss, MODELS[loss.model]
        order = np.lexsort((questions[:, 1], questions[:, 0]))
        self.facts = questions[order]
        new = np.any(np.diff(self.facts[:, :2], axis=0) != 0, axis=1)
        starts = np.concatenate([[0], np.flatnonzero(new) + 1, [len(self.facts)]])
        self.starts = starts if loss.kind == "1-vs-all" else np.arange(len(self.facts) + 1)
        torch.manual_seed(seed)
        entity, relation = self.function.start(n_entities, n_relations, dim, loss.margin)
        self.entity, self.relation = torch.nn.Parameter(entity), torch.nn.Parameter(relation)
        self.seed, self.device = seed, "cpu"

    def __len__(self) -> int:
        """Examples: questions, or facts with a drawn loss."""
        return len(self.starts) - 1

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """Both tables."""
        yield from (("entity", self.entity), ("relation", self.relation))

    def place(self, processes: Processes) -> None:
        """Move the tables to the device."""
        self.device = processes.device
        self.entity.data, self.relation.data = self.entity.data.to(self.device), self.relation.data.to(self.device)

    def train(self, mode: bool) -> None:
        """Nothing is switched."""

    def backward(self, draw: Draw) -> float:
        """Gradients over this process's share of a step's examples."""
        loss = self._loss(draw.indices(len(self)), draw.rng())
        loss.backward()
        return float(loss.detach())

    def validate(self) -> dict[str, float]:
        """Loss over a fixed sample of what is learned from; it tells whether the learning went on, not how well."""
        rng = np.random.default_rng([self.seed, 43])
        sample = rng.permutation(len(self))[:JUDGED]
        with require("torch", extra="lm").no_grad():
            return {self.watched: float(self._loss(sample, rng))}

    def _loss(self, examples: np.ndarray, rng: np.random.Generator) -> Any:
        """Mean over the facts of some examples."""
        starts, counts = self.starts[examples], np.diff(self.starts)[examples]
        first = self._rows(self.facts[starts])
        row = np.repeat(np.arange(len(examples)), counts)
        at = np.arange(counts.sum()) + np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        row, answer = self._rows(row), self._rows(self.facts[at, 2])
        head, relation, tail = self.entity[first[:, 0]], self.relation[first[:, 1]], self.entity[answer]
        points = self.function.reach(head, relation)
        right = self.function.beside(points[row], tail[:, None])[:, 0]
        if self.loss.kind == "1-vs-all":
            loss = self._among_all(points, self._rows(counts.astype(np.float32))) / len(at) - right.mean()
        else:
            loss = self._drawn(points, right, answer, rng)
        if self.loss.n3:
            loss = loss + self.loss.n3 * self._n3(head[row], relation[row], tail)
        return loss

    def _among_all(self, points: Any, counts: Any) -> Any:
        """Log of the sum over all entities, of each question as often as it has answers, summed."""
        if self.function.linear:
            return log_partition(points, self.entity, counts)
        return (self.function.against(points, self.entity).logsumexp(1) * counts).sum()

    def _drawn(self, points: Any, right: Any, answer: Any, rng: np.random.Generator) -> Any:
        """The self-adversarial loss; an answer that was drawn, too, is none of its own rivals."""
        torch = require("torch", extra="lm")
        drawn = self._rows(rng.integers(0, len(self.entity), self.loss.negatives))
        wrong = self.function.against(points, self.entity[drawn])
        own = drawn[None] == answer[:, None]
        weight = wrong.detach().masked_fill(own, -torch.inf).softmax(1).nan_to_num(0.0)
        log_sigmoid, margin = torch.nn.functional.logsigmoid, self.loss.margin
        return -(log_sigmoid(margin + right) + (weight * log_sigmoid(-margin - wrong)).sum(1)).mean() / 2

    def _n3(self, head: Any, relation: Any, tail: Any) -> Any:
        cubes = self.function.cubes(head) + self.function.cubes(tail)
        if relation.shape[1] == head.shape[1]:  # angles have no size
            cubes = cubes + self.function.cubes(relation)
        return cubes.mean()

    def _rows(self, array: np.ndarray) -> Any:
        return require("torch", extra="lm").from_numpy(np.ascontiguousarray(array)).to(self.device)
