"""How the weight passes from content to people as evidence about an item grows."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.panel import Panel

Curve = tuple[tuple[float, ...], dict[str, tuple[float, ...]]]
EDGES = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def trust_curve(expert: FittedPriorMeanEASE, counts: np.ndarray, rows: int = 300) -> Curve:
    """Share of the prior-mean EASE's weights that stems from content, by events of the item.

    For items j of similar count and the ``rows`` best-known history items i:
    ``sum |semantic_ij| / (sum |semantic_ij| + sum |data_ij|)``.

    Returns
    -------
    tuple
        Lower edges of the counts, ascending; and by source (``content``, ``people``) the shares, in [0, 1].
    """
    known = np.argsort(-counts, kind="stable")[:rows]
    x, content = [], []
    for low, high in zip(EDGES, (*EDGES[1:], np.inf), strict=True):
        columns = np.flatnonzero((counts >= low) & (counts < high))[:200]
        if not len(columns):
            continue
        block = expert.data[known][:, columns]
        data = np.asarray(sp.csr_matrix(block).todense())
        semantic = np.stack([expert.weights(known, int(column))[1] for column in columns], axis=1)
        other = known[:, None] != columns[None, :]  # an item says nothing about itself
        said, done = float(np.abs(semantic * other).sum()), float(np.abs(data * other).sum())
        if said + done > 0:
            x.append(float(low))
            content.append(said / (said + done))
    return tuple(x), {"content": tuple(content), "people": tuple(1.0 - c for c in content)}


def trust_of(panel: Panel, counts: np.ndarray) -> Curve | None:
    """``trust_curve`` of a panel's first prior-mean EASE; None without one.

    Parameters
    ----------
    counts
        int64, shape (n_items,): distinct users of each item.
    """
    for expert in panel.experts.values():
        if isinstance(expert, FittedPriorMeanEASE):
            return trust_curve(expert, counts)
    return None
