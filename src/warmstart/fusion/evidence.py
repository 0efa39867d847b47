"""Candidates of a query, and what speaks for and about each of them: the ranker's features."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from threadpoolctl import ThreadpoolController

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.path_count import PathCount
from warmstart.experts.centred import Centred
from warmstart.experts.memo import remembered
from warmstart.experts.popularity import content_rates, decayed_counts
from warmstart.experts.products import centre_of

ITEMS = 2_048  # items whose neighbours are looked for at once
RECENT = 20  # history items a candidate is held against
SUPPORT = (
    "events",
    "recent_20",
    "recent_05",
    "expected",
    "unmet",
    "age",
    "idle",
    "length",
    "history_popularity",
    "nearest_content",
    "mean_content",
    "nearest_people",
    "links",
)
GRAPH = ("degree", "paths", "path_weight")  # where there is a graph


@dataclass(frozen=True)
class Support:
    """What is known of every item, and how items lie to each other; from training data only.

    Parameters
    ----------
    item
        float32, shape (n_items, 7): the item columns of ``SUPPORT``.
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
            expected = data.features @ b[:-1] + b[-1]
        age, idle = ages(data)
        recent = [np.log1p(decayed_counts(x, share)) for share in (0.2, 0.05)]
        item = np.stack([np.log1p(counts), *recent, expected, counts == 0, age, idle], axis=1)
        facts = data.graph if graph and data.graph is not None and len(data.graph) else None
        paths = None if facts is None else PathCount.of(facts.index, data.catalog.items)
        return cls(item.astype(np.float32), directions, people_cosine(x.matrix(), keep), b, paths)

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
    ptr, index, values = [0], [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    for first in range(0, n, ITEMS):
        g = sp.csr_matrix(turned[first : first + ITEMS] @ scaled, dtype=np.float32)
        for i in range(g.shape[0]):
            row, v = g.indices[g.indptr[i] : g.indptr[i + 1]], g.data[g.indptr[i] : g.indptr[i + 1]]
            row, v = strongest_of(row[row != first + i], v[row != first + i], keep)
            index.append(row)
            values.append(v)
            ptr.append(ptr[-1] + len(v))
    return sp.csr_matrix((np.concatenate(values), np.concatenate(index), ptr), shape=(n, n))


def strongest_of(at: np.ndarray, value: np.ndarray, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``keep`` largest values and where they are, in order of place.

    Examples
    --------
    >>> [part.tolist() for part in strongest_of(np.array([4, 7, 9]), np.array([0.3, 0.1, 0.2]), 2)]
    [[4, 9], [0.3, 0.2]]
    """
    if len(value) <= keep:
        order = np.argsort(at)
    else:
        top = np.argpartition(-value, keep)[:keep]
        order = top[np.argsort(at[top])]
    return at[order], value[order]


def candidates(scores: dict[str, np.ndarray], allowed: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Union of every expert's best ``top`` allowed items: query and item code of each candidate, sorted.

    ``allowed`` is bool, shape (n_queries, n_items).
    """
    picked = np.zeros(allowed.shape, bool)
    rows = np.arange(len(allowed))[:, None]
    for s in scores.values():
        if s.shape[1] <= top:
            picked[:] = True
            break
        usable = np.where(allowed & ~np.isnan(s), s, -np.inf)
        best = np.argpartition(-usable, top, axis=1)[:, :top]
        picked[rows, best] |= np.isfinite(usable[rows, best])
    query, item = np.nonzero(picked & allowed)
    return query, item


def columns_of(experts: Iterable[str], flat: Collection[str], graph: bool = False) -> list[str]:
    """Names of the evidence columns, in order; ``graph`` = whether there is one."""
    out = []
    for name in experts:
        out += [f"{name}.z"] if name in flat else [f"{name}.raw", f"{name}.z", f"{name}.rank"]
    return [*out, *SUPPORT, *(GRAPH if graph else ())]


@cache
def thread_pools() -> ThreadpoolController:
    """The thread pools of the libraries loaded so far, looked up once: finding them costs as much as a query.

    The limit set by it holds for the whole process while it lasts.
    """
    return ThreadpoolController()


def evidence(
    scores: Mapping[str, np.ndarray],
    flat: Collection[str],
    support: Support,
    h: Histories,
    query: np.ndarray,
    item: np.ndarray,
    allowed: np.ndarray,
) -> np.ndarray:
    """Features of candidates: float32, shape (n_candidates, n_columns), as named by ``columns_of``; NaN = cannot say.

    Per expert: the raw score, the score standardised over the query's allowed items, and the log of its
    rank among the candidates (flat experts: standardised only); then the columns of ``SUPPORT``, and with a graph those
    of ``GRAPH``: log(1 + entities next to the item), log(1 + those next to the history as well), their specificity.
    """
    # many small products: threads would cost more than they bring
    with thread_pools().limit(limits=1, user_api="blas"):
        near = pair_support(support, h, query, item)
    blocks = []
    for name, s in scores.items():
        raw = s[query, item].astype(np.float32)
        mean, std = moments(s, allowed)
        z = (raw - mean[query]) / std[query]
        blocks += [z] if name in flat else [raw, z, log_rank(query, raw)]
    if support.paths is not None:
        count, weight = support.paths.pairs(h.sets, query, item)
        near += [np.log1p(support.paths.degree[item]), np.log1p(count), weight]
    return np.column_stack([*blocks, support.item[item], *near]).astype(np.float32)


def moments(s: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each row over allowed items; NaN rows give 0 and 1."""
    usable = allowed & ~np.isnan(s)
    n = np.maximum(usable.sum(1), 1)
    v = np.where(usable, s, 0.0).astype(np.float32)
    mean = v.sum(1) / n
    var = np.maximum((v * v).sum(1) / n - mean**2, 0.0)
    return mean, np.where(var > 1e-20, np.sqrt(var), 1.0)


def log_rank(query: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """log(1 + rank) of each candidate within its query, best = 0.

    Where an expert spoke of some candidates only, the others share the rank after the last of them; where it said
    nothing at all, NaN.

    Examples
    --------
    >>> nan = np.nan
    >>> np.expm1(log_rank(np.array([0, 0, 0, 1]), np.array([nan, 2.0, 3.0, nan]))).round(6).tolist()
    [2.0, 1.0, 0.0, nan]
    """
    bounds = np.searchsorted(query, np.arange(query.max(initial=-1) + 2))
    down, rank = -np.nan_to_num(raw, nan=-np.inf), np.empty(len(raw), np.float32)
    for start, end in pairwise(bounds.tolist()):
        order = np.argsort(down[start:end], kind="stable")
        rank[start + order] = np.arange(end - start)
    silent = np.isnan(raw)
    spoken = np.bincount(query, weights=~silent, minlength=int(query.max(initial=-1)) + 1)[query]
    return np.log1p(np.where(silent, np.where(spoken > 0, spoken, np.nan), rank)).astype(np.float32)


def pair_support(support: Support, h: Histories, query: np.ndarray, item: np.ndarray) -> list[np.ndarray]:
    """How the candidate lies to the history: by content (nearest, mean) and by people (nearest, links)."""
    n = h.lengths
    popularity = np.full(len(h), np.nan)
    filled = n > 0
    sums = np.add.reduceat(np.append(support.item[h.item, 0], 0.0), h.indptr[:-1])
    popularity[filled] = sums[filled] / n[filled]
    nearest, mean, people, links = (np.full(len(query), np.nan, np.float32) for _ in range(4))
    bounds, strongest = np.searchsorted(query, np.arange(len(h) + 1)), np.zeros(h.n_items, np.float32)
    for q in np.flatnonzero(filled).tolist():
        at = slice(bounds[q], bounds[q + 1])
        rows = h.row(q)[-RECENT:]
        sims = support.directions.cosines(item[at], rows)
        nearest[at], mean[at] = sims.max(1, initial=-1), sims.mean(1)
        near = support.people[rows]
        strongest[:] = 0.0
        np.maximum.at(strongest, near.indices, near.data)
        people[at] = strongest[item[at]]
        links[at] = np.bincount(near.indices, minlength=h.n_items)[item[at]]
    return [np.log1p(n)[query], popularity[query], nearest, mean, people, links]
