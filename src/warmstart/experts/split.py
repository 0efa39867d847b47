"""Two panels as one: items that people met are judged by what is sure, items nobody met by whoever reads them best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.experts.base import Expert, FittedExpert
from warmstart.experts.content import ContentCosine, ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.memo import GRAM, let_go
from warmstart.experts.panel import Panel, Progress
from warmstart.experts.popularity import Popularity
from warmstart.experts.smoothed import SmoothedEASE

CONTENT = (Popularity, ContentMap, ContentCosine, SmoothedEASE)


def fit_content(expert: Expert, data: Dataset) -> FittedExpert | None:
    """An expert fitted as far as items without events need it; None for one that is about events.

    Factors, transitions and people's attributes are: what they say of new items stays as the judge's features let
    them say it.
    """
    if isinstance(expert, PriorMeanEASE):
        return expert.fit_content(data)
    return expert.fit(data) if isinstance(expert, CONTENT) else None


@dataclass(frozen=True)
class SplitPanel(Panel):
    """Experts whose scores for items without events come from others of the same names.

    An encoder that was fine-tuned on interactions says more of new items; of items it learned from it only repeats
    what their events say better. So ``experts`` see the features of an encoder that knows no event, and score every
    item that was met; ``unmet`` see those of the fine-tuned one, and score the others.

    Parameters
    ----------
    unmet
        Experts that score items without events; those of ``experts`` that it lacks score all.
    new
        bool, shape (n_items,): items without events.
    dim
        Width of the features that ``experts`` see. Typed texts, and items that are added, bring the features of both:
        the first ``dim`` columns are theirs, the others those of ``unmet``.
    """

    unmet: Panel
    new: np.ndarray
    dim: int

    @classmethod
    def of(
        cls, met: Panel, experts: Mapping[str, Expert], tuned: Dataset, dim: int, progress: Progress | None = None
    ) -> SplitPanel:
        """Add to a panel those of its ``experts`` that know new items, fitted on the features of ``tuned``."""
        unmet = {}
        for done, name in enumerate(met.experts):
            if progress:
                progress("fitting experts on fine-tuned features", done, len(met.experts))
            one = fit_content(experts[name], tuned)
            if one is not None:
                unmet[name] = one
        let_go(GRAM)
        return cls(met.experts, Panel(unmet), tuned.interactions.item_counts() == 0, dim)

    @property
    def whole_only(self) -> bool:
        """Which of two panels speaks depends on the item."""
        return True

    @property
    def size(self) -> int:
        """Tables of scores that are held at once."""
        return len(self.experts) + len(self.unmet.experts)

    def score(self, histories: Histories) -> dict[str, np.ndarray]:
        """Scores by name: float32, shape (n_queries, n_items), NaN = cannot say."""
        scores = Panel(self.experts).score(self._part(histories, slice(self.dim)))
        columns = np.flatnonzero(self.new)
        if len(columns):
            for name, values in self.unmet.score(self._part(histories, slice(self.dim, None))).items():
                scores[name] = np.array(scores[name])
                scores[name][:, columns] = values[:, columns]
        return scores

    def grow(self, features: np.ndarray, catalog: Catalog | None = None) -> SplitPanel:
        """With new items appended; ``features`` holds those of both panels side by side."""
        met = Panel(self.experts).grow(features[:, : self.dim], catalog)
        unmet = self.unmet.grow(features[:, self.dim :], catalog)
        return replace(self, experts=met.experts, unmet=unmet, new=np.append(self.new, np.ones(len(features), bool)))

    def moved(self, item: np.ndarray, time: np.ndarray) -> Self:
        """With events that came after the fit, on either side."""
        return replace(super().moved(item, time), unmet=self.unmet.moved(item, time))

    def about(self, item: int, histories: Histories) -> tuple[Panel, Histories]:
        """Who scores an item, and the queries as they see them."""
        if self.new[item]:
            return self.unmet, self._part(histories, slice(self.dim, None))
        return Panel(self.experts), self._part(histories, slice(self.dim))

    @staticmethod
    def _part(histories: Histories, columns: slice) -> Histories:
        if histories.vectors is None:
            return histories
        return replace(histories, vectors=histories.vectors[:, columns])
