"""A graph as arrays: who is next to whom, by which relation, in which direction; made for walks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from warmstart.data.graph_relations import inverse_pairs
from warmstart.data.vocab import Vocabulary

TRIPLE = ("head", "relation", "tail")


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Every fact from both of its ends, in compressed rows.

    A fact that is told twice is one fact: also where a relation says what another says from the other end
    (``directed_by`` and ``director_of``; see ``graph_relations.inverse_pairs``). Of two such relations that one is kept
    whose heads are told of by more relations, which are the things described. Loops are left out.

    Parameters
    ----------
    entities, relations
        Names, sorted; the position is the code.
    indptr
        int64, shape (n_entities + 1,): the edges of entity v are ``indptr[v]:indptr[v + 1]``.
    neighbour
        int32, shape (2 n_facts,): the other end; ascending within an entity.
    relation
        int32, shape (2 n_facts,).
    forward
        bool, shape (2 n_facts,): out-edge, the entity is the head; else in-edge, it is the tail.
    kept
        Relation -> the relation it is told as from the other end.
    loops, doubled
        Triples left out: of an entity with itself, and of facts that were told already.

    Examples
    --------
    >>> rows = [("Alien", "directed_by", "Scott"), ("Scott", "directed", "Alien"), ("Alien", "genre", "horror")]
    >>> a = Adjacency.of(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    >>> a.entities.names(a.neighbour[a.row(0)]), a.degree.tolist(), dict(a.kept), a.doubled
    (['Scott', 'horror'], [2, 1, 1], {'directed': 'directed_by'}, 1)
    """

    entities: Vocabulary
    relations: Vocabulary
    indptr: np.ndarray
    neighbour: np.ndarray
    relation: np.ndarray
    forward: np.ndarray
    kept: Mapping[str, str] = field(default_factory=dict)
    loops: int = 0
    doubled: int = 0

    @classmethod
    def of(cls, triples: pl.DataFrame) -> Adjacency:
        """Index triples: columns ``head``, ``relation``, ``tail``, all strings; others are not looked at.

        Triples with a missing part are none and are left out.
        """
        told = triples.select(TRIPLE).drop_nulls()
        names = {"relation": told["relation"].unique().sort()}
        names["head"] = names["tail"] = pl.concat([told["head"], told["tail"]]).unique().sort()
        coded = told.select(encoded(told[name], names[name]) for name in TRIPLE)
        facts = coded.filter(pl.col("head") != pl.col("tail"))
        pairs, loops = turned(facts), told.height - facts.height
        facts, before = folded(facts, pairs), facts.height
        spelled = {names["relation"][gone]: names["relation"][stays] for gone, stays in pairs.items() if gone != stays}
        known = (Vocabulary(names["head"].to_list()), Vocabulary(names["relation"].to_list()))
        return cls(*known, *rows_of(facts, len(known[0])), spelled, loops, before - facts.height)

    def __len__(self) -> int:
        return len(self.neighbour) // 2

    def row(self, entity: int) -> slice:
        """Where the edges of an entity are."""
        return slice(int(self.indptr[entity]), int(self.indptr[entity + 1]))

    def edges(self, entities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All edges of some entities.

        Returns
        -------
        tuple
            Position in ``entities``, and position in ``neighbour``; int64, shape (n_edges,), entity by entity.
        """
        start = self.indptr[entities]
        return spans(start, self.indptr[np.asarray(entities, np.int64) + 1] - start)

    @cached_property
    def degree(self) -> np.ndarray:
        """Facts of each entity: int64, shape (n_entities,)."""
        return np.diff(self.indptr)

    @cached_property
    def specificity(self) -> np.ndarray:
        """``1 - log(degree) / log(n_entities)``, within [0, 1]: 1 = one fact. float32, shape (n_entities,)."""
        most = np.log(max(len(self.entities), 2))
        found: np.ndarray = np.clip(1 - np.log(np.maximum(self.degree, 1)) / most, 0, 1).astype(np.float32)
        return found

    @cached_property
    def rarity(self) -> np.ndarray:
        """``1 - log(facts of the relation) / log(n_facts)``, within [0, 1]: float32, shape (n_relations,)."""
        count = np.bincount(self.relation, minlength=len(self.relations)) // 2
        most = np.log(max(len(self), 2))
        found: np.ndarray = np.clip(1 - np.log(np.maximum(count, 1)) / most, 0, 1).astype(np.float32)
        return found

    def told_as(self, relation: str) -> Sequence[str]:
        """All relations that are told as this one from the other end."""
        return [gone for gone, stays in self.kept.items() if stays == relation]


def encoded(values: pl.Series, names: pl.Series) -> pl.Series:
    """Positions of values in distinct names: Int64."""
    if not len(values):
        return pl.Series(values.name, [], dtype=pl.Int64)
    return values.replace_strict(names, pl.Series(range(len(names)), dtype=pl.Int64), return_dtype=pl.Int64)


def turned(facts: pl.DataFrame) -> dict[int, int]:
    """Relation -> the one that it is told as from the other end; a symmetric relation -> itself."""
    found = inverse_pairs(facts).sort("share", descending=True, maintain_order=True)
    if not found.height:
        return {}
    variety = facts.group_by("head").agg(pl.col("relation").n_unique().alias("n"))
    told = facts.join(variety, on="head").group_by("relation").agg(pl.col("n").mean()).rows()
    rich, pairs = dict(told), dict[int, int]()
    for one, other, _ in found.rows():
        stays, gone = sorted((one, other), key=lambda r: (-rich[r], r))
        if gone not in pairs and stays not in pairs and gone not in pairs.values():
            pairs[gone] = stays
    return pairs


def folded(facts: pl.DataFrame, pairs: Mapping[int, int]) -> pl.DataFrame:
    """Each fact once, by the relation that is kept; a symmetric one from its smaller end."""
    head, relation, tail = pl.col("head"), pl.col("relation"), pl.col("tail")
    mirrored = [r for r, stays in pairs.items() if r == stays]
    swap = relation.is_in([r for r, stays in pairs.items() if r != stays])
    swap |= relation.is_in(mirrored) & (head > tail)
    return facts.select(
        pl.when(swap).then(tail).otherwise(head).alias("head"),
        relation.replace(pairs).alias("relation"),
        pl.when(swap).then(head).otherwise(tail).alias("tail"),
    ).unique()


def rows_of(facts: pl.DataFrame, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """``indptr``, ``neighbour``, ``relation`` and ``forward`` of coded facts among n entities."""
    head, relation, tail = (facts[name].to_numpy() for name in TRIPLE)
    here, there = np.concatenate([head, tail]), np.concatenate([tail, head])
    forward = np.arange(len(here)) < len(head)
    label = 2 * np.concatenate([relation, relation]) + ~forward
    order = np.lexsort((label, here * n + there))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(here, minlength=n))])
    return indptr, there[order].astype(np.int32), (label[order] // 2).astype(np.int32), forward[order]


def spans(start: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of several stretches: which stretch, and the numbers from its start on.

    Examples
    --------
    >>> [a.tolist() for a in spans(np.array([5, 0]), np.array([2, 1]))]
    [[0, 0, 1], [5, 6, 0]]
    """
    which = np.repeat(np.arange(len(start)), length)
    before = np.cumsum(length) - length
    return which, np.arange(len(which)) + np.repeat(start - before, length)
