"""What a person asks of their interests: without some, more of others; recommendations follow without a new fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories
from warmstart.errors import ConfigError
from warmstart.interests.concepts import Concepts

LIFT = 2.0  # deviations of a query's scores by which items of a wanted concept rise


@dataclass(frozen=True)
class Steering:
    """What a person asks of their interests; concepts by number or name.

    Parameters
    ----------
    without
        Concepts that are switched off: their items are not shown, and their events not heard.
    more
        Concepts of which more is wanted: their items rise by two deviations of the query's scores; ``score`` stays that
        of the ranking, before they rose.
    """

    without: Sequence[int | str] = ()
    more: Sequence[int | str] = ()

    def __post_init__(self) -> None:
        for name in ("without", "more"):
            if isinstance(given := getattr(self, name), str | int):
                raise ConfigError(f"{name}={given!r} is one concept; give a list, e.g. {name}=[{given!r}]")


@dataclass(frozen=True, eq=False)
class Wishes:
    """The items that a ``Steering`` is about.

    Parameters
    ----------
    barred
        bool, shape (n_items,): items of a concept that is switched off.
    wanted
        bool, shape (n_items,): items of a concept of which more is wanted.
    """

    barred: np.ndarray
    wanted: np.ndarray

    @classmethod
    def of(cls, concepts: Concepts, asked: Steering) -> Wishes:
        """The items meant; what is both switched off and wanted stays off.

        Raises
        ------
        DataError
            If one of them is unknown.
        """
        barred, wanted = (np.zeros(concepts.members.weights.shape[0], bool) for _ in range(2))
        for mask, named in ((barred, asked.without), (wanted, asked.more)):
            for one in named:
                mask |= concepts.mask(one)
        return cls(barred, wanted & ~barred)

    def heard(self, h: Histories) -> Histories:
        """Histories without the events of what is switched off: they speak for its neighbours, too."""
        return h.keep(~self.barred[h.item]) if self.barred.any() else h

    def raised(self, item: np.ndarray, score: np.ndarray) -> np.ndarray:
        """Scores by which candidates are shown: wanted ones have risen by ``LIFT`` deviations of the query's.

        Parameters
        ----------
        item, score
            int32 and float64, shape (n_queries, m): candidates, best first; -1 = none left.

        Returns
        -------
        float64, shape (n_queries, m); minus infinity where none is left.
        """
        known = item >= 0
        count = np.maximum(known.sum(1, keepdims=True), 1)
        mean = np.where(known, score, 0.0).sum(1, keepdims=True) / count
        spread = np.sqrt(np.where(known, (score - mean) ** 2, 0.0).sum(1, keepdims=True) / count)
        return np.where(known, score + LIFT * spread * self.wanted[np.maximum(item, 0)], -np.inf)
