"""Graph embeddings: TransE, DistMult, ComplEx and RotatE, learned from triples."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl

from warmstart.data.graph_relations import same_relations
from warmstart.errors import ConfigError, DataError
from warmstart.learn.kge_models import MODELS
from warmstart.learn.kge_objective import LinkLoss, LinkObjective
from warmstart.learn.kge_rank import both_ends
from warmstart.learn.kge_split import TRIPLE, told_once
from warmstart.learn.kge_vectors import GraphVectors
from warmstart.learn.loop import learn
from warmstart.learn.objective import Watch
from warmstart.learn.processes import Processes
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, at_least, choose
from warmstart.text.weights import fingerprint_of

LOSSES = ("1-vs-all", "self-adversarial")
MODEL_FOLDER = "model"
BLOCK = 65_536  # facts whose scores are taken at once


@dataclass(frozen=True)
class GraphEmbedding:
    """How a graph is embedded.

    Parameters
    ----------
    model
        "transe", "distmult", "complex" or "rotate": see ``kge_models``.
    dim
        Length of the vectors; of complex numbers, two a place, for "complex" and "rotate".
    epochs
        How often every fact is learned from.
    loss
        "1-vs-all" or "self-adversarial", see ``kge_objective.LinkLoss``; None = the first for products ("distmult",
        "complex"), the second for distances, where scoring all entities is slow.
    learning_rate
        Of Adam; it falls to 0 in a line.
    n3
        Weight of the nuclear 3-norm.
    negatives
        Entities drawn a step with "self-adversarial".
    margin
        Of "self-adversarial".
    batch
        Questions (entity and relation) a step; facts with "self-adversarial".
    seed
        Fixes first vectors, order and draws.
    """

    model: str = "complex"
    dim: int = 64
    epochs: int = 12
    loss: str | None = None
    learning_rate: float = 0.01
    n3: float = 0.01
    negatives: int = 256
    margin: float = 9.0
    batch: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        choose("model", self.model, tuple(MODELS))
        if self.loss is not None:
            choose("loss", self.loss, LOSSES)
        for name in ("dim", "epochs", "negatives", "batch"):
            at_least(name, getattr(self, name), 1)
        for name in ("n3", "seed"):
            at_least(name, getattr(self, name), 0)
        for name, usual in (("learning_rate", 0.01), ("margin", 9.0)):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)} is not above 0; {usual:g} is usual")

    @property
    def link_loss(self) -> LinkLoss:
        """The loss with its settings."""
        kind = self.loss or LOSSES[0 if MODELS[self.model].linear else 1]
        return LinkLoss(self.model, kind, self.negatives, self.margin, self.n3)

    def training(self, examples: int) -> Training:
        """The loop that sees every example ``epochs`` times; a checkpoint every epoch."""
        epoch = max(1, -(-examples // self.batch))
        return Training(
            steps=epoch * self.epochs,
            batch=self.batch,
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            optimiser="adam",
            warmup=0.0,
            clip=0.0,
            precision="float32",
            validate_every=0,
            checkpoint_every=epoch,
            seed=self.seed,
        )


def fit_graph_embedding(
    triples: pl.DataFrame, settings: GraphEmbedding, out: str | Path | None = None, watch: Watch | None = None
) -> GraphVectors:
    """Learn vectors of all entities and relations of a graph.

    A relation that says what another says, from either end, is learned as that one. To see how good they are, hold
    triples out by ``kge_split.hold_out`` and give them to ``GraphVectors.judge``.

    Parameters
    ----------
    triples
        Columns ``head``, ``relation``, ``tail``.
    settings
        Model and loss.
    out
        Folder of the run; the vectors are its ``model/``. A run that was cut off is taken up by the same call. None =
        nothing is kept on disk.
    watch
        Told of every step.

    Raises
    ------
    DataError
        If the graph has no triples, or no fact between two entities.
    TrainingError
        If the loss is not a number.

    Examples
    --------
    >>> ring = pl.DataFrame({"head": list("abcd"), "relation": ["next"] * 4, "tail": list("bcda")})
    >>> vectors = fit_graph_embedding(ring, GraphEmbedding(dim=4, epochs=2))
    >>> vectors.vectors(["a", "c"]).shape
    (2, 8)
    """
    checked(triples)
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _fit(triples, settings, folder, watch)
    return _fit(triples, settings, out, watch)


def checked(triples: pl.DataFrame) -> None:
    """Refuse what nothing can be learned from.

    Examples
    --------
    >>> checked(pl.DataFrame(schema={"head": pl.String, "relation": pl.String, "tail": pl.String}))
    Traceback (most recent call last):
    warmstart.errors.DataError: the graph has 0 triples; give one with facts
    """
    if missing := [c for c in TRIPLE if c not in triples.columns]:
        raise DataError(f"the graph has no column {missing[0]!r}; it has {triples.columns}; map one to it")
    if not triples.height:
        raise DataError("the graph has 0 triples; give one with facts")
    if (lost := triples.select(TRIPLE).null_count().sum_horizontal().item()) > 0:
        raise DataError(f"the graph has {lost} missing parts of triples; drop those rows")
    if (triples["head"] == triples["tail"]).all():
        raise DataError("every triple leads from an entity to itself; give a graph with facts between entities")


def _fit(triples: pl.DataFrame, s: GraphEmbedding, out: str | Path, watch: Watch | None) -> GraphVectors:
    same = same_relations(triples)
    once = told_once(triples, same)
    entities = pl.concat([once["head"], once["tail"]]).unique().sort().to_list()
    relations = once["relation"].unique().sort().to_list()
    empty = np.zeros((0, 0), np.float32)
    names = GraphVectors(s.model, tuple(entities), tuple(relations), same, empty, empty, empty)
    questions = both_ends(names.codes(once), len(relations))
    objective = LinkObjective(questions, len(entities), 2 * len(relations), s.dim, s.link_loss, s.seed)
    training = s.training(len(objective))
    processes = Processes(training.precision)
    asked = {"embedding": asdict(s), "training": asdict(training)}
    sizes = {"triples": once.height, "entities": len(entities), "relations": len(relations)}
    told = fingerprint_of(*entities, *relations, sha256(questions.tobytes()).hexdigest())
    run = Run.begin(out, "graph embedding", asked, told, sizes=sizes, writes=processes.main)
    outcome = learn(objective, training, run, processes, watch)
    vectors = _vectors(names, objective)
    if processes.main:
        vectors.save(Path(out) / MODEL_FOLDER)
    processes.wait()
    run.end(outcome.status, outcome.result())
    return vectors


def _vectors(names: GraphVectors, objective: LinkObjective) -> GraphVectors:
    """The tables as arrays, and the mean score of the facts of each relation."""
    f, facts = objective.function, objective.facts
    entity, relation = (p.detach().cpu() for _, p in objective.parameters())
    total, count = np.zeros(len(relation)), np.bincount(facts[:, 1], minlength=len(relation))
    for start in range(0, len(facts), BLOCK):
        head, r, tail = facts[start : start + BLOCK].T.copy()
        score = f.beside(f.reach(entity[head], relation[r]), entity[tail][:, None])[:, 0]
        total += np.bincount(r, score.numpy(), len(relation))
    level = (total / np.maximum(count, 1)).astype(np.float32)
    return GraphVectors(
        names.model, names.entities, names.relations, names.same, entity.numpy(), relation.numpy(), level
    )
