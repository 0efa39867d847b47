"""What a graph says of items, as features: facts, how many there are, metapaths, and text carried along edges."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_relations import same_relations
from warmstart.errors import ConfigError
from warmstart.experts.tokens import TokenMap
from warmstart.text.whiten import unit_rows

Rows = list[list[str]]


@dataclass(frozen=True)
class GraphSpace:
    """Which features are made of a graph; each is a block of Z, whose worth the content map learns.

    Parameters
    ----------
    dim
        Directions kept of the facts of all relations together (idf-weighted one-hop tokens).
    min_count, max_share
        Facts of fewer items than the one, or of a larger share of the items than the other, are left out.
    degrees
        Scale of the block of how many facts an item has, by relation; 0 = none.
    metapaths
        Directions kept of each relation r by itself, of ``A_r D_e^-1 A_r'``: items that share its other ends; 0 = none.
    metapath_scale
        Scale of all relations together.
    rounds
        Rounds in which texts are carried along the edges: an entity is the mean of its items' text, an item half
        itself and half the mean of its entities; 0 = none.
    text_scale
        Scale of these texts.
    """

    dim: int = 128
    min_count: int = 2
    max_share: float = 0.5
    degrees: float = 0.2
    metapaths: int = 0
    metapath_scale: float = 2.0
    rounds: int = 0
    text_scale: float = 0.5

    def __post_init__(self) -> None:
        if min(self.dim, self.metapaths, self.rounds) < 0 or not 0 < self.max_share <= 1:
            raise ConfigError(
                f"graph with dim={self.dim}, metapaths={self.metapaths}, rounds={self.rounds}, "
                f"max_share={self.max_share:g}: take at least 0 of each, and a share in (0, 1]"
            )

    def fit(self, catalog: Catalog, graph: KnowledgeGraph | None, text: np.ndarray) -> FittedGraphSpace:
        """Learn the blocks from a catalogue's facts; ``text`` is float32 (n_items, d)."""
        rows = told_once(fact_tokens(catalog, graph), graph)
        facts = TokenMap.fit(rows, self.dim, self.min_count, self.max_share, whole=False)
        degrees = Degrees.fit(rows if self.degrees else [])
        paths = [
            TokenMap.fit(part, self.metapaths, self.min_count, self.max_share, whole=False)
            for part in (by_relation(rows).values() if self.metapaths else ())
        ]
        kept = tuple(path for path in paths if path.basis.shape[1])
        carried = Carried.fit(facts, rows, text, self.rounds)
        return FittedGraphSpace(facts, degrees, kept, carried, self.degrees, self.metapath_scale, self.text_scale)


@dataclass(frozen=True)
class FittedGraphSpace:
    """Facts of items, old or new, to blocks of features."""

    facts: TokenMap
    degrees: Degrees
    metapaths: tuple[TokenMap, ...]
    carried: Carried
    degree_scale: float
    metapath_scale: float
    text_scale: float

    def besides(self, rows: Rows, text: np.ndarray) -> np.ndarray:
        """All blocks but that of ``facts``, scaled: float32, shape (n, width)."""
        share = self.metapath_scale / max(len(self.metapaths), 1) ** 0.5
        blocks = [
            self.degree_scale * self.degrees.apply(rows),
            *(share * path.apply(rows) for path in self.metapaths),
            self.text_scale * self.carried.apply(self.facts, rows, text),
        ]
        return np.hstack(blocks).astype(np.float32)

    @property
    def width(self) -> int:
        """Columns of ``besides``."""
        paths = sum(path.basis.shape[1] for path in self.metapaths)
        return int(len(self.degrees.relations) + paths + self.carried.entities.shape[1])


@dataclass(frozen=True)
class Degrees:
    """How many facts of each relation an item has: ``log(1 + n)``, standardised over items that have any.

    Parameters
    ----------
    relations
        Relation and direction, such as ``directed_by>``.
    mean, deviation
        float32, shape (n_relations,).
    """

    relations: tuple[str, ...]
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        """From one list of tokens an item."""
        relations = tuple(sorted({side_of(token) for row in rows for token in row}))
        bare = cls(relations, np.zeros(len(relations), np.float32), np.ones(len(relations), np.float32))
        known = bare.logs([row for row in rows if row])
        if not relations:
            return bare
        deviation = known.std(0)
        return cls(relations, known.mean(0), np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32))

    def logs(self, rows: Rows) -> np.ndarray:
        """``log(1 + n)``: float32, shape (n_items, n_relations)."""
        out = np.zeros((len(rows), len(self.relations)), np.float32)
        place = {relation: at for at, relation in enumerate(self.relations)}
        for i, row in enumerate(rows):
            for side, n in Counter(side_of(token) for token in set(row)).items():
                if side in place:
                    out[i, place[side]] = np.log1p(n)
        return out

    def apply(self, rows: Rows) -> np.ndarray:
        """Rows of about unit length; zero for an item without facts."""
        any_fact = np.array([bool(row) for row in rows], bool)[:, None]
        scaled = (self.logs(rows) - self.mean) / self.deviation / max(len(self.relations), 1) ** 0.5
        return np.where(any_fact, scaled, 0.0).astype(np.float32)


@dataclass(frozen=True)
class Carried:
    """Texts carried along edges: ``e = mean of its items``, ``item' = item / 2 + (idf-weighted mean of its e) / 2``.

    Parameters
    ----------
    entities
        float32, shape (n_tokens, d): texts of the other ends of facts, after all rounds but the last half; d = 0 where
        none are carried.
    """

    entities: np.ndarray

    @classmethod
    def fit(cls, facts: TokenMap, rows: Rows, text: np.ndarray, rounds: int) -> Self:
        """Carry the texts of a catalogue."""
        if not rounds or not facts.tokens:
            return cls(np.empty((len(facts.tokens), 0), np.float32))
        a = facts.sparse(rows)
        into = sp.csr_matrix((a > 0).T, dtype=np.float32)
        mean = sp.diags(1.0 / np.maximum(np.asarray(into.sum(1)).ravel(), 1.0)) @ into
        now, entities = text, mean @ text
        for _ in range(rounds - 1):
            now = halved(a, now, entities)
            entities = mean @ now
        return cls(np.asarray(entities, np.float32))

    def apply(self, facts: TokenMap, rows: Rows, text: np.ndarray) -> np.ndarray:
        """Unit rows, float32 (n, d); zero for an item with neither text nor facts."""
        if not self.entities.shape[1]:
            return np.empty((len(rows), 0), np.float32)
        return unit_rows(halved(facts.sparse(rows), text, self.entities))


def halved(a: sp.csr_matrix, text: np.ndarray, entities: np.ndarray) -> np.ndarray:
    """Half of each item's text, and half of the weighted mean of its entities'; all its text where it has none."""
    weight = np.asarray(a.sum(1)).ravel()
    mean = sp.diags(np.where(weight > 0, 1.0 / np.maximum(weight, 1e-9), 0.0)) @ (a @ entities)
    return np.asarray(np.where(weight[:, None] > 0, 0.5 * text + 0.5 * mean, text), np.float32)


def fact_tokens(catalog: Catalog, graph: KnowledgeGraph | None) -> Rows:
    """``relation>tail`` and ``relation<head`` tokens of every item.

    Examples
    --------
    >>> import polars as pl
    >>> graph = KnowledgeGraph(pl.DataFrame({"head": ["a"], "relation": ["by"], "tail": ["ann"]}))
    >>> fact_tokens(Catalog(pl.DataFrame({"item_id": ["a", "b"], "title": ["A", "B"]})), graph)
    [['by>ann'], []]
    """
    rows: Rows = [[] for _ in range(len(catalog))]
    if graph is None:
        return rows
    ids = pl.Series(catalog.items.ids, dtype=pl.String).implode()
    near = graph.triples.filter(pl.col("head").is_in(ids) | pl.col("tail").is_in(ids))
    facts = replace(graph, triples=near).facts()  # of the whole graph, a new item would have to wait for seconds
    codes = catalog.items.codes(facts["entity"].to_list())
    texts = facts["fact"].to_list()
    for at in np.flatnonzero(codes >= 0):
        rows[codes[at]].append(texts[at])
    return rows


def told_once(rows: Rows, graph: KnowledgeGraph | None) -> Rows:
    """Without the facts of relations that another relation tells as well, from the other end or from the same.

    Examples
    --------
    >>> import polars as pl
    >>> told = pl.DataFrame({"head": ["a", "ann"], "relation": ["by", "wrote"], "tail": ["ann", "a"]})
    >>> told_once([["by>ann", "wrote<ann"]], KnowledgeGraph(told))
    [['by>ann']]
    """
    if graph is None:
        return rows
    again = same_relations(graph.triples)
    return [[token for token in row if side_of(token)[:-1] not in again] for row in rows]


def by_relation(rows: Rows) -> dict[str, Rows]:
    """Tokens of each relation and direction by themselves."""
    sides = sorted({side_of(token) for row in rows for token in row})
    return {side: [[token for token in row if side_of(token) == side] for row in rows] for side in sides}


def side_of(token: str) -> str:
    """Relation and direction of a token: all up to its first ``>`` or ``<``.

    Examples
    --------
    >>> side_of("by>ann"), side_of("wrote<a>b")
    ('by>', 'wrote<')
    """
    ends = [at for at in (token.find(">"), token.find("<")) if at >= 0]
    return token[: min(ends) + 1] if ends else token
