"""How a system is asked and its answer checked: a split in, ranked item codes out.

A system is an engine (string ids, a table back), a fitted expert, or a plain function of codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import polars as pl

from warmstart.data.histories import Histories
from warmstart.data.split import Split
from warmstart.data.vocab import Vocabulary
from warmstart.errors import DataError
from warmstart.evaluate.baselines import ExpertRecommender
from warmstart.evaluate.metrics import find_hits
from warmstart.experts.base import FittedExpert

BATCH = 1024


@runtime_checkable
class Recommends(Protocol):
    """What an engine offers."""

    def recommend(
        self,
        users: Sequence[str] | None = None,
        histories: Sequence[Sequence[str]] | None = None,
        *,
        k: int = 10,
        candidates: Sequence[str] | None = None,
        exclude_seen: bool = True,
    ) -> pl.DataFrame:
        """Columns ``query`` (0-based), ``item_id``, ``rank`` (ascending) and more."""
        ...


Ranker: TypeAlias = Callable[[Histories, int, "np.ndarray | None"], np.ndarray]
System: TypeAlias = Recommends | FittedExpert | Ranker


def ask(system: System, split: Split, k: int) -> np.ndarray:
    """Rank for every query of the split; hidden items are asked around and taken out afterwards.

    The system is asked for more than ``k`` where items are hidden (a power of two more, so that it cannot tell
    how many), and never learns which.

    Returns
    -------
    int32, shape (n_queries, k), best first, -1 = the list is shorter.

    Raises
    ------
    DataError
        If a list repeats an item, or holds one of the history or one that is no candidate.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> ask(lambda h, k, c: np.full((len(h), k), -1), last_n(example()), k=2).tolist()
    [[-1, -1], [-1, -1], [-1, -1]]
    """
    out = np.full((len(split), k), -1, np.int32)
    extra = np.zeros(len(split), np.int64) if split.hidden is None else split.hidden.getnnz(axis=1)
    asked = np.where(extra > 0, 2 ** np.ceil(np.log2(np.maximum(extra, 1))), 0).astype(np.int64)
    for more in np.unique(asked):
        group = np.flatnonzero(asked == more)
        for start in range(0, len(group), BATCH):
            rows = group[start : start + BATCH]
            part, length = split.take(rows), min(k + int(more), split.train.n_items)
            ranked = as_ranker(system, part)(part.queries, length, part.candidates)
            check_lists(ranked, part)
            kept = without_hidden(ranked, part)[:, :k]
            out[rows, : kept.shape[1]] = kept
    return out


def as_ranker(system: System, split: Split) -> Ranker:
    """The system as a function of codes.

    Raises
    ------
    DataError
        If the system is none of the three kinds.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> as_ranker(max, last_n(example())) is max
    True
    """
    if isinstance(system, Recommends):
        return lambda histories, k, candidates: ask_engine(system, split, histories, k, candidates)
    if isinstance(system, FittedExpert):
        return ExpertRecommender(system, split.train.interactions.item_counts())
    if callable(system):
        return system
    raise DataError(f"a {type(system).__name__} cannot be evaluated; give an engine, a fitted expert or a function")


def ask_engine(
    engine: Recommends, split: Split, histories: Histories, k: int, candidates: np.ndarray | None
) -> np.ndarray:
    """Ask by string ids and translate back: int32, shape (n_queries, k), -1 = no item.

    Examples
    --------
    >>> class Same:
    ...     def recommend(self, **asked):
    ...         return pl.DataFrame({"query": [1, 0, 1], "item_id": ["b", "a", "d"], "rank": [2, 1, 1]})
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> split = last_n(example()).take(np.array([0, 1]))
    >>> ask_engine(Same(), split, split.queries, 2, None).tolist()
    [[0, -1], [3, 1]]
    """
    items = split.train.catalog.items
    table = engine.recommend(
        users=split.train.users.names(split.users.tolist()),
        histories=[items.names(histories.row(q).tolist()) for q in range(len(histories))],
        k=k,
        candidates=None if candidates is None else items.names(candidates.tolist()),
        exclude_seen=True,
    )
    return codes_of(table, items, len(histories), k)


def codes_of(table: pl.DataFrame, items: Vocabulary, n_queries: int, k: int) -> np.ndarray:
    """A table of recommendations as item codes: int32, shape (n_queries, k), -1 = no item.

    Examples
    --------
    >>> table = pl.DataFrame({"query": [0], "item_id": ["b"], "rank": [1]})
    >>> codes_of(table, Vocabulary(["a", "b"]), 2, 1).tolist()
    [[1], [-1]]
    """
    table = table.sort("query", "rank")
    query, code = table["query"].to_numpy(), items.codes(table["item_id"].to_list())
    if (code < 0).any():
        raise DataError(f"the system lists item {table['item_id'][int((code < 0).argmax())]!r}, not in the catalogue")
    place = np.arange(len(query)) - np.searchsorted(query, query)
    out = np.full((n_queries, k), -1, np.int32)
    inside = place < k
    out[query[inside], place[inside]] = code[inside]
    return out


def check_lists(ranked: np.ndarray, split: Split) -> None:
    """Refuse lists that would make the measures wrong.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> check_lists(np.array([[3], [0], [-1]]), last_n(example()))
    """
    if len(ranked) != len(split):
        raise DataError(f"the system returned {len(ranked)} lists for {len(split)} queries; one a query is needed")
    ordered = np.sort(ranked, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise DataError("a list holds an item twice; make lists distinct before evaluating")
    if find_hits(ranked, split.queries.matrix()).any():
        raise DataError("a list holds an item of the query's history; honour exclude_seen=True")
    if split.candidates is not None and not np.isin(ranked[ranked >= 0], split.candidates).all():
        raise DataError("a list holds an item that is no candidate; honour candidates=")


def without_hidden(ranked: np.ndarray, split: Split) -> np.ndarray:
    """Lists with the hidden items taken out and the rest moved up, -1 at the end.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import few_shot
    >>> split = few_shot(example(), k=1, after=2, share=0.34, seed=1)
    >>> split.hidden.indices.tolist(), without_hidden(np.array([[3, 1, 2]]), split).tolist()
    ([1], [[3, 2, -1]])
    """
    if split.hidden is None:
        return ranked
    out = find_hits(ranked, split.hidden) | (ranked < 0)
    order = np.argsort(out, axis=1, kind="stable")
    return np.where(np.take_along_axis(out, order, 1), -1, np.take_along_axis(ranked, order, 1))
