"""Who is measured: ``peers.toml`` as typed objects, and the settings each may try."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import ConfigError

HERE = Path(__file__).parent
OWN = "warmstart"
VARIANT = f"{OWN}-"  # so the names of its other forms begin
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Entrant:
    """A system; the fields are told in ``peers.toml``."""

    name: str
    title: str
    runner: str
    packages: Sequence[Sequence[str]] = ()
    env: str = ""
    fixed: Settings = field(default_factory=dict)
    first: Settings = field(default_factory=dict)
    space: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """Name of its environment; "" = that of the driver."""
        return (self.env or self.name) if self.packages else ""

    @property
    def file(self) -> Path:
        """Its runner."""
        return HERE / "runners" / self.runner

    def trials(self, most: int, seed: int = 0) -> list[dict[str, Any]]:
        """At most so many distinct settings: ``first``, then others of ``space`` drawn at random.

        The draw is one for all entrants and depends on the seed alone.
        """
        product = [dict(zip(self.space, values, strict=True)) for values in itertools.product(*self.space.values())]
        drawn = [product[p] for p in np.random.default_rng(seed).permutation(len(product))]
        listed = [dict(self.first)] * bool(self.first) + drawn
        distinct = {json.dumps(s, sort_keys=True): s for s in listed}
        return [dict(self.fixed) | s for s in list(distinct.values())[:most]]


def entrants(names: Sequence[str] = (), file: Path = HERE / "peers.toml") -> list[Entrant]:
    """Those of the file, or the named ones of it, in the order of the file.

    Raises
    ------
    ConfigError
        If a name is not in the file.
    """
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    unknown = [n for n in names if n not in told]
    if unknown:
        raise ConfigError(f"no peer is called {unknown[0]!r}; {file.name} has {', '.join(told)}")
    return [Entrant(name=n, **about) for n, about in told.items() if not names or n in names]
