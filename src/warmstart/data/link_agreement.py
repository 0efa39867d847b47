"""Whether a graph speaks of the items it is linked to: what the catalogue says alike, the graph should tie."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.path_count import PathCount
from warmstart.data.vocab import Vocabulary

RARE = 20  # items of a value, or facts of an entity, above which sharing it says little
MOST = 5_000  # items that are looked at
ENOUGH = 30  # pairs of items below which nothing is said
LONG = 80  # characters from which a cell is a text, not a value


@dataclass(frozen=True)
class Agreement:
    """How often the graph ties items.

    Parameters
    ----------
    pairs
        Pairs of linked items that share a rare value of a column (a director, a brand).
    tied
        Share of these pairs that have a rare entity of the graph in common, in [0, 1]; NaN without pairs.
    chance
        The same of any two linked items.
    """

    pairs: int
    tied: float
    chance: float

    @property
    def agrees(self) -> bool | None:
        """Whether the odds of a tie are more than twice as high for items alike in the catalogue as for any two.

        None = cannot be said: too few pairs, or the graph ties none or all.
        """
        if self.pairs < ENOUGH or not 0 < self.chance < 1:
            return None
        return self.tied * (1 - self.chance) > 2 * self.chance * (1 - self.tied)


def link_agreement(graph: KnowledgeGraph, catalog: Catalog, seed: int = 0) -> Agreement:
    """Compare what the catalogue's columns say alike with what the graph ties.

    Links that name the wrong items leave every count of a graph as it is: degrees, relations, components. They show
    here alone: films of one director have no more of the graph in common than any two films.

    Examples
    --------
    >>> films = pl.DataFrame({"item_id": [f"i{i}" for i in range(60)], "director": [f"d{i // 3}" for i in range(60)]})
    >>> facts = films.select(pl.col("item_id").alias("head"), relation=pl.lit("by"), tail=pl.col("director"))
    >>> right = link_agreement(KnowledgeGraph(facts), Catalog(films))
    >>> wrong = link_agreement(KnowledgeGraph(facts.with_columns(pl.col("tail").shuffle(1))), Catalog(films))
    >>> right.pairs, right.agrees, wrong.agrees
    (60, True, False)
    """
    ids = np.array(catalog.items.ids, dtype=object)
    linked = np.flatnonzero(graph.index.entities.codes(list(ids)) >= 0)
    if len(linked) > MOST:
        linked = np.sort(np.random.default_rng(seed).choice(linked, MOST, replace=False))
    near = PathCount.of(graph.index, Vocabulary(ids[linked].tolist()), hub=RARE).near
    rows = catalog.table[linked.astype(np.uint32)] if len(linked) else catalog.table[:0]
    alike, tied = shared(rare_values(rows)), shared(near)
    both, n = alike.multiply(tied).nnz, len(linked)
    return Agreement(
        alike.nnz // 2, both / alike.nnz if alike.nnz else float("nan"), tied.nnz / (n * (n - 1)) if n > 1 else 0.0
    )


def rare_values(rows: pl.DataFrame) -> sp.csr_matrix:
    """Values of columns that some items share, but not many: CSR of ones, shape (n_items, n_values)."""
    held = defaultdict[tuple[str, str], list[int]](list)
    for name in rows.columns:
        cells = rows[name]
        if name == ITEM_ID or cells.dtype not in (pl.String, pl.List(pl.String)):
            continue
        texts = cells.list.join("|") if cells.dtype == pl.List(pl.String) else cells
        for at, cell in enumerate(texts.to_list()):
            for part in (cell or "").replace(";", "|").replace(",", "|").split("|"):
                if 0 < len(value := part.strip().casefold()) < LONG:
                    held[name, value].append(at)
    sets = [sorted(set(items)) for items in held.values()]
    kept = [items for items in sets if 2 <= len(items) <= RARE]
    column = np.repeat(np.arange(len(kept)), [len(items) for items in kept])
    row = np.array([item for items in kept for item in items], np.int64)
    return sp.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(rows.height, len(kept)))


def shared(held: sp.csr_matrix) -> sp.csr_matrix:
    """Pairs of rows that have a column in common, both ways round: CSR of ones, shape (n, n), empty diagonal."""
    pairs = sp.csr_matrix(held @ held.T)
    pairs.setdiag(0)
    pairs.eliminate_zeros()
    pairs.data[:] = 1.0
    return pairs
