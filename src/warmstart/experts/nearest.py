"""A graph of neighbours over the item features of a very large catalogue; it finds the best items without seeing all.

Hierarchical navigable small worlds by the library ``usearch``, over features in int8. Inner products become cosines:
with M a bound of all lengths, ``z' = (z, sqrt(M^2 - |z|^2))`` and ``q' = (q, 0)`` give ``cos(q', z') = q z / (|q| M)``.

Sources: Malkov and Yashunin, TPAMI 2020, arXiv:1603.09320; the extra coordinate: Bachrach et al., RecSys 2014.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import installed, require
from warmstart.experts.panel import Progress
from warmstart.experts.products import FULL, Attached, filled, held_against

LOG = logging.getLogger("warmstart.engine")
LARGE = 300_000  # items up to which going over all of them is fast enough, and exact
LINKS, ADDING, SEARCHING = 16, 100, 512  # of an item; items kept in view while one is added, or looked for
BOUND = 0.995  # quantile of the lengths that M is; the few longer rows are taken to be as long
CHUNK = 16_384  # items added at a time
TRIED, BEST = 200, 60  # queries whose recall is measured, and how many items of each


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The graph, and how well it finds.

    Parameters
    ----------
    graph
        uint8: a file of usearch.
    columns
        int64: columns of the features it knows. Those that few items fill find nothing; they judge what was found.
    size
        Items it knows; those that came later are looked through one by one.
    recall
        Share of the 60 best items that it found for 200 questions, when it was built.
    """

    graph: np.ndarray
    columns: np.ndarray
    size: int
    recall: float

    @classmethod
    def build(cls, z: np.ndarray, progress: Progress | None = None, asked: np.ndarray | None = None) -> Self:
        """Of item features, float32, shape (n, d).

        Parameters
        ----------
        asked
            float32, shape (m, d): questions by which recall is measured; None = 200 means of two items.

        Raises
        ------
        MissingExtra
            If usearch is not installed.
        """
        columns = np.flatnonzero(filled(z) > FULL)
        columns = columns if len(columns) else np.arange(z.shape[1])
        index = opened(len(columns) + 1)
        lengths = np.sqrt(np.einsum("ij,ij->i", z[:, columns], z[:, columns]))
        bound = float(np.quantile(lengths, BOUND))
        for start in range(0, len(z), CHUNK):
            if progress:
                progress("linking items to their neighbours", start, len(z))
            at = slice(start, start + CHUNK)
            missing = np.sqrt(np.maximum(bound**2 - lengths[at] ** 2, 0.0))
            index.add(np.arange(start, start + len(missing)), with_last(z[at, columns], missing))
        made = cls(np.frombuffer(index.save(), np.uint8), columns, len(z), 0.0)
        return cls(made.graph, columns, len(z), made.measured(z, means_of_two(z) if asked is None else asked))

    def measured(self, z: np.ndarray, q: np.ndarray) -> float:
        """Share of the best items by ``q z`` that are found, on average of the rows of q."""
        best = min(BEST, self.size)
        truth = np.argpartition(-held_against(q, z[: self.size]), best - 1, axis=1)[:, :best]
        found = self.search(q, best)
        hits = [len(np.intersect1d(a, b)) for a, b in zip(truth, found, strict=True)]
        return float(np.mean(hits) / best)

    @cached_property
    def _index(self) -> Any:
        index = opened(len(self.columns) + 1)
        index.load(self.graph.tobytes())
        return index

    def among(self, q: np.ndarray, z: np.ndarray, k: int) -> np.ndarray:
        """``search`` in features that may have grown since: what came later is looked through one by one."""
        found, later = self.search(q, k), z[self.size :]
        if not len(later):
            return found
        best = np.argsort(-held_against(np.nan_to_num(q), later), axis=1)[:, :k]
        return np.concatenate([found, best + self.size], axis=1)

    def search(self, q: np.ndarray, k: int) -> np.ndarray:
        """The about k items with the largest ``q z``, of those it knows: int64, shape (len(q), k), -1 = no more.

        Parameters
        ----------
        q
            float32, shape (n_queries, d); of a row of zeros or NaN nothing is found.
        """
        out = np.full((len(q), k), -1, np.int64)
        said = np.flatnonzero(np.nan_to_num(q[:, self.columns]).any(axis=1))
        if len(said) and k:
            self._index.expansion_search = max(SEARCHING, k)
            asked = with_last(q[said][:, self.columns], np.zeros(len(said)))
            for row, (keys, many) in zip(said, answers(self._index.search(asked, k)), strict=True):
                out[row, :many] = keys[:many]
        return out


def opened(dim: int) -> Any:
    """An empty graph over vectors of some width."""
    return require("usearch.index", extra="scale").Index(
        ndim=dim, metric="cos", dtype="i8", connectivity=LINKS, expansion_add=ADDING, expansion_search=SEARCHING
    )


def with_last(rows: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Rows with one more entry each: float32, C order."""
    return np.ascontiguousarray(np.column_stack([rows, last]), np.float32)


def answers(found: Any) -> Iterable[tuple[np.ndarray, int]]:
    """Keys and their number, query by query; of one query the library gives them without a first axis."""
    if found.keys.ndim == 1:
        return [(found.keys, len(found.keys))]
    return zip(found.keys, found.counts, strict=True)


_KNOWN: Attached[Neighbours] = Attached()


def attach(z: np.ndarray, neighbours: Neighbours) -> None:
    """Whoever looks for items by these features finds them by the graph, as long as the array lives.

    Without usearch all items are gone over, which is said in the log.
    """
    if able(len(z)):
        _KNOWN.put(z, neighbours)


def neighbours_of(z: np.ndarray) -> Neighbours | None:
    """The graph over these features; None where there is none."""
    return _KNOWN.get(z)


def linked(z: np.ndarray, progress: Progress | None = None, x: Interactions | None = None) -> Neighbours | None:
    """A graph over the features of a very large catalogue, attached to them; None for any other, or without usearch.

    Its recall is measured on what people took (``x``), where anybody took anything.
    """
    if len(z) <= LARGE or not able(len(z)):
        return None
    neighbours = Neighbours.build(z, progress, None if x is None or not len(x) else tastes(z, x))
    attach(z, neighbours)
    return neighbours


def means_of_two(z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Means of two items drawn at random: float32, shape (200, d)."""
    pairs = np.random.default_rng(seed).integers(0, len(z), (min(TRIED, len(z)), 2))
    means: np.ndarray = z[pairs].mean(1)
    return means


def tastes(z: np.ndarray, x: Interactions, seed: int = 0) -> np.ndarray:
    """Sums of the features of what people took, of 200 drawn at random: float32, shape (at most 200, d).

    Examples
    --------
    >>> x = Interactions.of(np.array([1, 1]), np.array([0, 2]), n_users=2, n_items=3)
    >>> tastes(np.eye(3, dtype=np.float32), x).tolist()
    [[1.0, 0.0, 1.0]]
    """
    people = np.random.default_rng(seed).permutation(np.flatnonzero(x.user_counts()))[:TRIED]
    return np.asarray(Histories.of_users(x, people).sets @ z, np.float32)


def able(items: int) -> bool:
    """Whether a graph can be used; where it cannot, the log says what that means for so many items."""
    if installed("usearch"):
        return True
    LOG.warning("%d items are gone over at every question; pip install 'warmstart[scale]' finds them faster", items)
    return False
