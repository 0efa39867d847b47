"""The experts of an engine, fitted and asked together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.base import Expert, FittedExpert, Projecting, Reader, Sparing
from warmstart.experts.memo import GRAM, let_go
from warmstart.experts.popularity import FittedPopularity
from warmstart.experts.products import projected

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Panel:
    """Fitted experts by name; those that had nothing to learn from are absent."""

    experts: dict[str, FittedExpert]

    @classmethod
    def fit(cls, experts: Mapping[str, Expert], data: Dataset, progress: Progress | None = None) -> Panel:
        """Fit each expert; ``fit`` of an expert may return None (e.g. no table of users)."""
        fitted = {}
        for done, (name, expert) in enumerate(experts.items()):
            if progress:
                progress("fitting experts", done, len(experts))
            one = expert.fit(data)
            if one is not None:
                fitted[name] = one
        let_go(GRAM)
        return cls(fitted)

    @cached_property
    def projecting(self) -> dict[str, Projecting]:
        """Experts that can be asked together."""
        return {name: expert for name, expert in self.experts.items() if isinstance(expert, Projecting)}

    @cached_property
    def sparing(self) -> dict[str, Sparing]:
        """Those of them beside whose projection mostly zeros stand."""
        return {name: expert for name, expert in self.projecting.items() if isinstance(expert, Sparing)}

    @cached_property
    def flat(self) -> frozenset[str]:
        """Names of experts whose score does not depend on the query."""
        return frozenset(n for n, e in self.experts.items() if isinstance(e, FittedPopularity))

    @property
    def whole_only(self) -> bool:
        """Whether it can only be asked of every item (``Asked``)."""
        return False

    @property
    def size(self) -> int:
        """Tables of scores that are held at once."""
        return len(self.experts)

    def score(self, histories: Histories) -> dict[str, np.ndarray]:
        """Scores by name: float32, shape (n_queries, n_items), NaN = cannot say."""
        shared = together(self.projecting, histories)
        return {n: shared[n] if n in shared else expert.score(histories) for n, expert in self.experts.items()}

    def about(self, item: int, histories: Histories) -> tuple[Panel, Histories]:
        """Who scores an item, and the queries as they see them: here all experts, and the queries as they are."""
        return self, histories

    def moved(self, item: np.ndarray, time: np.ndarray) -> Self:
        """With events that came after the fit: what is popular moves, see ``FittedPopularity.moved``."""
        return replace(
            self,
            experts={n: e.moved(item, time) if isinstance(e, FittedPopularity) else e for n, e in self.experts.items()},
        )

    def grow(self, features: np.ndarray, catalog: Catalog | None = None) -> Panel:
        """With new items appended to every expert; ``catalog`` holds old and new ones, for experts that read."""
        grown = {name: expert.grow(features) for name, expert in self.experts.items()}
        if catalog is None:
            return Panel(grown)
        return Panel({name: e.described(catalog) if isinstance(e, Reader) else e for name, e in grown.items()})


def together(experts: Mapping[str, Projecting], histories: Histories) -> dict[str, np.ndarray]:
    """Scores of experts by name; those that share their features go over them once."""
    scores = {}
    for names in groups(experts).values():
        parts = [experts[name].said(histories) for name in names]
        found = projected(np.concatenate(parts), experts[names[0]].z)
        ends = np.cumsum([len(part) for part in parts])
        for name, part, end in zip(names, parts, ends.tolist(), strict=True):
            expert = experts[name]
            scores[name] = expert.heard(histories, found[end - len(part) : end], expert.beside(histories))
    return scores


def groups(experts: Mapping[str, Projecting]) -> dict[int, list[str]]:
    """Names of experts that share their features, by identity of these."""
    found = dict[int, list[str]]()
    for name, expert in experts.items():
        found.setdefault(id(expert.z), []).append(name)
    return found
