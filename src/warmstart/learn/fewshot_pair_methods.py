"""The methods for k labelled pairs in all; each maps a draw to a score for every pair that is asked about."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from warmstart.errors import ConfigError, DataError
from warmstart.learn.augment import Augmentation
from warmstart.learn.backbone import Backbone
from warmstart.learn.fewshot_classify import ClassifyObjective
from warmstart.learn.fewshot_contrast import ContrastObjective, pairs_by_label
from warmstart.learn.fewshot_floors import als
from warmstart.learn.fewshot_labelled import PairWorld
from warmstart.learn.loop import learn
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning, choose

PairMethod = Callable[[PairWorld], np.ndarray]
STRENGTHS = (0.1, 1.0, 10.0, 100.0)
PAIRS = Training(steps=20, batch=8, learning_rate=2e-5, validate_every=10, patience=2, checkpoint_every=0)
LORA = Training(steps=40, batch=8, learning_rate=1e-3, validate_every=5, patience=3, checkpoint_every=0)
TUNED = ("pairs", "lora")


def popularity(world: PairWorld) -> np.ndarray:
    """How many of the labelled pairs like the item, less how many do not."""
    votes = np.bincount(world.item[world.known], 2.0 * world.label[world.known] - 1, minlength=len(world.items))
    return np.asarray(votes[world.item[world.asked]])


def cosine(world: PairWorld) -> np.ndarray:
    """Cosine of the item's frozen vector to the mean of the person's history; knows no label."""
    return np.asarray((world.people[world.user[world.asked]] * world.items[world.item[world.asked]]).sum(axis=1))


def factorisation(world: PairWorld) -> np.ndarray:
    """Alternating least squares on the liked labelled pairs; people and items that none of them names score 0."""
    scores = als(world.positives(), 2, 5.0, 10.0, world.seed)
    return np.asarray(scores[world.user[world.asked], world.item[world.asked]])


def ridge(world: PairWorld) -> np.ndarray:
    """Kernel ridge on labels +1 and -1: ``f = K (K + strength I)^-1 y``, ``K = F F'`` over ``PairWorld.features``.

    The strength has the least leave-one-out error, which needs no refit: ``e_i = a_i / (K + strength I)^-1_ii`` with
    ``a = (K + strength I)^-1 y``.
    """
    known, asked = world.features(world.known), world.features(world.asked)
    y, kernel = 2.0 * world.label[world.known] - 1, known @ known.T
    inverses = [np.linalg.inv(kernel + strength * np.eye(len(y))) for strength in STRENGTHS]
    errors = [float((((inverse @ y) / np.diag(inverse)) ** 2).mean()) for inverse in inverses]
    return np.asarray(asked @ (known.T @ (inverses[int(np.argmin(errors))] @ y)))


def discriminant(world: PairWorld) -> np.ndarray:
    """Linear discriminant with the shrinkage of Ledoit & Wolf (2004)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    _both_classes(world, 2)
    fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    fitted.fit(world.features(world.known), world.label[world.known])
    return np.asarray(fitted.decision_function(world.features(world.asked)))


def linear(world: PairWorld) -> np.ndarray:
    """Logistic regression on ``PairWorld.features``."""
    from sklearn.linear_model import LogisticRegression

    _both_classes(world, 1)
    fitted = LogisticRegression(max_iter=500).fit(world.features(world.known), world.label[world.known])
    return np.asarray(fitted.decision_function(world.features(world.asked)))


@dataclass(frozen=True)
class TunedPairs:
    """An encoder of the pair in words, tuned on the labels.

    "pairs": contrastive pairs of the same and of different labels, then logistic regression on the vectors (SetFit,
    arXiv:2209.11055). "lora": low-rank additions and a linear head learn the cross-entropy, stopped early.

    Parameters
    ----------
    recipe
        "pairs" or "lora".
    model
        The encoder's name or folder.
    training
        None takes the recipe's own; the seed is the world's.
    max_tokens
        Of a text that are read.
    augmentation
        Befalls the texts while it learns.
    """

    recipe: str
    model: str
    training: Training | None = None
    max_tokens: int = 96
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        choose("recipe", self.recipe, TUNED)

    def __call__(self, world: PairWorld) -> np.ndarray:
        """Log-odds of liking.

        Raises
        ------
        DataError
            If a class has fewer than two labels.
        """
        from sklearn.linear_model import LogisticRegression

        texts, labels = [world.texts[i] for i in world.known], world.label[world.known].astype(np.int64)
        asked = [world.texts[i] for i in world.asked]
        training = replace(self.training or (PAIRS if self.recipe == "pairs" else LORA), seed=world.seed)
        if self.recipe == "lora":
            backbone = Backbone(self.model, Tuning("lora"), max_tokens=self.max_tokens)
            objective = ClassifyObjective(backbone, texts, labels, world.seed, self.augmentation)
            _run(objective, training)
            scores = objective.scores(asked)
            return np.asarray(scores[:, 1] - scores[:, 0])
        backbone = Backbone(self.model, Tuning("last", layers=2), max_tokens=self.max_tokens)
        pairs, targets = pairs_by_label(labels, max(40, 4 * len(labels)), world.seed)
        _run(ContrastObjective(backbone, texts, pairs, targets, world.seed, self.augmentation), training)
        head = LogisticRegression(max_iter=500).fit(backbone.encode(texts), labels)
        return np.asarray(head.decision_function(backbone.encode(asked)))


def pair_methods(names: Sequence[str], model: str, augmentation: Augmentation | None = None) -> dict[str, PairMethod]:
    """The floors and the named methods; with ``augmentation`` the tuned ones a second time.

    Raises
    ------
    ConfigError
        If a name is not known here.

    Examples
    --------
    >>> list(pair_methods(["ridge"], "all-MiniLM-L6-v2"))
    ['popularity', 'cosine', 'factorisation', 'ridge']
    """
    known: dict[str, PairMethod] = {"ridge": ridge, "discriminant": discriminant, "linear": linear}
    tuned = {recipe: TunedPairs(recipe, model) for recipe in TUNED}
    table: dict[str, PairMethod] = {"popularity": popularity, "cosine": cosine, "factorisation": factorisation}
    for name in names:
        if name not in known and name not in tuned:
            raise ConfigError(f"method {name!r} is not for labelled pairs; choose among {', '.join((*known, *tuned))}")
        table[name] = known[name] if name in known else tuned[name]
        if augmentation is not None and name in tuned:
            table[f"{name} + augmented"] = replace(tuned[name], augmentation=augmentation)
    return table


def _both_classes(world: PairWorld, least: int) -> None:
    counts = np.bincount(world.label[world.known].astype(np.int64), minlength=2)
    if counts.min() < least:
        raise DataError(f"classes have {counts.tolist()} examples; each needs {least} or more")


def _run(objective: ContrastObjective | ClassifyObjective, training: Training) -> None:
    with tempfile.TemporaryDirectory() as folder:
        learn(objective, training, Run.begin(Path(folder), "fewshot", {"training": vars(training)}, "labels"))
