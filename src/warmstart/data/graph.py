"""Facts about items: triples of head, relation and tail, and which entity is which item."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from warmstart.errors import DataError

TRIPLE = ("head", "relation", "tail")


@dataclass(frozen=True)
class KnowledgeGraph:
    """Triples of strings; an entity that is an item carries the item's id.

    Parameters
    ----------
    triples
        Columns ``head``, ``relation``, ``tail``, all strings.
    """

    triples: pl.DataFrame

    def __post_init__(self) -> None:
        missing = [c for c in TRIPLE if c not in self.triples.columns]
        if missing:
            raise DataError(f"the graph has no column {missing[0]!r}; it has {self.triples.columns}; map one to it")

    def __len__(self) -> int:
        return self.triples.height

    def facts(self) -> pl.DataFrame:
        """Every triple seen from both ends: columns ``entity`` and ``fact`` (relation, direction, other end).

        Examples
        --------
        >>> g = KnowledgeGraph(pl.DataFrame({"head": ["i1"], "relation": ["by"], "tail": ["Lem"]}))
        >>> g.facts().rows()
        [('i1', 'by>Lem'), ('Lem', 'by<i1')]
        """
        t = self.triples
        forward = t.select(pl.col("head").alias("entity"), pl.format("{}>{}", "relation", "tail").alias("fact"))
        back = t.select(pl.col("tail").alias("entity"), pl.format("{}<{}", "relation", "head").alias("fact"))
        return pl.concat([forward, back])
