"""What speaks for and about each candidate of a query: the ranker's features."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from warmstart.data.histories import Histories
from warmstart.fusion.pairs import pair_support
from warmstart.fusion.scores import Scores, places
from warmstart.fusion.support import Support

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
