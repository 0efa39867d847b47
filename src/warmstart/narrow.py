"""An engine whose learned weights take eight bits each, and what that costs on its lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.eight_bits import EightBits
from warmstart.engine import Engine
from warmstart.errors import DataError
from warmstart.evaluate.intervals import paired
from warmstart.evaluate.metrics import find_hits, ndcg
from warmstart.experts.columns import strongest
from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.panel import Panel, Progress
from warmstart.experts.split import SplitPanel
from warmstart.experts.transitions import FittedTransitions

KEEP, PEOPLE = 256, 1_000
PLACES, ASKED = 10, 200  # of a list; histories asked at once
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


def cost(
    before: Engine, after: Engine, data: Dataset, people: int = PEOPLE, seed: int = 0, progress: Progress | None = None
) -> Cost:
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
    rows = [x.item[x.starts[u] : x.starts[u + 1]] for u in drawn]
    first, second = _lists(before, after, data, rows, progress)
    one = np.ones(len(rows), int), (np.arange(len(rows)), [row[-1] for row in rows])
    wanted = sp.csr_matrix(one, shape=(len(rows), data.n_items))
    gain, left = (ndcg(find_hits(lists, wanted), one[0]) for lists in (first, second))
    lost = paired(gain, left, seed=seed)
    same = [len(set(a) & set(b)) / len(a) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    figures = (gain.mean(), left.mean(), lost.difference, lost.low, lost.high, np.mean(same))
    return Cost(len(rows), *(float(figure) for figure in figures))


def _lists(
    before: Engine, after: Engine, data: Dataset, rows: list[np.ndarray], progress: Progress | None
) -> tuple[np.ndarray, np.ndarray]:
    """Ten items of either for each history without its newest event: item codes (n_rows, 10), -1 = none left."""
    ids, found = data.catalog.items, np.full((2, len(rows), PLACES), -1)
    for begin in range(0, len(rows), ASKED):
        if progress:
            progress("recommending", begin, len(rows))
        histories = [ids.names(row[:-1]) for row in rows[begin : begin + ASKED]]
        for engine, lists in zip((before, after), found, strict=True):
            table = engine.recommend(histories=histories, k=PLACES)
            at = begin + table["query"].to_numpy(), table["rank"].to_numpy() - 1
            lists[at] = ids.codes(table["item_id"].to_list())
    return found[0], found[1]
