"""The items: their ids, their columns, and when they were added."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from warmstart.data.vocab import Vocabulary
from warmstart.errors import DataError

ITEM_ID = "item_id"


@dataclass(frozen=True)
class Catalog:
    """All items, whether or not anybody has met them.

    Parameters
    ----------
    table
        One row an item; the first column is ``item_id`` (string, distinct), the others are whatever
        describes it (title, description, categories, year ...).

    Examples
    --------
    >>> c = Catalog(pl.DataFrame({"item_id": ["a", "b"], "title": ["Alien", None]}))
    >>> len(c), c.items.codes(["b"]).tolist(), c.title(0), c.title(1)
    (2, [1], 'Alien', 'b')
    """

    table: pl.DataFrame

    def __post_init__(self) -> None:
        if ITEM_ID not in self.table.columns:
            raise DataError(f"the items table has no column 'item_id'; it has {self.table.columns}; map one to it")
        _ = self.items  # duplicate ids are refused here, not at first use

    @cached_property
    def items(self) -> Vocabulary:
        """The vocabulary of item ids, in table order."""
        return Vocabulary(self.table[ITEM_ID].to_list())

    def __len__(self) -> int:
        return self.table.height

    @cached_property
    def titles(self) -> list[str]:
        """What to call each item before people: its title or name, else its id."""
        named = [pl.col(c).cast(pl.String).replace("", None) for c in ("title", "name") if c in self.table.columns]
        return self.table.select(pl.coalesce(*named, pl.col(ITEM_ID).cast(pl.String)).alias("t"))["t"].to_list()

    def title(self, item: int) -> str:
        """What to call an item before people."""
        return self.titles[item]

    def extended(self, rows: pl.DataFrame) -> Catalog:
        """With new items appended; missing columns become null, unknown ones are kept.

        Raises
        ------
        DataError
            If an id of ``rows`` is already in the catalogue.
        """
        known = [i for i in rows[ITEM_ID].to_list() if i in self.items]
        if known:
            raise DataError(f"item {known[0]!r} is already in the catalogue; give new items new ids")
        return Catalog(pl.concat([self.table, rows], how="diagonal_relaxed"))
