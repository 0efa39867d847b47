"""Personalised PageRank: random walks through the graph from what somebody took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
import scipy.sparse as sp

from warmstart.data.adjacency import Adjacency
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.errors import ConfigError

PEOPLE = 20_000  # users whose events weigh the relations, drawn where there are more
BLOCK = 512  # items whose walks are taken at once


@dataclass(frozen=True)
class PersonalisedPageRank:
    """Where a walker ends who begins at the items of a history, and returns to them with probability ``restart``.

    ``r = restart sum_t (1 - restart)^t e_h P^t``: P goes from an entity along each edge in proportion to the weight of
    its relation. Scores add up over the history. With events, relation r weighs
    ``w_r = max(floor, mean cosine of who took two items that share r / mean over all pairs)``; without, all weigh 1.

    Parameters
    ----------
    restart
        In (0, 1).
    steps
        Of the walk; an item that shares a fact with another is two away.
    keep
        Entities remembered at each step, and items at the end.
    hub
        Entities with more facts than this share of the items, and more than 100, are not walked through.
    floor
        Least weight of a relation, above 0.

    References
    ----------
    T. H. Haveliwala, Topic-Sensitive PageRank, WWW 2002, eq. 4.

    Examples
    --------
    >>> import polars as pl
    >>> from warmstart.data.graph import KnowledgeGraph
    >>> from warmstart.data.toy import checkerboard
    >>> rows = [(f"i{i}", "kind", "even" if i % 2 == 0 else "odd") for i in range(4)]
    >>> graph = KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    >>> data = replace(checkerboard(2, 4), graph=graph)
    >>> near = PersonalisedPageRank().fit(data).score(Histories.of([[0]], 4))[0]
    >>> bool(near[2] > near[1] == near[3])
    True
    """

    restart: float = 0.15
    steps: int = 2
    keep: int = 200
    hub: float = 0.2
    floor: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.restart < 1 or self.steps < 1 or self.keep < 1 or not self.floor > 0:
            raise ConfigError(
                f"restart={self.restart:g}, steps={self.steps}, keep={self.keep}, floor={self.floor:g}: "
                "take a restart in (0, 1), at least 1 step and 1 entity, and a floor above 0"
            )

    def fit(self, data: Dataset) -> FittedPageRank | None:
        """Walk from every item; None without a graph that speaks of an item."""
        if data.graph is None or not len(data.graph):
            return None
        index, n = data.graph.index, data.n_items
        place = index.entities.codes(list(data.catalog.items.ids))
        if not (place >= 0).any():
            return None
        walk = self.transitions(index, place, relation_weights(index, place, data, self.floor))
        known = np.flatnonzero(place >= 0)
        item_of = np.full(len(index.entities), -1, np.int64)
        item_of[place[known]] = known
        parts = [self._from(walk, place[known[at : at + BLOCK]], item_of, n) for at in range(0, len(known), BLOCK)]
        rows = sp.vstack(parts, format="csr")
        spread = sp.csr_matrix((np.ones(len(known)), (known, np.arange(len(known)))), shape=(n, len(known)))
        return FittedPageRank(sp.csr_matrix(spread @ rows, dtype=np.float32), place >= 0)

    def transitions(self, index: Adjacency, place: np.ndarray, weight: np.ndarray) -> sp.csr_matrix:
        """P: CSR, shape (n_entities, n_entities), rows that sum to 1 (0 for hubs that are no items)."""
        n, degree = len(index.entities), index.degree
        barred = degree > max(100, self.hub * len(place))
        barred[place[place >= 0]] = False
        edge = weight[index.relation] * ~barred[index.neighbour]
        p = sp.csr_matrix((edge, index.neighbour, index.indptr), shape=(n, n), copy=True)
        p.sum_duplicates()  # in place: of copies
        total = np.asarray(p.sum(1)).ravel()
        return sp.csr_matrix(sp.diags(np.where((total > 0) & ~barred, 1.0 / np.maximum(total, 1e-12), 0.0)) @ p)

    def _from(self, walk: sp.csr_matrix, starts: np.ndarray, item_of: np.ndarray, n: int) -> sp.csr_matrix:
        """Where walks from some entities end, by item, themselves left out: CSR, shape (len(starts), n)."""
        m, entities = len(starts), walk.shape[0]
        at = sp.csr_matrix((np.ones(m), (np.arange(m), starts)), shape=(m, entities))
        visits = sp.csr_matrix((m, entities))
        for step in range(1, self.steps + 1):
            at = largest(sp.csr_matrix(at @ walk), self.keep)
            visits = visits + self.restart * (1 - self.restart) ** step * at
        visits = visits.tocoo()
        item = item_of[visits.col]
        kept = (item >= 0) & (visits.col != starts[visits.row])
        found = sp.csr_matrix((visits.data[kept], (visits.row[kept], item[kept])), shape=(m, n))
        return largest(found, self.keep)


@dataclass(frozen=True)
class FittedPageRank:
    """Where walks from each item end.

    Parameters
    ----------
    near
        CSR float32, shape (n, n): visits of items (columns) by walks from items (rows), the largest of each row.
    linked
        bool, shape (m,), m >= n: items that the graph speaks of.
    """

    near: sp.csr_matrix
    linked: np.ndarray

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN for items, and for histories, the graph says nothing of."""
        n = self.near.shape[0]
        scores = np.full((len(histories), len(self.linked)), np.nan, np.float32)
        found = (histories.sets_of(n) @ self.near).toarray()
        scores[:, :n] = np.where(self.linked[:n], found, np.nan)
        scores[np.asarray(histories.sets_of(n) @ self.linked[:n].astype(np.float32)) == 0] = np.nan
        return scores

    def grow(self, features: np.ndarray) -> Self:
        """Of new items the walks know nothing; their facts speak through their features."""
        return replace(self, linked=np.append(self.linked, np.zeros(len(features), bool)))


def largest(rows: sp.csr_matrix, keep: int) -> sp.csr_matrix:
    """The ``keep`` largest entries of each row.

    Examples
    --------
    >>> largest(sp.csr_matrix([[1.0, 3.0, 2.0], [0.0, 5.0, 0.0]]), 2).toarray().tolist()
    [[0.0, 3.0, 2.0], [0.0, 5.0, 0.0]]
    """
    length = np.diff(rows.indptr)
    if (length <= keep).all():
        return rows
    row = np.repeat(np.arange(len(length)), length)
    order = np.lexsort((rows.indices, -rows.data, row))
    rank = np.arange(len(order)) - np.repeat(rows.indptr[:-1], length)
    kept = np.sort(order[rank < keep])
    return sp.csr_matrix((rows.data[kept], (row[kept], rows.indices[kept])), shape=rows.shape)


def relation_weights(index: Adjacency, place: np.ndarray, data: Dataset, floor: float) -> np.ndarray:
    """How much more alike in who took them items are that share a relation: float64, shape (n_relations,), mean 1.

    Parameters
    ----------
    place
        int, shape (n_items,): entity of each item, -1 = none.

    For each relation r, over pairs of items with the same other end of r (each other end counted in proportion to
    one over its items): the mean cosine of item columns, beside that over all pairs.
    """
    n, weight = len(index.relations), np.ones(len(index.relations))
    met, taken = Taken.of(data, place >= 0)
    if len(met) < 2:
        return weight
    at, edge = index.edges(place[met])
    order = np.argsort(index.relation[edge], kind="stable")
    bounds = np.searchsorted(index.relation[edge[order]], np.arange(n + 1))
    for r, (begin, end) in enumerate(pairwise(bounds.tolist())):
        mine = order[begin:end]
        ends = (at[mine], index.neighbour[edge[mine]])
        a = sp.csr_matrix((np.ones(len(mine)), ends), shape=(len(met), len(index.entities)))
        weight[r] = taken.likeness(a)
    weight = np.maximum(weight, floor)
    return np.asarray(weight / weight.mean())


@dataclass(frozen=True, eq=False)
class Taken:
    """Who took which items, to tell how alike items are in that.

    Parameters
    ----------
    unit
        CSR float64, shape (n_users, n_items): columns of about unit length.
    own
        float64, shape (n_items,): cosine of each item with itself, below 1 where few took it.
    common
        Mean cosine over all pairs of items.
    """

    unit: sp.csr_matrix
    own: np.ndarray
    common: float

    @classmethod
    def of(cls, data: Dataset, among: np.ndarray) -> tuple[np.ndarray, Self]:
        """Codes of the items that somebody took, of those that are ``among`` (bool, (n_items,)), and who took them."""
        x = data.interactions.matrix()
        if x.shape[0] > PEOPLE:
            x = x[np.sort(np.random.default_rng(0).choice(x.shape[0], PEOPLE, replace=False))]
        counts = np.asarray(x.sum(0)).ravel()
        met = np.flatnonzero(among & (counts > 0))
        unit = sp.csr_matrix(x[:, met] @ sp.diags(1.0 / np.sqrt(counts[met] + 5.0)))
        own = counts[met] / (counts[met] + 5.0)
        total = np.asarray(unit.sum(1)).ravel()
        return met, cls(unit, own, (total @ total - own.sum()) / max(len(met) * (len(met) - 1), 1))

    def likeness(self, holds: sp.csr_matrix) -> float:
        """Mean cosine of items that share an entity (``holds``, (n_items, n_entities)), in units of ``common``.

        Each entity counts in proportion to one over its items; 1 where no two items share one, or nobody took two.
        """
        holds = sp.csr_matrix(holds > 0, dtype=np.float64)
        degree = np.asarray(holds.sum(0)).ravel()
        holds = holds[:, degree >= 2]
        degree = degree[degree >= 2]
        if not len(degree) or self.common <= 0:
            return 1.0
        sums = self.unit @ holds  # (n_users, n_entities): what each user has of each entity
        squares = np.asarray(sums.multiply(sums).sum(0)).ravel() - self.own @ holds
        return float((squares / degree).sum() / (degree - 1).sum() / self.common)
