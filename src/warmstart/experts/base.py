"""What every expert offers: fitted on a dataset, it scores any history against the whole catalogue."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.beside import Entries

EVERY = slice(None)  # item


@runtime_checkable
class FittedExpert(Protocol):
    """A frozen dataclass of arrays and numbers; nothing in it refers to a single user."""

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items), higher is better, NaN = cannot say."""
        ...

    def grow(self, features: np.ndarray) -> Self:
        """With new items appended, described only by their features: float32, shape (n_new, dim)."""
        ...


@runtime_checkable
class Projecting(Protocol):
    """A fitted expert whose scores come from ``Q Z'``: what histories say in feature space, held against items.

    Several that share Z are asked together (``Panel.score``): one pass over Z serves them all. It can be asked of
    some items alone (``Asked``).
    """

    @property
    def z(self) -> np.ndarray:
        """Item features: float32, shape (n_items, d)."""
        ...

    @property
    def seeks(self) -> bool:
        """Whether it finds items of a large catalogue by the first part of Q; else it judges what is found."""
        ...

    def said(self, histories: Histories) -> np.ndarray:
        """Q: float32, shape (parts, n_queries, d)."""
        ...

    def beside(self, histories: Histories) -> np.ndarray | None:
        """What adds to it, from no features: float32, shape (n_queries, n_items); None = nothing does."""
        ...

    def heard(
        self, histories: Histories, found: np.ndarray, beside: np.ndarray | None, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Scores of items.

        Parameters
        ----------
        found
            ``Q Z'`` at them: float32, shape (parts, n_queries, m), which may be written into.
        beside
            ``beside(histories)`` at them, shape (n_queries, m).
        items
            Which they are: every one, or int64, shape (n_queries, m).
        """
        ...


@runtime_checkable
class Sparing(Protocol):
    """An expert that projects, and what stands beside it is mostly zero."""

    def entries(self, histories: Histories) -> Entries | None:
        """``beside(histories)`` of those items where it may be other than zero; None where that is any of them."""
        ...


@runtime_checkable
class Reader(Protocol):
    """A fitted expert that reads the items' texts itself."""

    def described(self, catalog: Catalog) -> FittedExpert:
        """With the texts of a catalogue of as many items as it knows."""
        ...


@runtime_checkable
class Hurried(Protocol):
    """An expert whose answers depend on a clock."""

    def unhurried(self) -> Expert:
        """The same without a clock: what is learned from its answers is the same at every fit."""
        ...


@runtime_checkable
class Slow(Protocol):
    """An expert that takes long to learn; it is spared where little hangs on it."""

    def learns(self, data: Dataset) -> bool:
        """Whether these data are enough for it."""
        ...


@runtime_checkable
class Expert(Protocol):
    """A frozen dataclass of hyper-parameters."""

    def fit(self, data: Dataset) -> FittedExpert | None:
        """Learn from events (and ``data.features``, where used); deterministic. None = nothing to learn from."""
        ...
