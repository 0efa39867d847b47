"""Experiments: who sees which variant, the same at every visit, and lists that mix two.

How an answer is made under them: ``assign`` says, from the running experiments, the scenario and who asks, which
variant holds; its settings that are not None go before those of the request and of the service. Where the experiment
interleaves, both variants rank, ``mixed`` joins their lists, and each ``Shown`` names its ``variant``; the answer names
the experiment alone. In an A/B test the answer names experiment and variant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from warmstart.errors import ConfigError
from warmstart.evaluate.interleaving import Interleaved, team_draft
from warmstart.store.rows import Experiment

AB, INTERLEAVE = "ab", "interleave"
RUNNING, STOPPED = "running", "stopped"


@dataclass(frozen=True)
class Variant:
    """One way to answer; None = as the service and the request say.

    Parameters
    ----------
    name
        Of the variant.
    share
        Of all people, in (0, 1].
    model
        Version that ranks.
    calibrate, diversity
        In [0, 1].
    explore
        Share of the places that try new items, in [0, 1].
    """

    name: str
    share: float
    model: str | None = None
    calibrate: float | None = None
    diversity: float | None = None
    explore: float | None = None

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name:
            raise ConfigError(f"variant {self.name!r} cannot be a name; give letters and digits")
        if not 0 < self.share <= 1:
            raise ConfigError(
                f"variant {self.name!r}: share={self.share:g} is not in (0, 1]; give a share of all people"
            )
        for name in ("calibrate", "diversity", "explore"):
            if (value := getattr(self, name)) is not None and not 0 <= value <= 1:
                raise ConfigError(
                    f"variant {self.name!r}: {name}={value:g} is not between 0 and 1; null leaves it alone"
                )

    @property
    def settings(self) -> dict[str, Any]:
        """What it changes."""
        return {
            name: value for name, value in asdict(self).items() if name not in ("name", "share") and value is not None
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Variant:
        """From a row of the store, which may lack what it does not change."""
        name, share = str(row.get("name", "")), float(row.get("share", 0))
        return cls(name, share, row.get("model"), row.get("calibrate"), row.get("diversity"), row.get("explore"))


@dataclass(frozen=True)
class Assigned:
    """Of somebody: the experiment, and the variant, or both of them where it interleaves."""

    experiment: Experiment
    variants: tuple[Variant, ...]

    @property
    def interleaves(self) -> bool:
        """Whether the list mixes two variants."""
        return len(self.variants) > 1


def begun(experiment: Experiment, running: Sequence[Experiment]) -> Experiment:
    """A new experiment, checked against those that run.

    Raises
    ------
    ConfigError
        If it has fewer than two variants, two of one name, shares above 1, two that are the same, or another experiment
        runs where it would: nobody is in two at once.

    Examples
    --------
    >>> begun(Experiment("more", [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.6}]), [])
    Traceback (most recent call last):
    warmstart.errors.ConfigError: experiment 'more': shares sum to 1.1; at most 1, the rest takes no part
    """
    at, variants = f"experiment {experiment.name!r}", [Variant.of(row) for row in experiment.variants]
    names = [variant.name for variant in variants]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ConfigError(f"{at}: variants {names} are not two or more of different names; name each")
    if experiment.kind not in (AB, INTERLEAVE) or (experiment.kind == INTERLEAVE and len(names) != 2):
        raise ConfigError(f"{at}: {experiment.kind} of {len(names)} variants cannot be; interleave two, or use ab")
    if (total := sum(variant.share for variant in variants)) > 1 + 1e-9:
        raise ConfigError(f"{at}: shares sum to {total:g}; at most 1, the rest takes no part")
    if len({tuple(variant.settings.items()) for variant in variants}) < len(names):
        raise ConfigError(f"{at}: two variants have the same settings; they would be answered alike")
    for other in running:
        if other.status == RUNNING and (not other.scenario or experiment.scenario in ("", other.scenario)):
            raise ConfigError(f"{at}: experiment {other.name!r} runs there already; stop it first")
    return experiment


def assign(experiments: Sequence[Experiment], scenario: str, unit: str) -> Assigned | None:
    """Which variant somebody sees; None = they take no part.

    ``u``, a hash of the unit keyed by the experiment's name, is uniform in [0, 1), the same at each visit, in each
    process and after each start, and independent between experiments. Variant i holds where u falls into the i-th of
    the stretches whose lengths are the shares.

    Parameters
    ----------
    scenario
        Of the answer; an experiment whose scenario is empty runs in all.
    unit
        Who asks: the user's id. For an anonymous request something that stays the same, such as a session; where there
        is nothing, the recommendation id: then each answer is assigned by itself.

    Examples
    --------
    >>> test = Experiment("covers", [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "diversity": 0.3}])
    >>> [assign([test], "home", user).variants[0].name for user in ("bob", "cat", "bob")]
    ['a', 'b', 'a']
    """
    for experiment in experiments:
        if experiment.status != RUNNING or experiment.scenario not in ("", scenario):
            continue
        variants, at = [Variant.of(row) for row in experiment.variants], uniform(experiment.name, unit)
        edges = np.cumsum([variant.share for variant in variants])
        if at >= edges[-1]:
            return None
        if experiment.kind == INTERLEAVE:
            return Assigned(experiment, tuple(variants))
        return Assigned(experiment, (variants[int(np.searchsorted(edges, at, side="right"))],))
    return None


def mixed(a: Sequence[str], b: Sequence[str], k: int, recommendation_id: str) -> Interleaved[str]:
    """The lists of two variants as one, by team draft; ``teams`` says of each place which of the two it is of.

    Its coins are drawn from the id, so that the same answer can be made again.
    """
    return team_draft(a, b, k, generator("interleave", recommendation_id))


def uniform(key: str, unit: str) -> float:
    """A number in [0, 1) that looks drawn, and is the same for the same key and unit."""
    return int.from_bytes(_digest(key, unit)[:7]) / 2**56


def generator(key: str, unit: str) -> np.random.Generator:
    """Random numbers that are the same for the same key and unit; for ``explore``, the recommendation id."""
    return np.random.default_rng(int.from_bytes(_digest(key, unit)))


def _digest(key: str, unit: str) -> bytes:
    secret = hashlib.blake2b(key.encode(), digest_size=32).digest()  # keys of any length
    return hashlib.blake2b(unit.encode(), key=secret, digest_size=16).digest()
