"""Of which category will the person's next item be? Classification with many classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from scipy.special import softmax

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.errors import DataError, require
from warmstart.learn.pairs import Examples, one_each
from warmstart.learn.scores import class_figures
from warmstart.learn.settings import choose
from warmstart.learn.task import LEAST, check_labels
from warmstart.text.fields import parts
from warmstart.text.templates import LISTS

RARE = ("refuse", "drop")


@dataclass(frozen=True)
class Category:
    """Of which category will the next item be? Cross-entropy; predicts probabilities of the classes.

    Parameters
    ----------
    column
        Of the items table; its first value counts where a cell has several.
    classes
        Its values that are told apart.
    rare
        What to do about classes with one example to learn from: "refuse" them, or "drop" their examples.
    shares
        How often each class is right; is found.
    """

    name: ClassVar[str] = "category"
    watched: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    column: str
    classes: tuple[str, ...]
    rare: str = "refuse"
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        choose("rare", self.rare, RARE)

    @classmethod
    def of(cls, catalog: Catalog, column: str | None = None, rare: str = "refuse") -> Category:
        """With all values of a column as classes; None = the first customary one (categories, genres, ...).

        Raises
        ------
        DataError
            If the column is not there or is empty.

        Examples
        --------
        >>> import polars as pl
        >>> Category.of(Catalog(pl.DataFrame({"item_id": ["1", "2"], "genres": ["War|Drama", "Comedy"]}))).classes
        ('Comedy', 'War')
        """
        column = column or next((c for c in LISTS[0].names if c in catalog.table.columns), "categories")
        classes = tuple(sorted(set(first_values(catalog, column)) - {""}))
        if not classes:
            raise DataError(f"column {column!r} of the items table is empty; name one that says of what kind items are")
        return cls(column, classes, rare)

    def of_items(self, catalog: Catalog) -> np.ndarray:
        """The class of each item: int64, (n_items,); -1 where it has none of these."""
        code = {name: i for i, name in enumerate(self.classes)}
        return np.array([code.get(v, -1) for v in first_values(catalog, self.column)], np.int64)

    @property
    def start(self) -> tuple[float, ...]:
        """The logarithm of the classes' shares."""
        return tuple(float(np.log(s)) for s in self.shares)

    def examples(self, data: Dataset, known: np.ndarray, seed: int) -> Examples:
        """One example an event on an item with a class."""
        x, of_item = data.interactions, self.of_items(data.catalog)
        rows = np.flatnonzero(of_item[x.item] >= 0)
        return one_each(x, rows, of_item[x.item[rows]], of_item=False)

    def fitted(self, train: Examples, held: Examples) -> tuple[Category, Examples, Examples]:
        """With the classes that have examples enough; others' examples are left out."""
        check_labels(train, held, whole=True, least=0, most=len(self.classes) - 1)
        counts = np.bincount(train.labels[:, 0].astype(int), minlength=len(self.classes))
        if self.rare == "refuse" and (counts == 1).any():
            name = self.classes[int(np.flatnonzero(counts == 1)[0])]
            remedy = "drop rare classes (--rare drop; in Python rare='drop'), or give more events"
            raise DataError(f"class {name!r} has one example to learn from; {remedy}")
        kept = np.flatnonzero(counts >= LEAST)
        if len(kept) < LEAST:
            raise DataError(f"{len(kept)} class(es) have {LEAST} examples or more; two are needed to tell apart")
        place = np.full(len(counts), np.nan, np.float32)
        place[kept] = np.arange(len(kept))
        parts_ = (replace(e, labels=place[e.labels.astype(int)]) for e in (train, held))
        train, held = (e.take(~np.isnan(e.labels[:, 0])) for e in parts_)
        names = tuple(self.classes[i] for i in kept)
        return replace(self, classes=names, shares=tuple((counts[kept] / counts[kept].sum()).tolist())), train, held

    def loss(self, outputs: Any, labels: Any) -> Any:
        """Cross-entropy."""
        return require("torch", extra="lm").nn.functional.cross_entropy(outputs[:, 0], labels[:, 0].long())

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """Probabilities of the classes, the last axis sums to 1."""
        probability: np.ndarray = softmax(outputs, axis=-1).astype(np.float32)
        return probability

    def figures(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """Accuracy and macro F1."""
        return class_figures(outputs[:, 0], labels[:, 0])

    def trivial(self, train: Examples, held: Examples) -> np.ndarray:
        """The shares of the classes, for everybody."""
        return np.tile(np.array(self.start), (len(held), 1, 1))


def first_values(catalog: Catalog, column: str) -> list[str]:
    """The first value of each item in a column; "" where there is none.

    Raises
    ------
    DataError
        If the column is not there.
    """
    if column not in catalog.table.columns:
        raise DataError(f"the items table has no column {column!r}; name one of {catalog.table.columns}")
    return [next(iter(parts(v, 1)), "") for v in catalog.table[column]]
