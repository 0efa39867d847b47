"""How a model learns: which weights, by which optimiser, for how long, judged how often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from warmstart.errors import ConfigError

TUNINGS = ("full", "last", "lora", "frozen")
OPTIMISERS = ("adamw", "adam", "sgd")
DECAYS = ("linear", "cosine", "constant")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Tuning:
    """Which weights of a backbone learn.

    Parameters
    ----------
    mode
        "full", "last" (the last ``layers`` layers), "lora" (low-rank additions; Hu et al. 2021, arXiv:2106.09685)
        or "frozen" (none; heads learn alone).
    layers
        Layers that learn with "last", >= 1.
    rank, alpha
        Rank of the additions of "lora" and their scale, ``W + alpha / rank * B A``.
    dropout
        Dropout inside the backbone while it learns, in [0, 1).
    token_dropout
        Share of the tokens that are missing whenever a text becomes a vector while learning, in [0, 1).
    """

    mode: str = "full"
    layers: int = 2
    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    token_dropout: float = 0.0

    def __post_init__(self) -> None:
        choose("tuning", self.mode, TUNINGS)
        at_least("layers", self.layers, 1)
        at_least("rank", self.rank, 1)
        for name in ("dropout", "token_dropout"):
            share(name, getattr(self, name), 0.1)


@dataclass(frozen=True)
class Training:
    """The loop's settings.

    Parameters
    ----------
    steps
        Steps of the optimiser at most.
    batch
        Examples (texts, pairs, items: what the objective counts) a step, a process and a micro-batch.
    learning_rate, weight_decay
        Of the optimiser; the rate is the highest one, reached after warming up.
    head_rate
        Weights that begin from nothing (their names begin with ``head.``) learn at this multiple of the rate.
    optimiser
        "adamw", "adam" or "sgd" (momentum 0.9).
    warmup
        Share of the steps over which the rate rises from 0.
    decay
        "linear" or "cosine" to 0 over the rest of the steps, or "constant".
    accumulate
        Micro-batches whose gradients make one step.
    clip
        Largest norm of the gradient; 0 = unbounded.
    precision
        "bfloat16" (autocast), "float32", or "auto": bfloat16 where GPU or processor multiply it faster (half the
        time with AVX-512 BF16).
    validate_every
        Steps between two validations; 0 = at the end alone.
    patience
        Validations without improvement after which it stops; 0 = never.
    checkpoint_every
        Steps between two checkpoints; 0 = none.
    seed
        Fixes drawing, dropout and fresh weights.
    """

    steps: int = 100
    batch: int = 32
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    head_rate: float = 20.0
    optimiser: str = "adamw"
    warmup: float = 0.1
    decay: str = "linear"
    accumulate: int = 1
    clip: float = 1.0
    precision: str = "auto"
    validate_every: int = 20
    patience: int = 5
    checkpoint_every: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        choose("optimiser", self.optimiser, OPTIMISERS)
        choose("decay", self.decay, DECAYS)
        choose("precision", self.precision, PRECISIONS)
        for name in ("steps", "batch", "accumulate"):
            at_least(name, getattr(self, name), 1)
        for name in ("validate_every", "patience", "checkpoint_every", "clip", "weight_decay", "seed"):
            at_least(name, getattr(self, name), 0)
        for name, usual in (("learning_rate", 5e-5), ("head_rate", 20)):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)} is not above 0; {usual:g} is usual")
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"warmup={self.warmup} is not in [0, 1); it is a share of the steps")

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0.

        Examples
        --------
        >>> [round(Training(steps=4, warmup=0.5, learning_rate=1.0).rate_at(s), 2) for s in range(4)]
        [0.5, 1.0, 1.0, 0.5]
        """
        rising = max(1, round(self.warmup * self.steps)) if self.warmup else 0
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        left = 1 - (step - rising) / max(1, self.steps - rising)
        shape = {"linear": left, "cosine": 0.5 * (1 - math.cos(math.pi * left)), "constant": 1.0}[self.decay]
        return self.learning_rate * shape


def choose(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a value that is not among the known ones.

    Examples
    --------
    >>> choose("decay", "steep", DECAYS)
    Traceback (most recent call last):
    warmstart.errors.ConfigError: decay='steep' is not known; choose one of linear, cosine, constant
    """
    if value not in known:
        raise ConfigError(f"{name}={value!r} is not known; choose one of {', '.join(known)}")


def check_dims(dims: Sequence[int], dim: int) -> None:
    """Refuse shorter lengths of vectors that are not shorter than the model's.

    Examples
    --------
    >>> check_dims((64, 9999), 384)
    Traceback (most recent call last):
    warmstart.errors.ConfigError: dims=9999 is not below 384, the length of the model's vectors; give shorter ones
    """
    for length in dims:
        if length >= dim:
            raise ConfigError(f"dims={length} is not below {dim}, the length of the model's vectors; give shorter ones")


def share(name: str, value: float, usual: float, *, none: bool = True) -> None:
    """Refuse a share that is not below 1, or below 0, or (``none=False``) 0 itself.

    Examples
    --------
    >>> share("dropout", 0.0, 0.1)
    >>> share("masked", 0.0, 0.15, none=False)
    Traceback (most recent call last):
    warmstart.errors.ConfigError: masked=0.0 is not in (0, 1); 0.15 is usual
    """
    if not (0 < value < 1 or (none and value == 0)):
        raise ConfigError(f"{name}={value} is not in {'[' if none else '('}0, 1); {usual:g} is usual")


def at_least(name: str, value: float, least: float) -> None:
    """Refuse a number that is too small.

    Examples
    --------
    >>> at_least("batch", 1, 1)
    """
    if value < least:
        raise ConfigError(f"{name}={value} is below {least}; give {least} or more")
