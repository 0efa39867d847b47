"""What lists in proportion to interests cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import scipy.sparse as sp

from warmstart.data.split import Split
from warmstart.evaluate.beyond import miscalibration
from warmstart.evaluate.intervals import Interval, Paired, intervals, paired
from warmstart.evaluate.metrics import find_hits, ndcg


@dataclass(frozen=True)
class Price:
    """What lists of one weight of the proportions are like.

    Parameters
    ----------
    weight
        Of the proportions; 0 = by score alone.
    miscalibration
        Divergence of the lists' concepts from those of the histories, in nats.
    ndcg
        Of the lists.
    change
        NDCG less that of weight 0, paired by person.
    """

    weight: float
    miscalibration: Interval
    ndcg: Interval
    change: Paired

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


def prices(lists: Mapping[float, np.ndarray], split: Split, shares: sp.csr_matrix) -> list[Price]:
    """Measure lists by the weight of the proportions in them.

    Parameters
    ----------
    lists
        int32 item codes, shape (n_queries, k), -1 = the list is shorter; 0 is one of the weights.
    split
        Whose queries they answer.
    shares
        CSR, shape (n_items, n_concepts): how items are shared out among the concepts.
    """
    relevant = split.targets.getnnz(axis=1)
    values = {w: ndcg(find_hits(ranked, split.targets), relevant) for w, ranked in lists.items()}
    return [
        Price(
            weight,
            intervals(miscalibration(ranked, split.queries.matrix(), shares)[:, None])[0],
            intervals(values[weight][:, None])[0],
            paired(values[weight], values[0.0]),
        )
        for weight, ranked in lists.items()
    ]
