"""Views: item features that know nothing of the events of some items, so that hiding those items is honest.

An encoder that was fine-tuned on events has seen those of every item. In a simulated world the items hidden from the
experts would still be told of by their features, and content would earn more trust than it deserves where it will be
needed, with items that are really new. So each world is simulated with the features of an encoder that learned
without the items hidden in it (cross-fitting; Chernozhukov et al. 2018, arXiv:1608.00060, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class View:
    """Item features, and of which items' events they know nothing.

    Parameters
    ----------
    features
        float32, shape (n_items, dim).
    fresh
        bool, shape (n_items,): items that may be hidden in a world with these features.
    """

    features: np.ndarray
    fresh: np.ndarray


def fresh_items(data: Dataset, n: int, share: float, seed: int = 0) -> list[np.ndarray]:
    """``n`` disjoint random groups of items with events, a ``share`` of them each: bool, shape (n_items,).

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> [int(group.sum()) for group in fresh_items(checkerboard(), 2, 0.3)]
    [6, 6]
    """
    met = np.random.default_rng([seed, 2]).permutation(np.flatnonzero(data.interactions.item_counts()))
    size, groups = int(min(share, 1 / max(n, 1)) * len(met)), np.zeros((n, data.n_items), bool)
    for number, group in enumerate(groups):
        group[met[number * size : (number + 1) * size]] = True
    return list(groups)


def without(data: Dataset, items: np.ndarray) -> Dataset:
    """The same world, but nobody has met these items: bool, shape (n_items,)."""
    return data.with_interactions(data.interactions.select(~items[data.interactions.item]))


@dataclass(frozen=True, eq=False)
class Scenery:
    """What a simulated world is made of, by its number: data in one of the views, and items that may be hidden.

    Parameters
    ----------
    worlds
        Data with the features of each view, and items with events that it may hide (bool, shape (n_items,)).
    draw
        float64 in [0, 1), shape (n_items,): decides who is hidden together.
    """

    worlds: list[tuple[Dataset, np.ndarray]]
    draw: np.ndarray

    @classmethod
    def of(cls, data: Dataset, views: Sequence[View], draw: np.ndarray) -> Scenery:
        """Without views: the data as they are, and every item with events."""
        met = data.interactions.item_counts() > 0
        worlds = [(replace(data, features=v.features), met & v.fresh) for v in views]
        return cls(worlds or [(data, met)], draw)

    def data(self, number: int) -> Dataset:
        """The data of a world."""
        return self.worlds[number % len(self.worlds)][0]

    def hidden(self, number: int, share: float) -> np.ndarray:
        """Items to hide in a world: a ``share`` of those with events, as far as its view allows."""
        turn, at = divmod(number, len(self.worlds))
        data, able = self.worlds[at]
        more = float((data.interactions.item_counts() > 0).sum() / max(able.sum(), 1))
        hidden: np.ndarray = able & groups(self.draw, min(1.0, share * more), turn)
        return hidden


def groups(draw: np.ndarray, part: float, fold: int) -> np.ndarray:
    """Members of a fold that holds a ``part`` of all; ``draw`` float64 in [0, 1). Folds of one draw are disjoint.

    Examples
    --------
    >>> groups(np.array([0.1, 0.3, 0.9]), 0.25, 0).tolist(), groups(np.array([0.1, 0.3, 0.9]), 0.25, 1).tolist()
    ([True, False, False], [False, False, True])
    """
    inside: np.ndarray = ((draw + part * fold) % 1.0) < part
    return inside
