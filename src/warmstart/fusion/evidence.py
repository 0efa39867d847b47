"""What speaks for and about each candidate of a query: the ranker's features."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import scipy.sparse as sp
from threadpoolctl import ThreadpoolController

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.path_count import PathCount
from warmstart.experts.centred import Centred
from warmstart.experts.columns import strongest
from warmstart.experts.memo import remembered
from warmstart.experts.popularity import content_rates, decayed_counts
from warmstart.experts.products import centre_of, read_off
from warmstart.fusion.scores import Scores, places

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
            expected = read_off(data.features, b[:-1]) + b[-1]
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
    rows = [sp.csr_matrix((0, n), dtype=np.float32)]
    for first in range(0, n, ITEMS):
        g = sp.csr_matrix(turned[first : first + ITEMS] @ scaled, dtype=np.float32)
        others = g.indices != np.repeat(np.arange(first, first + g.shape[0]), np.diff(g.indptr))
        ends = np.concatenate([[0], np.cumsum(others)])[g.indptr]
        rows.append(strongest(sp.csr_matrix((g.data[others], g.indices[others], ends), shape=g.shape), keep))
    near = sp.csr_matrix(sp.vstack(rows, format="csr"))
    near.sort_indices()
    return near


def columns_of(experts: Iterable[str], flat: Collection[str], graph: bool = False) -> list[str]:
    """Names of the evidence columns, in order; ``graph`` = whether there is one."""
    out = []
    for name in experts:
        out += [f"{name}.z"] if name in flat else [f"{name}.raw", f"{name}.z", f"{name}.rank"]
    return [*out, *SUPPORT, *(GRAPH if graph else ())]


class OneThread:
    """While anybody is inside, BLAS works on one thread: of many small products more would cost more than they bring.

    The limit holds for the whole process; who leaves last lifts it. The pools are looked up once, as finding them costs
    as much as a query.

    Examples
    --------
    >>> one = OneThread()
    >>> with one, one:
    ...     one.inside
    2
    """

    def __init__(self) -> None:
        self.lock, self.inside = Lock(), 0
        self.limit: Any = None

    @cached_property
    def pools(self) -> ThreadpoolController:
        """The thread pools of the libraries loaded so far."""
        return ThreadpoolController()

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.limit = self.pools.limit(limits=1, user_api="blas")
            self.inside += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.limit.restore_original_limits()


ONE_THREAD = OneThread()


def evidence(
    scores: Scores, flat: Collection[str], support: Support, h: Histories, query: np.ndarray, item: np.ndarray
) -> np.ndarray:
    """Features of candidates: float32, shape (n_candidates, n_columns), as named by ``columns_of``; NaN = cannot say.

    Per expert: the raw score, the score standardised over the query's allowed items, and the log of its
    rank among the candidates (flat experts: standardised only); then the columns of ``SUPPORT``, and with a graph those
    of ``GRAPH``: log(1 + entities next to the item), log(1 + those next to the history as well), their specificity.
    """
    with ONE_THREAD:
        near = pair_support(support, h, query, item)
    told = list(scores.told(query, item))
    ranks = iter(log_ranks(query, [raw for name, raw, _ in told if name not in flat]))
    blocks = []
    for name, raw, z in told:
        blocks += [z] if name in flat else [raw, z, next(ranks)]
    if support.paths is not None:
        count, weight = support.paths.pairs(h.sets, query, item)
        near += [np.log1p(support.paths.degree[item]), np.log1p(count), weight]
    return np.column_stack([*blocks, support.item[item], *near]).astype(np.float32)


def log_ranks(query: np.ndarray, raw: Sequence[np.ndarray]) -> np.ndarray:
    """log(1 + rank) of each candidate within its query, best = 0, expert by expert: float32, shape (len(raw), m).

    Where an expert spoke of some candidates only, the others share the rank after the last of them; where it said
    nothing at all, NaN.

    Parameters
    ----------
    query
        int64, shape (m,), ascending.
    raw
        Of each expert float32, shape (m,).

    Examples
    --------
    >>> nan = np.nan
    >>> np.expm1(log_ranks(np.array([0, 0, 0, 1]), [np.array([nan, 2.0, 3.0, nan])])).round(6).tolist()
    [[2.0, 1.0, 0.0, nan]]
    """
    if not len(raw) or not len(query):
        return np.empty((len(raw), len(query)), np.float32)
    real = places(query)
    down = np.full((len(raw), *real.shape), np.inf, np.float32)
    down[:, real] = [-np.nan_to_num(one, nan=-np.inf) for one in raw]
    order = np.argsort(down, axis=2, kind="stable")
    rank = np.empty(down.shape, np.float32)
    np.put_along_axis(rank, order, np.arange(real.shape[1], dtype=np.float32)[None, None], axis=2)
    silent = np.isnan(raw)
    last = np.stack([np.bincount(query, weights=~one, minlength=len(real))[query] for one in silent])
    return np.log1p(np.where(silent, np.where(last > 0, last, np.nan), rank[:, real])).astype(np.float32)


def pair_support(support: Support, h: Histories, query: np.ndarray, item: np.ndarray) -> list[np.ndarray]:
    """How the candidate lies to the history: by content (nearest, mean) and by people (nearest, links)."""
    n = h.lengths
    popularity = np.full(len(h), np.nan)
    filled = n > 0
    sums = np.add.reduceat(np.append(support.item[h.item, 0], 0.0), h.indptr[:-1])
    popularity[filled] = sums[filled] / n[filled]
    nearest, mean = (np.full(len(query), np.nan, np.float32) for _ in range(2))
    bounds = np.searchsorted(query, np.arange(len(h) + 1)).tolist()
    for q in np.flatnonzero(filled).tolist():
        at = slice(bounds[q], bounds[q + 1])
        sims = support.directions.cosines(item[at], h.row(q)[-RECENT:])
        nearest[at], mean[at] = sims.max(1, initial=-1), sims.mean(1)
    people, links = neighbours(support.people, h.newest(RECENT), query, item)
    return [np.log1p(n)[query], popularity[query], nearest, mean, people, links]


def neighbours(
    people: sp.csr_matrix, h: Histories, query: np.ndarray, item: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Largest entry of a history's rows at each candidate, and in how many rows it has one; NaN without history.

    Parameters
    ----------
    people
        CSR float32 above 0, shape (n_items, n_items).
    """
    begin, length = people.indptr[h.item].astype(np.int64), np.diff(people.indptr)[h.item]
    ends = np.cumsum(length)
    entry = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + length, length)
    row = np.repeat(np.repeat(np.arange(len(h)), h.lengths), length)
    place = np.full(len(h) * h.n_items, -1, np.int32)
    place[query * h.n_items + item] = np.arange(len(query))
    at = place[row * h.n_items + people.indices[entry]]
    hit = at >= 0
    strongest = np.where((h.lengths > 0)[query], np.float32(0.0), np.float32(np.nan))
    links = strongest + np.bincount(at[hit], minlength=len(query))
    np.maximum.at(strongest, at[hit], people.data[entry[hit]])
    return strongest, links.astype(np.float32)
