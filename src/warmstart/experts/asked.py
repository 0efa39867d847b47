"""A panel asked of few items: what histories say is found once, then held against the items that matter alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.base import Projecting
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import FittedPopularity
from warmstart.experts.products import held_against, projected


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
        self._beside: dict[str, np.ndarray | None] = {}
        self._whole: dict[str, np.ndarray] = {}

    @cached_property
    def said(self) -> dict[str, np.ndarray]:
        """What histories say to each expert that projects: float32, shape (parts, n_queries, d)."""
        return {name: expert.said(self.histories) for name, expert in self.panel.projecting.items()}

    def beside(self, name: str) -> np.ndarray | None:
        """What adds to the projection of an expert: float32, shape (n_queries, n_items), or None."""
        if name not in self._beside:
            self._beside[name] = self.panel.projecting[name].beside(self.histories)
        return self._beside[name]

    def whole(self, name: str) -> np.ndarray:
        """Scores of every item by an expert that does not project: float32, shape (n_queries, n_items)."""
        if name not in self._whole:
            self._whole[name] = self.panel.experts[name].score(self.histories)
        return self._whole[name]

    def sought(self) -> Iterator[np.ndarray]:
        """Rows whose largest entries are each expert's best items: float32, shape (n_queries, n_items), one by one.

        Of an expert with several parts the first one; where something stands beside an expert that does not ``seek`` by
        its features, that alone.
        """
        for names in groups(self.panel.projecting).values():
            seeking = [name for name in names if self.panel.projecting[name].seeks]
            if seeking:
                found = projected(np.stack([self.said[n][0] for n in seeking]), self.panel.projecting[names[0]].z)
                for name, rows in zip(seeking, found, strict=True):
                    beside = self.beside(name)
                    yield rows if beside is None else rows + beside
            for name in names:
                if name not in seeking and (beside := self.beside(name)) is not None:
                    yield beside

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
                rows = self.beside(name)
                near = None if rows is None else np.take_along_axis(rows, every, axis=1)
                heard = self.panel.projecting[name].heard
                scores[name] = heard(self.histories, found[end - len(part) : end], near, every)
        return {name: scores[name] if name in scores else self._at(name, every) for name in self.panel.experts}

    def _at(self, name: str, items: np.ndarray) -> np.ndarray:
        expert = self.panel.experts[name]
        if isinstance(expert, FittedPopularity):
            return np.asarray(expert.scores[items])
        return np.take_along_axis(self.whole(name), items, axis=1)


def groups(experts: dict[str, Projecting]) -> dict[int, list[str]]:
    """Names of experts that share their features, by identity of these."""
    found = dict[int, list[str]]()
    for name, expert in experts.items():
        found.setdefault(id(expert.z), []).append(name)
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
        out[:, :, : len(shared)] = held_against(said.reshape(-1, d), z[shared]).reshape(parts, queries, -1)
    for q in range(queries):
        out[:, q, len(shared) :] = said[:, q] @ z[items[q]].T
    return out
