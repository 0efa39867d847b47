"""What is to be done to a model, as one word says it: ``int8``, ``dims:128``, ``layers:3+int8+binary``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from warmstart.errors import ConfigError
from warmstart.learn.prune import check_share
from warmstart.learn.settings import at_least
from warmstart.learn.shrink import kept_layers
from warmstart.learn.truncate import check_dim

METHODS = {
    "onnx": "float32 ONNX: the same vectors without torch",
    "int8": "int8 ONNX",
    "static": "a table of token vectors, fitted to the model's vectors",
    "layers:N": "a student of N layers that learns to give the model's vectors",
    "prune:SHARE": "the smallest weights zero, the others recover",
    "dims:N": "the first N dimensions of the vectors",
    "pca:N": "the N principal directions of the catalogue's vectors",
    "int8-vectors": "stored vectors of one byte a dimension",
    "binary": "stored vectors of one bit a dimension, scored by float queries",
    "binary-hamming": "the same, scored bit by bit",
    "binary-rescored": "bits choose forty candidates, bytes order them",
}
STORED = ("int8-vectors", "binary", "binary-hamming", "binary-rescored")


@dataclass(frozen=True)
class Plan:
    """A form of a model.

    Parameters
    ----------
    name
        As it was asked for.
    layers, prune
        Of the transformer; None = as it is.
    engine
        "onnx" (float32), "int8" or "static"; "" = nothing but stored vectors changes, and the model serves as it is.
    dims, pca
        Length of the vectors; None = as it is. At most one of the two.
    stored
        How vectors are stored: "" (float32) or one of ``STORED``.
    """

    name: str
    layers: int | None = None
    prune: float | None = None
    engine: str = ""
    dims: int | None = None
    pca: int | None = None
    stored: str = ""

    @classmethod
    def parse(cls, text: str) -> Plan:
        """A plan from words joined by ``+``.

        Raises
        ------
        ConfigError
            If a word is not known, has no value it needs, or two of them exclude each other.

        Examples
        --------
        >>> Plan.parse("layers:3+int8+dims:128")
        Plan(name='layers:3+int8+dims:128', layers=3, prune=None, engine='int8', dims=128, pca=None, stored='')
        >>> Plan.parse("int4")
        Traceback (most recent call last):
        warmstart.errors.ConfigError: method 'int4' is not known; known are onnx, int8, static, layers:N, prune:SHARE, \
dims:N, pca:N, int8-vectors, binary, binary-hamming, binary-rescored, joined by +
        """
        plan = cls(text)
        for word in text.split("+"):
            name, value = _value(word.strip(), text)
            if getattr(plan, name) not in (None, ""):
                raise ConfigError(f"method {text!r} says {name} twice; say it once")
            plan = replace(plan, **{name: value})
        plan._agree()
        changed = plan.layers or plan.prune or plan.dims or plan.pca
        return replace(plan, engine="onnx") if changed and not plan.engine else plan

    def _agree(self) -> None:
        if self.dims and self.pca:
            raise ConfigError(f"method {self.name!r} shortens vectors twice; take dims or pca")
        if self.layers and self.prune:
            raise ConfigError(f"method {self.name!r} both drops layers and prunes; do one, then compress its result")

    @property
    def folder(self) -> str:
        """Name of the folder it is written to."""
        return self.name.replace(":", "-")

    @property
    def body(self) -> Plan:
        """The part of it that decides which model computes; forms that share it share that work."""
        return Plan("", self.layers, self.prune, self.engine)

    def check(self, dim: int, depth: int) -> None:
        """Refuse what a model of ``dim`` dimensions and ``depth`` layers does not allow.

        Raises
        ------
        ConfigError
            If a length, a number of layers or a share is out of range.
        """
        for length in (self.dims, self.pca):
            if length is not None:
                check_dim(length, dim)
        if self.layers is not None:
            kept_layers(depth, self.layers)
        if self.prune is not None:
            check_share(self.prune)


def plans(text: str) -> list[Plan]:
    """Plans between commas, each once.

    Examples
    --------
    >>> [p.name for p in plans("int8, binary,int8")]
    ['int8', 'binary']
    """
    return [Plan.parse(word) for word in dict.fromkeys(w.strip() for w in text.split(",") if w.strip())]


_KINDS: dict[str, Callable[[str], Any]] = {"layers": int, "dims": int, "pca": int, "prune": float}


def _value(word: str, whole: str) -> tuple[str, Any]:
    """Which field a word sets, and to what."""
    name, sign, value = word.partition(":")
    if word in ("onnx", "int8", "static"):
        return "engine", word
    if word in STORED:
        return "stored", word
    if name not in _KINDS or not sign:
        raise ConfigError(f"method {whole!r} is not known; known are {', '.join(METHODS)}, joined by +")
    try:
        number = _KINDS[name](value)
    except ValueError:
        raise ConfigError(f"method {word!r}: {value!r} is no number; write e.g. {name}:{_usual(name)}") from None
    if name != "prune":
        at_least(name, number, 1)
    return name, number


def _usual(name: str) -> str:
    return {"layers": "3", "prune": "0.5"}.get(name, "128")
