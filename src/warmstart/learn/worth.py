"""What a language model says an item is worth, from its text: a fine-tuned regression head."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, DataError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import HEAD, learn
from warmstart.learn.objective import OnBackbone, Watch
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning, at_least
from warmstart.text.weights import MINILM

AT_ONCE = 64  # texts read together where nothing is learned


@dataclass(frozen=True)
class Worth:
    """How a value of items is learned from their texts.

    Parameters
    ----------
    model
        The language model to begin with (see ``weights_folder``).
    max_tokens
        Tokens of a text that are read.
    folds
        Parts of the items, at least 2: each is told by a model that learned from the others.
    epochs
        Readings of every item.
    tuning, training
        Which weights learn, and how; the steps follow from the epochs.
    """

    model: str = MINILM
    max_tokens: int = 64
    folds: int = 2
    epochs: float = 3.0
    tuning: Tuning = field(default_factory=lambda: Tuning("last", layers=1, dropout=0.1))
    training: Training = field(
        default_factory=lambda: Training(learning_rate=1e-4, validate_every=0, checkpoint_every=0)
    )

    def __post_init__(self) -> None:
        at_least("max_tokens", self.max_tokens, 1)
        at_least("folds", self.folds, 2)
        at_least("epochs", self.epochs, 0.1)
        if self.training.steps != Training.steps:
            raise ConfigError(f"training.steps={self.training.steps} beside epochs, which decide them; leave it out")


class WorthObjective(OnBackbone):
    """``min sum_i w_i (c + h v(text_i) - y_i)^2 / sum_i w_i``: a linear head h on the pooled states v of a text.

    Parameters
    ----------
    backbone
        The language model.
    texts
        One an example.
    value, weight
        y and w above 0: float64, shape (n,); c is the weighted mean of y, which is what the first answer is.
    """

    watched = "rmse"
    higher_is_better = False

    def __init__(self, backbone: Backbone, texts: Sequence[str], value: np.ndarray, weight: np.ndarray) -> None:
        torch = require("torch", extra="lm")
        self.backbone, self.texts = backbone, list(texts)
        self.value, self.weight = value.astype(np.float32), weight.astype(np.float32)
        self.centre = float(np.average(value, weights=weight))
        self.head = torch.nn.Linear(backbone.dim, 1, bias=False)
        torch.nn.init.zeros_(self.head.weight)

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """Those of the backbone that learn, and the head."""
        yield from self.backbone.parameters()
        yield from ((HEAD + name, p) for name, p in self.head.named_parameters())

    def place(self, processes: Processes) -> None:
        """Move both to the device."""
        super().place(processes)
        self.head.to(processes.device)

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss of a batch of items."""
        torch = require("torch", extra="lm")
        at = draw.indices(len(self.texts))
        value, weight = (torch.from_numpy(a[at]).to(self.backbone.device) for a in (self.value, self.weight))
        loss = (weight * (self._told([self.texts[i] for i in at]) - value) ** 2).sum() / weight.sum()
        loss.backward()
        return float(loss.detach())

    def validate(self) -> dict[str, float]:
        """Nothing is held out: the last weights are kept."""
        return {"rmse": float("nan")}

    def _told(self, texts: Sequence[str]) -> Any:
        return self.centre + self.head(self.backbone.vectors(texts).float())[:, 0]

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """What other texts are worth: float64, shape (n,); the centre for one without words."""
        torch = require("torch", extra="lm")
        found = np.full(len(texts), self.centre)
        order = sorted((i for i, t in enumerate(texts) if t.strip()), key=lambda i: len(texts[i]))
        self.train(False)
        with torch.inference_mode():
            for start in range(0, len(order), AT_ONCE):
                at = order[start : start + AT_ONCE]
                found[at] = self._told([texts[i] for i in at]).cpu().numpy()
        return found


def worth(
    texts: Sequence[str],
    value: np.ndarray,
    weight: np.ndarray,
    settings: Worth | None = None,
    watch: Watch | None = None,
) -> np.ndarray:
    """What each text is worth by models that did not learn from its own value: float64, shape (n,).

    Parameters
    ----------
    texts
        One an item.
    value, weight
        float64, shape (n,): what is known of each, and how far it counts; 0 = nothing is known, and the models of all
        folds are averaged.
    settings
        None = the default ones.
    watch
        Told of every step.

    Raises
    ------
    DataError
        If fewer items than folds have both a text and a value.
    MissingExtra
        If torch or transformers is not installed.
    """
    wanted = settings or Worth()
    usable = np.flatnonzero((weight > 0) & np.array([bool(t.strip()) for t in texts]))
    if len(usable) < wanted.folds:
        few = f"{len(usable)} items have a text and ratings, {wanted.folds} folds need as many"
        raise DataError(f"{few}; leave out [ratings.head]")
    fold = np.full(len(texts), -1)
    fold[np.random.default_rng(wanted.training.seed).permutation(usable)] = np.arange(len(usable)) % wanted.folds
    found, times = np.zeros(len(texts)), np.zeros(len(texts))
    for one in range(wanted.folds):
        learned, asked = usable[fold[usable] != one], np.flatnonzero((fold == one) | (fold < 0))
        model = tuned([texts[i] for i in learned.tolist()], value[learned], weight[learned], wanted, watch)
        found[asked] += model.predict([texts[i] for i in asked.tolist()])
        times[asked] += 1
    return found / times


def tuned(
    texts: Sequence[str], value: np.ndarray, weight: np.ndarray, settings: Worth, watch: Watch | None = None
) -> WorthObjective:
    """A model that learned from all of these."""
    training, seed = settings.training, settings.training.seed
    steps = max(1, round(settings.epochs * len(texts) / min(training.batch, len(texts))))
    backbone = Backbone(settings.model, settings.tuning, max_tokens=settings.max_tokens, seed=seed)
    objective = WorthObjective(backbone, texts, value, weight)
    with tempfile.TemporaryDirectory() as folder:
        run = Run.begin(Path(folder), "worth", asdict(settings), "")
        learn(objective, replace(training, steps=steps), run, Processes(training.precision), watch)
    return objective
