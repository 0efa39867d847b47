"""What experts share whose scores are ``q z`` and nothing else."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.base import EVERY


class Plain:
    """The half of ``Projecting`` that is the same for all of them."""

    seeks: ClassVar[bool] = True

    def beside(self, histories: Histories) -> None:
        """Nothing beside the vectors."""

    def heard(
        self, histories: Histories, found: np.ndarray, beside: None = None, items: slice | np.ndarray = EVERY
    ) -> np.ndarray:
        """Scores as they are; NaN for an empty history."""
        scores: np.ndarray = found[0]
        scores[histories.lengths == 0] = np.nan
        return scores
