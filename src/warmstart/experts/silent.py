"""A voice that says nothing: it stands for an expert that does not learn in some simulated world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.data.histories import Histories


@dataclass(frozen=True)
class Silent:
    """Cannot say anything of any item.

    Parameters
    ----------
    n_items
        Items of the catalogue.
    """

    n_items: int

    def score(self, histories: Histories) -> np.ndarray:
        """NaN: float32, shape (n_queries, n_items).

        Examples
        --------
        >>> Silent(2).score(Histories.of([[0]], 2)).tolist()
        [[nan, nan]]
        """
        return np.full((len(histories), self.n_items), np.nan, np.float32)

    def grow(self, features: np.ndarray) -> Silent:
        """Of new items neither."""
        return Silent(self.n_items + len(features))
