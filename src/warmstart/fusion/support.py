"""What is known of every item of a catalogue, and how items lie to each other, beside what experts say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.path_count import PathCount
from warmstart.experts.centred import Centred
from warmstart.experts.columns import strongest
from warmstart.experts.memo import remembered
from warmstart.experts.popularity import content_rates, decayed_counts
from warmstart.experts.products import centre_of, read_off

ITEMS = 2_048  # items whose neighbours are looked for at once


@dataclass(frozen=True)
class Support:
    """What is known of every item, and how items lie to each other; from training data only.

    Parameters
    ----------
    item
        float32, shape (n_items, 7): the item columns of ``evidence.SUPPORT``.
    directions
        Of the items from the centre of all.
    people
        CSR float32, shape (n_items, n_items): cosine of who took the items, top entries of each row.
    rate
        float64, shape (d + 1,): predicts the log count of an item from its features; empty without features.
    paths
        What the graph knows of every item; None without a graph.
    """

    item: np.ndarray
    directions: Centred
    people: sp.csr_matrix
    rate: np.ndarray
    paths: PathCount | None = None

    @classmethod
    def fit(cls, data: Dataset, keep: int = 200, *, graph: bool = True) -> Support:
        """Count, date and relate the items; ``graph`` = whether by the graph, too, where there is one."""
        x = data.interactions
        counts = x.item_counts().astype(np.float64)
        z = np.zeros((data.n_items, 1), np.float32) if data.features is None else data.features
        directions = remembered(data, "centred", lambda: Centred.of(z, centre_of(z)))
        expected, b = np.zeros(data.n_items), np.empty(0)
        if data.features is not None and counts.any():
            b, _ = content_rates(data.features, counts, 10.0)
            expected = read_off(data.features, b[:-1]) + b[-1]
        age, idle = ages(data)
        recent = [np.log1p(decayed_counts(x, share)) for share in (0.2, 0.05)]
        item = np.stack([np.log1p(counts), *recent, expected, counts == 0, age, idle], axis=1)
        facts = data.graph if graph and data.graph is not None and len(data.graph) else None
        paths = None if facts is None else PathCount.of(facts.index, data.catalog.items)
        return cls(item.astype(np.float32), directions, people_cosine(x.matrix(), keep), b, paths)

    @cached_property
    def met(self) -> np.ndarray:
        """Items that somebody took: bool, shape (n_items,)."""
        return self.item[:, 0] > 0

    def grow(self, features: np.ndarray, told: PathCount | None = None) -> Support:
        """With new items appended: unmet, undated, placed by their content, and by what the graph has told of them."""
        m, n = len(features), len(self.item)
        row = np.full((m, self.item.shape[1]), np.nan, np.float32)
        row[:, :3], row[:, 4] = 0.0, 1.0
        row[:, 3] = features @ self.rate[:-1] + self.rate[-1] if len(self.rate) else 0.0
        indptr = np.append(self.people.indptr, [self.people.nnz] * m)
        people = sp.csr_matrix((self.people.data, self.people.indices, indptr), shape=(n + m, n + m))
        item = np.vstack([self.item, row])
        paths = None if self.paths is None else self.paths.grown(m, told)
        return replace(self, item=item, directions=self.directions.grown(features), people=people, paths=paths)


def ages(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Time since the first and since the last event, as shares of the clock; NaN where unmet or undated."""
    x, n = data.interactions, data.n_items
    first, last = np.full(n, np.nan), np.full(n, np.nan)
    if x.has_time and len(x):
        low, high = x.time[x.time >= 0].min(), x.time.max()
        span = max(float(high - low), 1.0)
        begin, end = np.full(n, np.inf), np.full(n, -np.inf)
        dated = x.time >= 0
        np.minimum.at(begin, x.item[dated], x.time[dated])
        np.maximum.at(end, x.item[dated], x.time[dated])
        met = np.isfinite(begin)
        first[met], last[met] = (high - begin[met]) / span, (high - end[met]) / span
    return first, last


def people_cosine(x: sp.csr_matrix, keep: int) -> sp.csr_matrix:
    """Cosine of item columns, diagonal zero, ``keep`` largest entries a row: CSR float32."""
    counts = np.asarray(x.sum(0)).ravel()
    scaled = sp.csr_matrix(x @ sp.diags(1.0 / np.sqrt(np.maximum(counts, 1.0) + 5.0)))
    turned, n = sp.csr_matrix(scaled.T), x.shape[1]
    rows = [sp.csr_matrix((0, n), dtype=np.float32)]
    for first in range(0, n, ITEMS):
        g = sp.csr_matrix(turned[first : first + ITEMS] @ scaled, dtype=np.float32)
        others = g.indices != np.repeat(np.arange(first, first + g.shape[0]), np.diff(g.indptr))
        ends = np.concatenate([[0], np.cumsum(others)])[g.indptr]
        rows.append(strongest(sp.csr_matrix((g.data[others], g.indices[others], ends), shape=g.shape), keep))
    near = sp.csr_matrix(sp.vstack(rows, format="csr"))
    near.sort_indices()
    return near
