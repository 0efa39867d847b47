"""Fewer layers: a student made of some of its teacher's layers learns to give the teacher's vectors.

Beginning with some layers of the teacher: Sanh et al. 2019, DistilBERT, arXiv:1910.01108, section 3; the loss
over vectors and over likenesses within a batch: Park et al. 2019, Relational knowledge distillation, arXiv:1904.05068.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, DataError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import learn
from warmstart.learn.objective import OnBackbone, Watch
from warmstart.learn.processes import Draw
from warmstart.learn.run import Run, model_card
from warmstart.learn.settings import Training, Tuning
from warmstart.text.weights import fingerprint_of

MIN_TEXTS = 20  # of which some are held out


class Reproduction(OnBackbone):
    """``mean(1 - cos(s_i, t_i)) + mean((S S' - T T')^2)`` over unit vectors of student and teacher.

    Parameters
    ----------
    student
        Learns.
    texts
        What both read; distinct and not empty are best.
    vectors
        The teacher's, float32, shape (len(texts), dim), unit rows.
    held_out
        Share of the texts that is kept for validation.
    seed
        Decides which.

    Raises
    ------
    DataError
        If there are fewer than 20 texts, or the teacher's vectors do not belong to them.
    """

    watched = "cosine"
    higher_is_better = True

    def __init__(
        self, student: Backbone, texts: Sequence[str], vectors: np.ndarray, held_out: float = 0.1, seed: int = 0
    ) -> None:
        if len(texts) < MIN_TEXTS:
            raise DataError(f"{len(texts)} texts; learning from a teacher needs {MIN_TEXTS} or more")
        if vectors.shape != (len(texts), student.dim):
            raise DataError(f"vectors of shape {vectors.shape} for {len(texts)} texts of {student.dim} dimensions")
        order = np.random.default_rng([seed, 2]).permutation(len(texts))
        n = max(1, round(held_out * len(texts)))
        self.backbone, self.texts, self.vectors = student, list(texts), vectors
        self.held, self.learned = order[:n], order[n:]

    def backward(self, draw: Draw) -> float:
        """Gradients over this process's share of a batch; likenesses are taken within it."""
        torch = require("torch", extra="lm")
        at = self.learned[draw.indices(len(self.learned))]
        taught = torch.from_numpy(self.vectors[at]).to(self.backbone.device)
        mine = torch.nn.functional.normalize(self.backbone.vectors([self.texts[i] for i in at]), dim=1)
        loss = (1 - (mine * taught).sum(1)).mean() + ((mine @ mine.T - taught @ taught.T) ** 2).mean()
        loss.backward()
        return float(loss.detach())

    def validate(self) -> dict[str, float]:
        """Mean cosine to the teacher on held-out texts."""
        mine = self.backbone.encode([self.texts[i] for i in self.held])
        return {self.watched: float((mine * self.vectors[self.held]).sum(axis=1).mean())}


def kept_layers(n: int, keep: int) -> list[int]:
    """Numbers of ``keep`` layers out of ``n``, evenly spaced, the first and the last among them; of one, the first.

    The last layer is the one whose states are pooled: a student that has it begins nearer to its teacher than one of
    every other layer.

    Raises
    ------
    ConfigError
        If it is not fewer than there are.

    Examples
    --------
    >>> kept_layers(6, 3), kept_layers(12, 4)
    ([0, 3, 5], [0, 4, 7, 11])
    """
    if not 1 <= keep < n:
        raise ConfigError(f"layers={keep}: the model has {n}; give 1 to {n - 1}")
    return [int(i * (n - 1) / max(keep - 1, 1) + 0.5) for i in range(keep)]


def drop_layers(backbone: Backbone, keep: int) -> Backbone:
    """Leave only some layers in a backbone that learns in full; returns it.

    Raises
    ------
    ConfigError
        If no list of layers can be found, or there are not so many.
    """
    torch, transformers = require("torch", extra="lm"), require("transformers", extra="lm")
    body = backbone.body
    lists = {name: m for name, m in body.named_modules() if isinstance(m, torch.nn.ModuleList)}
    depth = int(body.config.num_hidden_layers)
    stem = next((name for name, m in lists.items() if len(m) == depth), None)
    if stem is None:
        raise ConfigError(f"{type(body).__name__} has no list of {depth} layers; it cannot be made shallower")
    numbers = kept_layers(depth, keep)
    config = copy.deepcopy(body.config)
    config.num_hidden_layers = keep
    if getattr(config, "layer_types", None):  # what kind of attention each layer has
        config.layer_types = [config.layer_types[i] for i in numbers]
    smaller = transformers.AutoModel.from_config(config)
    smaller.load_state_dict(_renumbered(body.state_dict(), stem, numbers))
    backbone.model = smaller.float().eval()
    backbone.free()
    return backbone


def _renumbered(weights: dict[str, Any], stem: str, numbers: list[int]) -> dict[str, Any]:
    """Weights of the kept layers by their new numbers, and all that is in no layer."""
    kept = {}
    for name, weight in weights.items():
        if not name.startswith(f"{stem}."):
            kept[name] = weight
            continue
        number, _, rest = name.removeprefix(f"{stem}.").partition(".")
        if int(number) in numbers:
            kept[f"{stem}.{numbers.index(int(number))}.{rest}"] = weight
    return kept


def shrink(
    source: str | Path,
    layers: int,
    texts: Sequence[str],
    vectors: np.ndarray,
    training: Training | None,
    folder: str | Path,
    watch: Watch | None = None,
) -> Backbone:
    """A student of ``layers`` layers that has learned to give the teacher's vectors.

    Parameters
    ----------
    source
        The teacher: folder, GGUF file or name.
    texts, vectors
        As ``Reproduction`` takes them.
    training
        Of the student; None = it stays as it begins.
    folder
        Of the run; one that was interrupted there goes on.
    """
    student = drop_layers(Backbone(source, Tuning("full")), layers)
    if training is None:
        return student
    objective = Reproduction(student, texts, vectors, seed=training.seed)
    settings = {"training": vars(training), "layers": layers} | model_card(source)
    run = Run.begin(folder, "shrink", settings, fingerprint_of(*texts))
    outcome = learn(objective, training, run, watch=watch)
    run.end(outcome.status, outcome.result())
    return student
