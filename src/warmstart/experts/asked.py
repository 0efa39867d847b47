"""A panel asked of few items: what histories say is found once, then held against the items that matter alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.beside import Beside, Rows
from warmstart.experts.best import Found, best, first_allowed, in_order
from warmstart.experts.nearest import LARGE, neighbours_of
from warmstart.experts.panel import Panel, groups
from warmstart.experts.popularity import FittedPopularity
from warmstart.experts.products import Attached, held_against
from warmstart.experts.scan import scanned


class Asked:
    """A block of queries, put to the experts of a panel.

    Parameters
    ----------
    panel
        The experts; those that cannot be asked of some items alone (``Projecting``) score every item once.
    histories
        The queries.

    Examples
    --------
    >>> from warmstart.data.toy import checkerboard
    >>> from warmstart.experts.linear import PriorMeanEASE
    >>> data = checkerboard(6, 6)
    >>> panel, h = Panel.fit({"people": PriorMeanEASE(kappa=0.0)}, data), data.histories(np.array([0, 1]))
    >>> some = np.array([[5, 2], [0, 3]])
    >>> bool(np.allclose(Asked(panel, h).at(some)["people"], np.take_along_axis(panel.score(h)["people"], some, 1)))
    True
    """

    def __init__(self, panel: Panel, histories: Histories) -> None:
        self.panel, self.histories = panel, histories
        self._beside: dict[str, Beside | None] = {}
        self._whole: dict[str, np.ndarray] = {}

    @cached_property
    def said(self) -> dict[str, np.ndarray]:
        """What histories say to each expert that projects: float32, shape (parts, n_queries, d)."""
        return {name: expert.said(self.histories) for name, expert in self.panel.projecting.items()}

    def beside(self, name: str) -> Beside | None:
        """What adds to the projection of an expert: of a very large catalogue its entries; None = nothing does."""
        if name not in self._beside:
            spared = self.large and name in self.panel.sparing
            found = self.panel.sparing[name].entries(self.histories) if spared else None
            rows = self.panel.projecting[name].beside(self.histories) if found is None else None
            self._beside[name] = found if rows is None else Rows(rows)
        return self._beside[name]

    def whole(self, name: str) -> np.ndarray:
        """Scores of every item by an expert that does not project: float32, shape (n_queries, n_items)."""
        if name not in self._whole:
            self._whole[name] = self.panel.experts[name].score(self.histories)
        return self._whole[name]

    def best(self, allowed: np.ndarray, top: int, sample: np.ndarray) -> Iterator[Found]:
        """Query and item of what each expert would put forward, expert by expert: about its ``top`` allowed items.

        Experts that ``seek`` go by the first part of what histories say, and by what stands beside it; of those that do
        not, what stands beside speaks alone; where none of the same features seeks, all do. Where a graph of neighbours
        knows the features, it is asked; where there is none over a very large catalogue, the best known items are
        looked through.

        Parameters
        ----------
        allowed
            bool, shape (n_queries, n_items).
        sample
            Items drawn at random, see ``best``.
        """
        for name, expert in self.panel.experts.items():
            if isinstance(expert, FittedPopularity):
                yield first_allowed(expert.scores, allowed, top)
            elif name not in self.panel.projecting:
                yield best(self.whole(name), allowed, top, sample)
        for names in groups(self.panel.projecting).values():
            seeking = [name for name in names if self.panel.projecting[name].seeks] or names
            for name in names:
                if name not in seeking and (beside := self.beside(name)) is not None:
                    yield beside.best(allowed, top, sample)
            seek = self._near if self.large else self._all
            yield from seek(seeking, allowed, top, sample)

    def _all(self, names: list[str], allowed: np.ndarray, top: int, sample: np.ndarray) -> Iterator[Found]:
        """By going over all items, in eight bits where that is quicker."""
        if names:
            found = scanned(np.stack([self.said[n][0] for n in names]), self.panel.projecting[names[0]].z)
            for name, rows in zip(names, found, strict=True):
                beside = self.beside(name)
                if beside is not None:
                    beside.add_to(rows)
                else:
                    rows[~np.nan_to_num(self.said[name][0]).any(axis=1)] = np.nan  # all items are alike to the silent
                yield best(rows, allowed, top, sample)

    def _near(self, names: list[str], allowed: np.ndarray, top: int, sample: np.ndarray) -> Iterator[Found]:
        """By a graph of neighbours, or among the best known items; by going over all where that finds too few."""
        for name in names:
            z, q, beside = self.panel.projecting[name].z, self.said[name][0], self.beside(name)
            graph, said = neighbours_of(z), np.nan_to_num(q).any(axis=1)
            found = np.empty(0, np.int64), np.empty(0, np.int64)
            if graph is None and len(self.known):
                rows = held_against(q, rows_of(z, self.known))
                rows[~said] = np.nan
                if beside is not None:
                    rows += beside.at(np.broadcast_to(self.known, rows.shape))
                row, at = best(rows, allowed[:, self.known], top)
                found = row, self.known[at]
            elif graph is not None:
                if beside is not None:
                    yield beside.best(allowed, top, sample)
                near = graph.among(q, z, 2 * top)
                row, column = np.repeat(np.arange(len(q)), near.shape[1]), near.ravel()
                kept = (column >= 0) & allowed[row, column]
                found = row[kept], column[kept]
            few = np.bincount(found[0], minlength=len(q))[said].min(initial=top) < top // 2
            yield from self._all([name], allowed, top, sample) if few else [found]

    @cached_property
    def known(self) -> np.ndarray:
        """The best known items, by the first expert that scores popularity: int64; none where there is none."""
        flat = [e.scores for e in self.panel.experts.values() if isinstance(e, FittedPopularity)]
        return in_order(flat[0]) if flat else np.empty(0, np.int64)

    @property
    def large(self) -> bool:
        """Whether there are too many items to go over them all."""
        return self.histories.n_items > LARGE

    def at(self, items: np.ndarray, shared: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Scores by name: float32, shape (n_queries, len(shared) + m), NaN = cannot say.

        Parameters
        ----------
        items
            int64, shape (n_queries, m): the items that each query is about.
        shared
            int64: items that all queries are about, before their own; None = none.
        """
        first = np.empty(0, np.int64) if shared is None else shared
        every = np.concatenate([np.broadcast_to(first, (len(items), len(first))), items], axis=1)
        scores = {}
        for names in groups(self.panel.projecting).values():
            parts = [self.said[name] for name in names]
            found = projected_at(np.concatenate(parts), self.panel.projecting[names[0]].z, items, first)
            ends = np.cumsum([len(part) for part in parts]).tolist()
            for name, part, end in zip(names, parts, ends, strict=True):
                beside = self.beside(name)
                near = None if beside is None else beside.at(every)
                heard = self.panel.projecting[name].heard
                scores[name] = heard(self.histories, found[end - len(part) : end], near, every)
        return {name: scores[name] if name in scores else self._at(name, every) for name in self.panel.experts}

    def _at(self, name: str, items: np.ndarray) -> np.ndarray:
        expert = self.panel.experts[name]
        if isinstance(expert, FittedPopularity):
            return np.asarray(expert.scores[items])
        return np.take_along_axis(self.whole(name), items, axis=1)


KEPT = 2  # sets of items whose rows of one table are kept: a sample, and the best known
_ROWS: Attached[list[tuple[np.ndarray, np.ndarray]]] = Attached()


def rows_of(z: np.ndarray, items: np.ndarray) -> np.ndarray:
    """``z[items]``, kept for the two sets of items that were asked for last, as long as z lives."""
    known = _ROWS.get(z) or []
    for asked, rows in known:
        if asked is items:
            return rows
    found: np.ndarray = z[items]
    _ROWS.put(z, [(items, found), *known[: KEPT - 1]])
    return found


def projected_at(said: np.ndarray, z: np.ndarray, items: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """``Q Z'`` at some items: float32, shape (parts, n_queries, len(shared) + m).

    Parameters
    ----------
    said
        float32, shape (parts, n_queries, d).
    z
        float32, shape (n, d).
    items, shared
        int64, shapes (n_queries, m) and (s,).

    Examples
    --------
    >>> z = np.arange(3, dtype=np.float32)[:, None]
    >>> projected_at(np.ones((1, 2, 1), np.float32), z, np.array([[2], [1]]), np.array([0])).tolist()
    [[[0.0, 2.0], [0.0, 1.0]]]
    """
    parts, queries, d = said.shape
    out = np.empty((parts, queries, len(shared) + items.shape[1]), np.float32)
    if len(shared):
        found = held_against(said.reshape(parts * queries, d), rows_of(z, shared))
        out[:, :, : len(shared)] = found.reshape(parts, queries, len(shared))
    for q in range(queries):
        out[:, q, len(shared) :] = said[:, q] @ z[items[q]].T
    return out
