"""What can be learned about a person and an item, and what every such task has in common.

A task says how examples are made, what is made small, what comes out, and by which figures it is judged. Outputs are
(n, m, k): k numbers for each of m items of n people; with ``Category`` m = 1 and no item is given.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.errors import DataError
from warmstart.learn.pairs import Examples

LEAST = 2  # examples a class needs


class Task(Protocol):
    """One of ``Interest``, ``Category``, ``Rating`` and ``Ranking``."""

    name: ClassVar[str]
    watched: ClassVar[str]
    higher_is_better: ClassVar[bool]

    @property
    def start(self) -> tuple[float, ...]:
        """Outputs to begin with: what is known without knowing anybody."""
        ...

    def examples(self, data: Dataset, known: np.ndarray, seed: int) -> Examples:
        """All examples of the data; ``known`` (n_items,) bool says which items have a text."""
        ...

    def fitted(self, train: Examples, held: Examples) -> tuple[Task, Examples, Examples]:
        """The task with what it takes from the training part, and both parts, checked."""
        ...

    def loss(self, outputs: Any, labels: Any) -> Any:
        """A scalar tensor from outputs (n, m, k) and labels (n, m)."""
        ...

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """What outputs mean: probabilities, ratings or scores; float32, shape as given."""
        ...

    def figures(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """How good outputs are; the watched figure among them."""
        ...

    def trivial(self, train: Examples, held: Examples) -> np.ndarray:
        """Outputs (n, m, k) for ``held`` of whoever knows no texts: the commonest, the mean, the popular."""
        ...


def rated_rows(data: Dataset, known: np.ndarray) -> np.ndarray:
    """Positions of the events that carry a rating, on items with text.

    Raises
    ------
    DataError
        If there are none.
    """
    x = data.interactions
    rows: np.ndarray = np.flatnonzero(~np.isnan(x.rating) & known[x.item])
    if not len(rows):
        raise DataError("no event carries a rating; map a rating column when reading, or choose another task")
    return rows


def popularity(train: Examples, held: Examples) -> np.ndarray:
    """The sum of its training labels for each item of ``held``, (n, m, 1)."""
    n = int(max(train.items.max(), held.items.max())) + 1
    known = train.items >= 0
    sums = np.bincount(train.items[known], weights=train.labels[known], minlength=n)
    return np.where(held.items >= 0, sums[held.items], 0.0)[..., None]


def check_labels(
    train: Examples, held: Examples, *, whole: bool = False, least: float = -np.inf, most: float = np.inf
) -> None:
    """Refuse labels that are not finite, not within bounds, or (``whole``) between two classes."""
    for part in (train, held):
        given = part.labels[~np.isnan(part.labels)]
        wrong = ~np.isfinite(given) | (given < least) | (given > most) | (whole & (given != np.rint(given)))
        if wrong.any():
            bounds = f"from {least:g} to {most:g}" if np.isfinite(most) else f"finite and not below {least:g}"
            raise DataError(f"label {given[wrong][0]:g} is out of range; labels of this task are {bounds}: correct it")
