"""An engine whose learned weights take eight bits each, and what that costs on its lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.eight_bits import EightBits
from warmstart.engine import Engine
from warmstart.errors import DataError
from warmstart.experts.columns import strongest
from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.experts.split import SplitPanel
from warmstart.experts.transitions import FittedTransitions

KEEP, PEOPLE, RESAMPLES = 256, 1_000, 1_000
T = TypeVar("T")


def narrowed(engine: Engine, keep: int = KEEP) -> Engine:
    """The same engine with the weights between items in eight bits, the ``keep`` strongest of each row.

    These are the weights of prior-mean EASE and of transitions; features, factors and networks stay as they are. The
    other engine is left alone.
    """
    if keep < 1:
        raise DataError(f"keep={keep} leaves no weight; 256 a row is usual")
    return engine.with_panel(_panel(engine.fitted.panel, keep))


def _panel(panel: Panel, keep: int) -> Panel:
    experts = {name: _expert(expert, keep) for name, expert in panel.experts.items()}
    if isinstance(panel, SplitPanel):
        return replace(panel, experts=experts, unmet=_panel(panel.unmet, keep))
    return replace(panel, experts=experts)


def _expert(expert: T, keep: int) -> T:
    if isinstance(expert, FittedPriorMeanEASE):
        return replace(expert, data=_table(expert.data, keep))
    if isinstance(expert, FittedTransitions):
        return replace(expert, s=_table(expert.s, keep))
    return expert


def _table(table: np.ndarray | sp.csr_matrix, keep: int) -> EightBits:
    """The entries of each row that are farthest from zero, in eight bits."""
    rows = sp.csr_matrix(table, dtype=np.float32)
    return EightBits.of(strongest(rows, keep, np.abs(rows.data)))


@dataclass(frozen=True)
class Cost:
    """What a change of an engine does to its lists.

    Parameters
    ----------
    people
        Who were asked.
    before, after
        NDCG@10 of their newest event, by what came before it.
    loss, low, high
        ``before - after``, and its 95 % bootstrap interval over people.
    same
        Share of the items of a list that are in both.
    """

    people: int
    before: float
    after: float
    loss: float
    low: float
    high: float
    same: float


def cost(before: Engine, after: Engine, data: Dataset, people: int = PEOPLE, seed: int = 0) -> Cost:
    """Ask both for what people of ``data`` took last; both may have learned from it: only the difference tells.

    Raises
    ------
    DataError
        If nobody has two events.
    """
    x = data.interactions
    able = np.flatnonzero(x.user_counts() >= 2)
    if not len(able):
        raise DataError("nobody in the data has two events, so nothing can be asked; give data with histories")
    drawn = np.sort(np.random.default_rng(seed).permutation(able)[:people])
    rows = [data.catalog.items.names(x.item[x.starts[u] : x.starts[u + 1]]) for u in drawn]
    lists = [_lists(engine, rows) for engine in (before, after)]
    first, second = (np.array([_gain(one, row[-1]) for one, row in zip(some, rows, strict=True)]) for some in lists)
    same = [len(set(a) & set(b)) / max(len(a), 1) for a, b in zip(*lists, strict=True)]
    lost, rng = first - second, np.random.default_rng(seed)
    means = [lost[rng.integers(0, len(lost), len(lost))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    figures = (first.mean(), second.mean(), lost.mean(), low, high, np.mean(same))
    return Cost(len(rows), *(float(figure) for figure in figures))


def _lists(engine: Engine, rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Ten items for each history without its newest event."""
    table = engine.recommend(histories=[row[:-1] for row in rows], k=10)
    found: list[list[str]] = [[] for _ in rows]
    for query, item in table.sort("query", "rank").select("query", "item_id").iter_rows():
        found[query].append(item)
    return found


def _gain(items: Sequence[str], wanted: str) -> float:
    return 1.0 / float(np.log2(items.index(wanted) + 2.0)) if wanted in items else 0.0
