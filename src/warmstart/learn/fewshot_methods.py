"""The methods of the learning curve by name, and each of them with augmentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.errors import ConfigError
from warmstart.learn.augment import Augmentation
from warmstart.learn.fewshot import World
from warmstart.learn.fewshot_curve import Method
from warmstart.learn.fewshot_floors import cosine, factorisation, popularity, popularity_of_everybody
from warmstart.learn.fewshot_linear import Linear
from warmstart.learn.fewshot_ridge import Discriminant, Ridge
from warmstart.learn.fewshot_spectral import Spectral
from warmstart.learn.fewshot_stacked import Stacked
from warmstart.learn.fewshot_tuned import Tuned
from warmstart.text.whiten import unit_rows

FLOORS = ("popularity", "cosine", "factorisation")
EVERYBODY = "popularity (everybody)"
QUICK = ("ridge", "discriminant", "linear", "spectral", "stacked")
TUNED = ("pairs", "lora")
VIEWS = 4

Encode = Callable[[Sequence[str]], np.ndarray]


def methods(
    names: Sequence[str], model: str, augmentation: Augmentation | None = None, encode: Encode | None = None
) -> dict[str, Method]:
    """The floors and the named methods; with ``augmentation`` each of the latter a second time, as "NAME + augmented".

    Parameters
    ----------
    names
        Among ``QUICK`` and ``TUNED``.
    model
        The encoder that "pairs" and "lora" tune.
    augmentation
        What is varied.
    encode
        The frozen encoder; needed with ``augmentation``.

    Raises
    ------
    ConfigError
        If a name is not known.

    Examples
    --------
    >>> list(methods(["ridge"], "all-MiniLM-L6-v2"))
    ['popularity', 'popularity (everybody)', 'cosine', 'factorisation', 'ridge']
    """
    known: dict[str, Method] = {"ridge": Ridge(), "discriminant": Discriminant(), "linear": Linear()}
    known |= {
        "spectral": Spectral(),
        "stacked": Stacked(),
        "pairs": Tuned("pairs", model),
        "lora": Tuned("lora", model),
    }
    for name in names:
        if name not in known:
            raise ConfigError(f"method {name!r} is not known; choose among {', '.join(known)}")
    table: dict[str, Method] = {"popularity": popularity, EVERYBODY: popularity_of_everybody}
    table |= {"cosine": cosine, "factorisation": factorisation}
    for name in names:
        table[name] = known[name]
        if augmentation is not None and encode is not None:
            table[f"{name} + augmented"] = augmented(known[name], augmentation, encode)
    return table


def augmented(method: Method, augmentation: Augmentation, encode: Encode) -> Method:
    """A method with augmentation: a tuned encoder reads augmented texts while it learns; others see several views.

    Mix-up goes to where examples are learned from: contrastive pairs, and the linear head.
    """
    if isinstance(method, Tuned):
        return replace(method, augmentation=augmentation, head=replace(method.head, mixup=augmentation.mixup))
    mixing = replace(method, mixup=augmentation.mixup) if isinstance(method, Linear) else method
    return Views(mixing, augmentation, encode) if augmentation.changes_texts else mixing


@dataclass(frozen=True)
class Views:
    """A method on the mean unit vector of an item's text and of ``views`` augmented versions of it.

    Parameters
    ----------
    method
        What ranks.
    augmentation
        What is varied.
    encode
        The frozen encoder.
    views
        Augmented versions of each text.
    """

    method: Method
    augmentation: Augmentation
    encode: Encode
    views: int = VIEWS

    def __call__(self, world: World) -> np.ndarray:
        """The method's scores."""
        total = world.vectors.astype(np.float64)
        for view in range(self.views):
            rng = np.random.default_rng([73, view])  # the same views in all worlds: they are encoded once
            total += self.encode(self.augmentation(world.texts, rng))
        return self.method(replace(world, vectors=unit_rows(total)))
