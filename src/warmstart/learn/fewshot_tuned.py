"""Methods that change the encoder itself, a little: contrastive pairs, and low-rank additions stopped early."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from warmstart.data.interactions import Interactions
from warmstart.learn.augment import Augmentation
from warmstart.learn.backbone import Backbone
from warmstart.learn.fewshot import World
from warmstart.learn.fewshot_contrast import ContrastObjective, pairs_by_user
from warmstart.learn.fewshot_linear import Linear
from warmstart.learn.loop import learn
from warmstart.learn.objective import Objective
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning, at_least, choose
from warmstart.text.weights import MINILM

RECIPES = ("pairs", "lora")
PAIRS = Training(steps=30, batch=16, learning_rate=2e-5, validate_every=10, patience=2, checkpoint_every=0)
LORA = Training(steps=30, batch=128, learning_rate=1e-3, validate_every=5, patience=2, checkpoint_every=0)


@dataclass(frozen=True)
class Tuned:
    """An encoder that the labels of a world have tuned, and the linear head on its vectors.

    "pairs": contrastive pairs by who labelled what (``pairs_by_user``), all weights of the last layers learn, then
    logistic regression: the recipe of SetFit (arXiv:2209.11055) where labels are people. "lora": low-rank additions (Hu
    et al. 2021, arXiv:2106.09685) learn the ELSA loss on the labelled events; a tenth of the labelled items is held
    out, and training stops when they are ranked no better. The frozen encoder stands if no step was an improvement.

    Parameters
    ----------
    recipe
        "pairs" or "lora".
    model
        The encoder's name or folder.
    training
        Steps, rate, patience; None takes the recipe's own. Its seed is the world's.
    pairs
        Pairs drawn for "pairs".
    max_tokens
        Of a text that are read while it learns and when it encodes.
    head
        The linear head.
    augmentation
        Befalls the texts while the encoder learns.
    """

    recipe: str = "pairs"
    model: str = MINILM
    training: Training | None = None
    pairs: int = 600
    max_tokens: int = 64
    head: Linear = field(default_factory=Linear)
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        choose("recipe", self.recipe, RECIPES)
        at_least("pairs", self.pairs, 5)

    def __call__(self, world: World) -> np.ndarray:
        """Log-odds of the head: float32, shape (n_users, n_items)."""
        return self.head.score(world, self.vectors(world))

    def vectors(self, world: World) -> np.ndarray:
        """The tuned encoder's, float32, shape (n_items, dim), unit rows; frozen ones where nobody has two labels."""
        if world.shown.getnnz(axis=1).max() < 2:
            return world.vectors
        training = replace(self.training or (PAIRS if self.recipe == "pairs" else LORA), seed=world.seed)
        objective = self._objective(world)
        with tempfile.TemporaryDirectory() as folder:
            run = Run.begin(Path(folder), f"fewshot-{self.recipe}", {"training": vars(training)}, "labels")
            done = learn(objective, training, run)
        backbone: Backbone = objective.backbone  # type: ignore[attr-defined]
        return backbone.encode(world.texts) if done.best_step else world.vectors

    def _objective(self, world: World) -> Objective:
        if self.recipe == "pairs":
            told = sp.diags(np.array([float(bool(t.strip())) for t in world.texts], np.float32))
            labels = sp.csr_matrix(world.shown @ told)
            labels.eliminate_zeros()
            pairs, targets = pairs_by_user(labels, self.pairs, world.seed)
            backbone = Backbone(self.model, Tuning("last", layers=2), max_tokens=self.max_tokens)
            return ContrastObjective(backbone, world.texts, pairs, targets, world.seed, self.augmentation)
        user, item = world.shown.nonzero()
        x = Interactions.of(user, item, *world.shown.shape)
        backbone = Backbone(self.model, Tuning("lora"), max_tokens=self.max_tokens)
        change = self.augmentation if self.augmentation and self.augmentation.changes_texts else None
        return RetrievalObjective(backbone, world.texts, x, Retrieval(held_out=0.1), world.seed, change)
