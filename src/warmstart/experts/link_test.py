"""Whether what people do bears out a graph: a test against links that are drawn at random."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.adjacency import Adjacency
from warmstart.data.dataset import Dataset
from warmstart.data.link_agreement import link_agreement
from warmstart.experts.graph import Taken

LOG = logging.getLogger(__name__)
HUB = 50  # facts; sharing what has more says little
DRAWS = 20  # of links at random
SURE = 3.0  # standard deviations from their mean that are no chance
TIES = "of %d pairs of items that the catalogue says alike it ties %.1f %%, of any two %.1f %%"
ENOUGH = 30  # linked items with events, below which nothing is said


@dataclass(frozen=True)
class LinkTest:
    """How far a graph is from one whose links are drawn at random, in standard deviations of such graphs.

    Parameters
    ----------
    alike
        Of how alike, in who took them, items are that share a fact (see ``Taken.likeness``).
    known
        Of the rank correlation between an item's facts and its events.
    """

    alike: float
    known: float

    @property
    def borne_out(self) -> bool | None:
        """Whether either is beyond chance; None = cannot be said (NaN: too few items, or all alike)."""
        told = [z for z in (self.alike, self.known) if not np.isnan(z)]
        return max(told) > SURE if told else None


def link_test(data: Dataset, seed: int = 0) -> LinkTest:
    """Compare the links of ``data.graph`` with the same links in other orders.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import polars as pl
    >>> from warmstart.data.graph import KnowledgeGraph
    >>> from warmstart.data.toy import checkerboard
    >>> data = checkerboard(60, 60)
    >>> right = [(f"i{i}", "of", f"e{i % 2}_{i // 10}") for i in range(60)]
    >>> wrong = [(f"i{i}", "of", f"e{i // 2 % 2}_{i // 10}") for i in range(60)]
    >>> for rows in (right, wrong):
    ...     facts = pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")
    ...     print(link_test(replace(data, graph=KnowledgeGraph(facts))).borne_out)
    True
    False
    """
    if data.graph is None:
        return LinkTest(float("nan"), float("nan"))
    index = data.graph.index
    place = index.entities.codes(list(data.catalog.items.ids))
    met, taken = Taken.of(data, place >= 0)
    if len(met) < ENOUGH:
        return LinkTest(float("nan"), float("nan"))
    events, node, rng = ranks(data.interactions.item_counts()[met]), place[met], np.random.default_rng(seed)
    found = figures(index, node, taken, events)
    drawn = np.array([figures(index, rng.permutation(node), taken, events) for _ in range(DRAWS)])
    spread = drawn.std(0)
    sure = spread > 1e-12
    z = np.where(sure, (found - drawn.mean(0)) / np.where(sure, spread, 1.0), np.nan)
    return LinkTest(float(z[0]), float(z[1]))


def figures(index: Adjacency, node: np.ndarray, taken: Taken, events: np.ndarray) -> np.ndarray:
    """Likeness of items by shared facts, and correlation (Spearman's) of facts and events: float64, shape (2,)."""
    at, edge = index.edges(node)
    there = index.neighbour[edge]
    few = index.degree[there] <= HUB
    held = sp.csr_matrix((np.ones(int(few.sum())), (at[few], there[few])), shape=(len(node), len(index.entities)))
    facts = ranks(index.degree[node])
    both = np.cov(facts, events)
    scale = float(np.sqrt(both[0, 0] * both[1, 1]))
    return np.array([taken.likeness(held), both[0, 1] / scale if scale > 0 else 0.0])


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, from 1, the mean where some are equal: float64.

    Examples
    --------
    >>> ranks(np.array([7, 3, 7])).tolist()
    [2.5, 1.0, 2.5]
    """
    return np.asarray(pl.Series(values).rank().to_numpy(), np.float64)


def believed(data: Dataset, *, doubtful: bool = False) -> Dataset:
    """The data without a graph whose links name wrong items, by all that can be asked; a warning tells it.

    That is: items that the catalogue's columns say alike are not tied by the graph (``link_agreement``), and what
    people do does not bear it out either. ``doubtful`` = believe it all the same.
    """
    if doubtful or data.graph is None or not len(data.graph):
        return data
    told = link_agreement(data.graph, data.catalog)
    if told.agrees is not False or (borne_out := link_test(data).borne_out):
        return data
    shares = (told.pairs, 100 * told.tied, 100 * told.chance)
    if borne_out is None:
        LOG.warning(
            f"the graph may name wrong items: {TIES}; there are too few events to tell; look at its links", *shares
        )
        return data
    LOG.warning(
        f"the graph is left out, its links name wrong items: {TIES}, and what people do does not bear it out; mend the "
        "links, or set doubtful_graph = true in the recipe",
        *shares,
    )
    return replace(data, graph=None)
