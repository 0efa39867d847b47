"""Because of which interest an item is shown, and which events of it carry the item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

MOST = 2  # events that are cited


@dataclass(frozen=True)
class Because:
    """An interest that carries an item.

    Parameters
    ----------
    concept, name
        The interest.
    item_ids, titles
        Events of the history that belong to it and carry the item, the strongest first.
    drops
        How far the item falls among its rivals when each of them is left out, in deviations of their scores; above 0.
    """

    concept: int
    name: str
    item_ids: tuple[str, ...]
    titles: tuple[str, ...]
    drops: tuple[float, ...]

    @property
    def sentence(self) -> str:
        """In words.

        Examples
        --------
        >>> Because(3, "space, alien", ("7", "9"), ("Contact", "Solaris"), (0.4, 0.3)).sentence
        'because of your interest in space, alien: Contact, Solaris'
        """
        return f"because of your interest in {self.name}: {', '.join(self.titles)}"

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


def carrying(drop: np.ndarray) -> np.ndarray:
    """Events that carry an item: it falls without them, and further than without another one on average.

    Parameters
    ----------
    drop
        float64, shape (n_events,): how far it falls without each.

    Returns
    -------
    bool, shape (n_events,).

    Examples
    --------
    >>> carrying(np.array([0.4, 0.1, -0.1])).tolist(), carrying(np.array([0.2])).tolist()
    ([True, False, False], [True])
    """
    others = (drop.sum() - drop) / max(len(drop) - 1, 1)
    carries: np.ndarray = drop > np.maximum(others, 0.0)
    return carries


def cite(drop: np.ndarray, groups: Sequence[np.ndarray]) -> tuple[int, np.ndarray] | None:
    """The group of events that carries an item furthest, and which of them to cite: two at most, strongest first.

    Parameters
    ----------
    drop
        float64, shape (n_events,): how far the item falls without each event.
    groups
        Positions of events.

    Returns
    -------
    Number of the group, and positions; None where no event of a group carries the item.

    Examples
    --------
    >>> cite(np.array([0.5, 0.0, 0.35, 0.4]), [np.array([0, 1]), np.array([2, 3])])
    (1, array([3, 2]))
    """
    carries, best, found = carrying(drop), 0.0, None
    for number, group in enumerate(groups):
        mine = group[carries[group]]
        mine = mine[np.argsort(-drop[mine], kind="stable")][:MOST]
        if drop[mine].sum() > best:
            best, found = float(drop[mine].sum()), (number, mine)
    return found
