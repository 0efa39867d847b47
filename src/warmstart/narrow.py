"""An engine whose learned weights take eight bits each, and what that costs on its lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.vocab import Vocabulary
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
        return replace(expert, data=_table(expert.data, keep, own=True))
    if isinstance(expert, FittedTransitions):
        return replace(expert, s=_table(expert.s, keep))
    return expert


def _table(table: np.ndarray | sp.csr_matrix, keep: int, *, own: bool = False) -> EightBits:
    """The entries of each row that are farthest from zero, in eight bits; with ``own`` the diagonal is among them."""
    rows = sp.csr_matrix(table, dtype=np.float32)
    strength = np.abs(rows.data)
    if own:  # it takes back what content says of an item to itself
        strength[rows.indices == np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))] = np.inf
    return EightBits.of(strongest(rows, keep, strength))


@dataclass(frozen=True)
class Cost:
    """What a change of an engine does to its lists.

    Parameters
    ----------
    people
        Who were asked: of those whose newest item is new to them.
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
        If of nobody an older event and a newest one are known, of an item that is new to them.
    """
    rows = _asked_of(before.fitted.catalog.items, data, people, seed)
    first, second = _lists(before, after, rows, progress)
    one = np.ones(len(rows), int), (np.arange(len(rows)), [row[-1] for row in rows])
    wanted = sp.csr_matrix(one, shape=(len(rows), len(before.fitted.catalog)))
    gain, left = (ndcg(find_hits(lists, wanted), one[0]) for lists in (first, second))
    lost = paired(gain, left, seed=seed)
    figures = (gain.mean(), left.mean(), lost.difference, lost.low, lost.high, alike(first, second))
    return Cost(len(rows), *(float(figure) for figure in figures))


def _asked_of(items: Vocabulary, data: Dataset, people: int, seed: int) -> list[np.ndarray]:
    """Histories, in the engine's item codes, of those whose newest item is known to it and was not taken before."""
    code = items.codes(data.catalog.items.ids)
    x = data.interactions.select(code[data.interactions.item] >= 0)
    newest = np.flatnonzero(np.diff(x.user, append=-1) != 0)
    newest = newest[x.user_counts()[x.user[newest]] >= 2]
    pair = x.user.astype(np.int64) * x.n_items + x.item
    every, times = np.unique(pair, return_counts=True)
    able = x.user[newest[np.isin(pair[newest], every[times == 1])]]
    if not len(able):
        raise DataError("nobody in the data took two different items of the engine; give data with histories")
    drawn = np.sort(np.random.default_rng(seed).permutation(able)[:people])
    return [code[x.item[x.starts[u] : x.starts[u + 1]]] for u in drawn]


def _lists(
    before: Engine, after: Engine, rows: list[np.ndarray], progress: Progress | None
) -> tuple[np.ndarray, np.ndarray]:
    """Ten items of either for each history without its newest event: item codes (n_rows, 10), -1 = none left."""
    ids, found = before.fitted.catalog.items, np.full((2, len(rows), PLACES), -1)
    for begin in range(0, len(rows), ASKED):
        if progress:
            progress("recommending", begin, len(rows))
        histories = [ids.names(row[:-1]) for row in rows[begin : begin + ASKED]]
        for engine, lists in zip((before, after), found, strict=True):
            table = engine.recommend(histories=histories, k=PLACES)
            at = begin + table["query"].to_numpy(), table["rank"].to_numpy() - 1
            lists[at] = ids.codes(table["item_id"].to_list())
    return found[0], found[1]


def alike(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the items of first lists that are in the second ones, too; int, shape (n_lists, k), -1 = no item.

    Examples
    --------
    >>> alike(np.array([[1, 2, -1]]), np.array([[2, 3, -1]])), alike(np.array([[-1]]), np.array([[4]]))
    (0.5, 1.0)
    """
    there = first >= 0
    found = (first[:, :, None] == second[:, None, :]).any(2) & there
    return float(found.sum() / there.sum()) if there.any() else 1.0
