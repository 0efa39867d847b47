"""A budget of places for new items: which of them is tried is drawn by Thompson sampling, and its chance is told.

An item nobody has met has a rate nobody knows. Its Gamma posterior (``experts.popularity``: shape n + tau, mean r) says
how high it may be; each draw from it is a world. An answer picks a world at random and tries the items best in it: what
is surely poor is hardly tried, what may be good often, and the more is known, the less is left to chance.

Worlds are drawn once for many answers. Given them, the chance of every place is counted exactly, in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from warmstart.errors import ConfigError

WORLDS = 256  # no chance of a tried item is below 1 / WORLDS of its place's


@dataclass(frozen=True)
class Budget:
    """How many places of an answer are given to trying new items.

    Parameters
    ----------
    share
        Of all places, in [0, 1]: on average ``share k`` places of an answer of k are tried; 0 = none.
    keep
        Places at the top that are left alone.
    """

    share: float = 0.05
    keep: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError(f"explore share={self.share:g} is not between 0 and 1; 0.05 is usual")
        if self.keep < 0:
            raise ConfigError(f"explore keep={self.keep} is below 0; 0 leaves no place alone")

    def places(self, k: int, candidates: int) -> float:
        """How many places of k are tried on average, given so many candidates.

        Examples
        --------
        >>> Budget(0.05).places(10, 40), Budget(1.0).places(10, 40), Budget(1.0).places(10, 3)
        (0.5, 9.0, 3.0)
        """
        return float(max(0.0, min(self.share * k, k - self.keep, candidates)))


@dataclass(frozen=True)
class Worlds:
    """What the rates of new items may be: log of the drawn rate over the expected one, float32, (n_new, WORLDS)."""

    noise: np.ndarray

    @classmethod
    def draw(cls, events: np.ndarray, tau: float, rng: np.random.Generator, worlds: int = WORLDS) -> Self:
        """Draw rates ``G / (n + tau)`` with G of Gamma(n + tau): mean 1, variance ``1 / (n + tau)``.

        Parameters
        ----------
        events
            float >= 0, shape (n_new,): n, how many events each new item has.
        tau
            > 0: shape of the prior, in events, as of the popularity expert.

        Raises
        ------
        ConfigError
            If tau is not above 0.

        Examples
        --------
        >>> worlds = Worlds.draw(np.array([0.0, 1000.0]), 2.0, np.random.default_rng(0))
        >>> [f"{deviation:.1f}" for deviation in np.exp(worlds.noise).std(axis=1)]
        ['0.7', '0.0']
        """
        if not tau > 0:
            raise ConfigError(f"tau={tau:g} is not above 0; 2 is usual")
        shape = np.asarray(events, np.float64) + tau
        drawn = rng.gamma(shape, size=(worlds, len(shape))) / shape
        return cls(np.ascontiguousarray(np.log(np.maximum(drawn, 1e-30)).T, np.float32))


@dataclass(frozen=True)
class Exploration:
    """Which places of an answer are tried, and the chance of each place to hold what it holds.

    Parameters
    ----------
    places
        int64, shape (e,), ascending: places, from 0, whose item gives way.
    candidates
        int64, shape (e,): positions of the candidates that stand there instead.
    propensity
        float64 in (0, 1], shape (k,): of all places.
    """

    places: np.ndarray
    candidates: np.ndarray
    propensity: np.ndarray


def explore(
    k: int, rows: np.ndarray, expected: np.ndarray, worlds: Worlds, budget: Budget, rng: np.random.Generator
) -> Exploration:
    """Choose the places of one answer that try new items, and the items.

    A world w is picked at random. Of candidates with log expected rate ``s_i``, those with the largest
    ``s_i + noise_wi`` are tried, e of them, in an order and at places below the kept ones picked at random. e is
    ``budget.places`` rounded up or down at random, so that it is that on average. With ``L = k - keep``, f the chance
    of rounding up, and ``P_e(i)`` the share of worlds in which i is among the e best,

    - a tried item stands at its place with chance ``((1 - f) P_e(i) + f P_{e + 1}(i)) / L``;
    - what would stand there otherwise, with chance ``1 - mean(e) / L``; above, with chance 1.

    Both are exact for the worlds at hand; against the Gammas themselves ``P_e`` is known up to a standard error of
    ``sqrt(P (1 - P) / WORLDS)``.

    Call it for every answer under a budget, with the k items to be shown already chosen: put candidate
    ``candidates[j]`` at ``places[j]``, mark it ``explored``, and log ``propensity`` with all k places.

    Parameters
    ----------
    k
        Places of the answer.
    rows
        int64, shape (m,): rows of ``worlds`` of the candidates: new items that may be shown to this person and are
        not among the k. Some 200 of the best expected suffice.
    expected
        float, shape (m,), finite: log of the rate expected of each, for this person where that is known; e.g. the score
        of the popularity expert, or the engine's own score in units of a logarithm.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> worlds = Worlds.draw(np.zeros(3), 2.0, rng)
    >>> tried = explore(10, np.arange(3), np.zeros(3), worlds, Budget(share=0.1, keep=0), rng)
    >>> len(tried.places), tried.propensity.round(2).tolist()
    (1, [0.9, 0.9, 0.9, 0.9, 0.9, 0.03, 0.9, 0.9, 0.9, 0.9])
    """
    mean = budget.places(k, len(rows))
    propensity = np.ones(k)
    if mean <= 0:
        return Exploration(np.empty(0, np.int64), np.empty(0, np.int64), propensity)
    keep, least, up = budget.keep, int(mean), mean - int(mean)
    best = _best(worlds.noise[rows] + np.asarray(expected, np.float32)[:, None], least + (up > 0))
    count = least + int(rng.random() < up)
    tried = rng.permutation(best[rng.integers(len(best)), :count])
    places = np.sort(rng.choice(k - keep, count, replace=False)) + keep
    propensity[keep:] = 1 - mean / (k - keep)
    among = (best[None] == tried[:, None, None]).mean(axis=1)  # (count, e): chance of each rank
    propensity[places] = (among[:, :least].sum(1) + up * among[:, least:].sum(1)) / (k - keep)
    return Exploration(places, tried, propensity)


def _best(value: np.ndarray, count: int) -> np.ndarray:
    """Rows of the ``count`` largest entries of each column, largest first: int64, shape (n_columns, count)."""
    best, worlds = np.empty((value.shape[1], count), np.int64), np.arange(value.shape[1])
    for rank in range(count):
        best[:, rank] = value.argmax(axis=0)
        value[best[:, rank], worlds] = -np.inf
    return best
