"""Facts about items: triples of head, relation and tail, and which entity is which item."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import polars as pl

from warmstart.data.adjacency import Adjacency
from warmstart.data.graph_relations import inverse_pairs
from warmstart.errors import DataError

TRIPLE = ("head", "relation", "tail")
LABEL = ("entity", "label")
INVERSE = "inverse:"  # before the name of a relation that ``with_inverses`` adds
PREFERRED = (None, "en", "zh")  # languages of labels, where the one asked for is not there
FILE, LABELS = "graph.parquet", "graph_labels.parquet"


@dataclass(frozen=True)
class KnowledgeGraph:
    """Triples of strings; an entity that is an item carries the item's id.

    Parameters
    ----------
    triples
        Columns ``head``, ``relation``, ``tail``, all strings. Optional: ``confidence`` (Float32 in (0, 1], null = a
        stated fact) and ``source`` (string: a file, ``column:NAME``, ``text:LIBRARY``).
    labels
        Readable names of entities: columns ``entity``, ``label``, and where known ``language`` (``"en"``, null = not
        said); or None. An entity may have one a language.
    """

    triples: pl.DataFrame
    labels: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        missing = [c for c in TRIPLE if c not in self.triples.columns]
        if missing:
            raise DataError(f"the graph has no column {missing[0]!r}; it has {self.triples.columns}; map one to it")
        if self.labels is not None and (missing := [c for c in LABEL if c not in self.labels.columns]):
            raise DataError(f"the labels have no column {missing[0]!r}; they have {self.labels.columns}; rename one")

    def __len__(self) -> int:
        return self.triples.height

    @cached_property
    def index(self) -> Adjacency:
        """The graph as arrays, for walks; made once."""
        return Adjacency.of(self.triples)

    def facts(self) -> pl.DataFrame:
        """Every triple seen from both ends: columns ``entity`` and ``fact`` (relation, direction, other end).

        Examples
        --------
        >>> g = KnowledgeGraph(pl.DataFrame({"head": ["i1"], "relation": ["by"], "tail": ["Lem"]}))
        >>> g.facts().rows()
        [('i1', 'by>Lem'), ('Lem', 'by<i1')]
        """
        t = self.triples
        forward = t.select(pl.col("head").alias("entity"), (pl.col("relation") + ">" + pl.col("tail")).alias("fact"))
        back = t.select(pl.col("tail").alias("entity"), (pl.col("relation") + "<" + pl.col("head")).alias("fact"))
        return pl.concat([forward, back])

    def entities(self) -> pl.Series:
        """Every head and tail once, heads first, in order of appearance."""
        both = pl.concat([self.triples["head"], self.triples["tail"]])
        return both.unique(maintain_order=True).alias("entity")

    def names(self, language: str | None = None) -> dict[str, str]:
        """Entity -> readable name, for entities that have one.

        Parameters
        ----------
        language
            Wanted where an entity has names in several, e.g. ``"zh"``; else without language, English, Chinese, any.

        Examples
        --------
        >>> labels = pl.DataFrame({"entity": ["q1", "q1"], "label": ["Alien", "异形"], "language": ["en", "zh"]})
        >>> g = KnowledgeGraph(pl.DataFrame(schema=dict.fromkeys(TRIPLE, pl.String)), labels)
        >>> g.names(), g.names("zh")
        ({'q1': 'Alien'}, {'q1': '异形'})
        """
        if self.labels is None:
            return {}
        if "language" not in self.labels.columns:
            return dict(self.labels.select(LABEL).unique("entity", keep="first", maintain_order=True).rows())
        order = list(dict.fromkeys((language, *PREFERRED) if language else PREFERRED))
        rank = pl.lit(len(order))
        for place, name in reversed(list(enumerate(order))):
            rank = pl.when(pl.col("language").eq_missing(name)).then(place).otherwise(rank)
        best = self.labels.sort(rank, maintain_order=True).unique("entity", keep="first", maintain_order=True)
        return dict(best.select(LABEL).rows())

    def with_inverses(self) -> KnowledgeGraph:
        """With every triple told from its tail, too, as ``inverse:RELATION``.

        Relations whose inverse is there already (see ``graph_relations.inverse_pairs``) are left as they are.

        Examples
        --------
        >>> g = KnowledgeGraph(pl.DataFrame({"head": ["i1"], "relation": ["by"], "tail": ["Lem"]}))
        >>> g.with_inverses().triples.rows()
        [('i1', 'by', 'Lem'), ('Lem', 'inverse:by', 'i1')]
        """
        told = {name for pair in inverse_pairs(self.triples).select("relation", "inverse").rows() for name in pair}
        one_way = self.triples.filter(~pl.col("relation").is_in(list(told)))
        back = one_way.with_columns(
            head="tail", relation=pl.concat_str(pl.lit(INVERSE), pl.col("relation")), tail="head"
        )
        return replace(self, triples=pl.concat([self.triples, back]))

    def save(self, folder: str | Path) -> None:
        """Write ``graph.parquet`` and, where there are labels, ``graph_labels.parquet``."""
        self.triples.write_parquet(Path(folder) / FILE)
        (Path(folder) / LABELS).unlink(missing_ok=True)
        if self.labels is not None:
            self.labels.write_parquet(Path(folder) / LABELS)

    @classmethod
    def load(cls, folder: str | Path) -> KnowledgeGraph:
        """Read what ``save`` wrote."""
        labels = Path(folder) / LABELS
        return cls(pl.read_parquet(Path(folder) / FILE), pl.read_parquet(labels) if labels.is_file() else None)
