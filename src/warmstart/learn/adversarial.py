"""Adversarial training: whatever is learned must hold for texts that are a little wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, require
from warmstart.learn.attacks import Attack
from warmstart.learn.backbone import Backbone, Rewrite, Texts
from warmstart.learn.objective import Objective
from warmstart.learn.perturbation import Perturbation
from warmstart.learn.processes import Draw, Processes, reseed
from warmstart.learn.settings import at_least, choose

METHODS = ("fgm", "pgd", "vat", "typos", "consistency")
_FIRST = 0.01  # length of the random shift from which VAT finds its direction


@dataclass(frozen=True)
class Adversary:
    """What is done to texts while a model learns.

    Parameters
    ----------
    method
        "fgm": the loss again, embeddings shifted along its gradient (Miyato et al. 2017, arXiv:1605.07725).
        "pgd": the same in several projected steps (Madry et al. 2018, arXiv:1706.06083).
        "vat": vectors of shifted embeddings stay near those of the unshifted ones; the direction is the one that moves
        them most, no labels are needed (Miyato et al. 2018, arXiv:1704.03976).
        "typos": a random half of the texts is read as ``attack`` leaves them.
        "consistency": vectors of attacked texts stay near those of the clean ones, as seen from the mean of all.
    weight
        Of the second loss beside the first, above 0; of no account for "typos".
    epsilon
        Length of a shift relative to the text's embeddings, above 0 ("fgm", "pgd", "vat").
    steps
        Of "pgd".
    attack
        Of "typos" and "consistency"; its seed is drawn anew at every step.
    """

    method: str = "consistency"
    weight: float = 1.0
    epsilon: float = 0.1
    steps: int = 3
    attack: Attack = field(default_factory=lambda: Attack("typos"))

    def __post_init__(self) -> None:
        choose("adversary", self.method, METHODS)
        at_least("steps", self.steps, 1)
        for name in ("weight", "epsilon"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)} is not above 0; {getattr(Adversary, name)} is usual")


class Adversarial:
    """An objective that is also trained against an adversary; validation stays that of the objective.

    Parameters
    ----------
    objective
        What is learned: retrieval, mined pairs, or a task over pairs.
    backbone
        The language model it reads with.
    settings
        The adversary.
    """

    def __init__(self, objective: Objective, backbone: Backbone, settings: Adversary | None = None) -> None:
        self.objective, self.backbone, self.settings = objective, backbone, settings or Adversary()

    @property
    def watched(self) -> str:
        """The objective's figure."""
        return self.objective.watched

    @property
    def higher_is_better(self) -> bool:
        """As the objective says."""
        return self.objective.higher_is_better

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The objective's weights."""
        return self.objective.parameters()

    def place(self, processes: Processes) -> None:
        """Move the weights."""
        self.objective.place(processes)

    def train(self, mode: bool) -> None:
        """Switch dropout."""
        self.objective.train(mode)

    def validate(self) -> dict[str, float]:
        """The objective's figures, on clean texts."""
        return self.objective.validate()

    def backward(self, draw: Draw) -> float:
        """Gradients of the objective's loss plus ``weight`` times the adversary's; their sum.

        Raises
        ------
        ConfigError
            If the adversary attacks texts and the objective reads tokens that it prepared itself.
        """
        torch = require("torch", extra="lm")
        seed = int(torch.initial_seed()) % (1 << 63)

        def loss() -> float:
            reseed(seed)  # the same dropout in every pass
            return self.objective.backward(draw)

        method = self.settings.method
        if method in ("fgm", "pgd"):
            return self._shifted(loss)
        attack = Typist(self.settings.attack, draw)
        if method == "typos":
            return self._read_as(attack.half, loss)
        return self._beside(loss, attack, draw.processes)

    def _shifted(self, loss: Callable[[], float]) -> float:
        """The loss, and the loss where shifted embeddings make it large."""
        s = self.settings
        steps = s.steps if s.method == "pgd" else 1
        step = s.epsilon * min(1.0, 2.5 / steps)
        with Perturbation(self.backbone.model.get_input_embeddings()) as shift:
            total = loss()
            for number in range(steps):
                if not shift.climb(step, s.epsilon):
                    raise ConfigError(f"method={s.method!r} needs a model that is read with gradient; free its weights")
                hard = self._scaled(loss, s.weight if number == steps - 1 else 0.0)
        return total + s.weight * hard

    def _scaled(self, loss: Callable[[], float], scale: float) -> float:
        """Add ``scale`` times the gradients of a loss to those that are there."""
        weights = [p for _, p in self.parameters()]
        before = [p.grad for p in weights]
        for p in weights:
            p.grad = None
        value = loss()
        for p, old in zip(weights, before, strict=True):
            if p.grad is None or not scale:
                p.grad = old
            else:
                p.grad = p.grad * scale if old is None else old.add_(p.grad, alpha=scale)
        return value

    def _beside(self, loss: Callable[[], float], attack: Typist, processes: Processes) -> float:
        """The loss, and how far vectors move: of the same texts attacked, or with embeddings shifted."""
        heard = _Heard()
        total = self._read_as(heard, loss)
        count = sum(len(texts) for texts, _ in heard.batches)
        if not count:
            raise ConfigError(
                f"method={self.settings.method!r} needs an objective that reads texts; choose fgm or pgd for this one"
            )
        torch = require("torch", extra="lm")
        with torch.no_grad():
            clean = [self.backbone.vectors(*batch) for batch in heard.batches]
        middle = _middle(clean, processes)
        for (texts, pairs), vectors in zip(heard.batches, clean, strict=True):
            far = _apart(vectors, self._disturbed(texts, pairs, vectors, middle, attack), middle)
            part = far * (self.settings.weight * len(texts) / count)
            part.backward()
            total += float(part.detach())
        return total

    def _disturbed(self, texts: Texts, pairs: Texts | None, clean: Any, middle: Any, attack: Typist) -> Any:
        """Vectors of the texts attacked, or with embeddings shifted where it moves them most."""
        if self.settings.method == "consistency":
            return self.backbone.vectors(*attack(texts, pairs))
        torch = require("torch", extra="lm")
        weights = [p for _, p in self.parameters()]
        with Perturbation(self.backbone.model.get_input_embeddings(), _FIRST) as shift:
            first = _apart(clean, self.backbone.vectors(texts, pairs), middle)
            # only what is noted at the embeddings is wanted of this gradient
            torch.autograd.grad(first, weights, allow_unused=True)
            shift.point(self.settings.epsilon)
            return self.backbone.vectors(texts, pairs)

    def _read_as(self, rewrite: Rewrite, loss: Callable[[], float]) -> float:
        self.backbone.rewrite = rewrite
        try:
            return loss()
        finally:
            self.backbone.rewrite = None


def against(objective: Objective, backbone: Backbone, settings: Adversary | None) -> Objective:
    """The objective, with an adversary where one is wanted."""
    return objective if settings is None else Adversarial(objective, backbone, settings)


class Typist:
    """Attacks texts, in each pass over a micro-batch alike and in each micro-batch anew."""

    def __init__(self, attack: Attack, draw: Draw) -> None:
        seed = int(np.random.default_rng([attack.seed, draw.seed, draw.step, draw.micro]).integers(1 << 31))
        self.attack = replace(attack, seed=seed)

    def __call__(self, texts: Texts, pairs: Texts | None) -> tuple[Texts, Texts | None]:
        """All texts, attacked."""
        return self.attack.on(texts), None if pairs is None else self.attack.on(pairs)

    def half(self, texts: Texts, pairs: Texts | None) -> tuple[Texts, Texts | None]:
        """A random half of the texts, attacked; a text has the same fate wherever it stands."""
        return self._half(texts), None if pairs is None else self._half(pairs)

    def _half(self, texts: Texts) -> list[str]:
        wrong = self.attack.on(texts)
        return [w if self.attack.chance(t) < 0.5 else t for t, w in zip(texts, wrong, strict=True)]


class _Heard:
    """Remembers what was read with gradient."""

    def __init__(self) -> None:
        self.batches: list[tuple[Texts, Texts | None]] = []

    def __call__(self, texts: Texts, pairs: Texts | None) -> tuple[Texts, Texts | None]:
        if require("torch", extra="lm").is_grad_enabled():
            self.batches.append((texts, pairs))
        return texts, pairs


def _middle(vectors: Sequence[Any], processes: Processes) -> Any:
    """The mean of unit vectors over all processes' batches, (1, dim)."""
    torch = require("torch", extra="lm")
    mean = torch.nn.functional.normalize(torch.cat(list(vectors)).float(), dim=1).mean(0, keepdim=True)
    return processes.gather(mean).mean(0, keepdim=True)


def _apart(clean: Any, other: Any, middle: Any) -> Any:
    """Mean over rows of ``1 - cos(a - m, b - m)``, a and b unit rows: drawing all vectors together wins nothing."""
    functional = require("torch", extra="lm").nn.functional
    a, b = functional.normalize(clean.float(), dim=1), functional.normalize(other.float(), dim=1)
    return (1 - functional.cosine_similarity(a - middle, b - middle, dim=1)).mean()
