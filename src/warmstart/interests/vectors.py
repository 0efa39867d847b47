"""One vector an item, of what it is about and of who takes it."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from warmstart.data.dataset import Dataset
from warmstart.errors import NotFitted
from warmstart.experts.factors import factor_map
from warmstart.text.whiten import unit_rows

DIM = 32  # directions of who takes what
SMOOTH = 5.0  # events added to a count before it divides


def fused_vectors(data: Dataset, people: float = 0.5, dim: int = DIM) -> np.ndarray:
    """Content and people side by side: ``[sqrt(1 - p) z_j / |z_j|, sqrt(p) v_j / |v_j|]``, both centred.

    v are singular vectors, times their singular values, of who took what, people and items divided by the roots of
    their counts; of an item nobody met, what its features predict. Nothing is drawn: equal data give equal vectors.

    Parameters
    ----------
    data
        With item features (language model, attributes, graph).
    people
        p, the share of who takes what, in [0, 1].
    dim
        Directions of it.

    Returns
    -------
    float32, shape (n_items, d), rows of unit length or shorter.

    Raises
    ------
    NotFitted
        If the data carry no features.
    """
    if data.features is None:
        raise NotFitted("the items have no features; encode their texts first (Engine.fit does)")
    z = data.features - data.features.mean(0)
    content, taken = unit_rows(z), unit_rows(people_vectors(data, dim))
    return np.hstack([np.sqrt(1 - people) * content, np.sqrt(people) * taken]).astype(np.float32)


def people_vectors(data: Dataset, dim: int = DIM) -> np.ndarray:
    """Where items lie by who takes them: float32, shape (n_items, at most dim)."""
    x = data.interactions.matrix()
    counts = np.asarray(x.sum(0)).ravel()
    dim = min(dim, min(x.shape) - 1, int((counts > 0).sum()) - 1)
    if dim < 1 or data.features is None:
        return np.zeros((data.n_items, 1), np.float32)
    active = np.asarray(x.sum(1)).ravel()
    scaled = sp.diags(1 / np.sqrt(np.maximum(active, 1))) @ x @ sp.diags(1 / np.sqrt(counts + SMOOTH))
    _, s, vt = svds(sp.csr_matrix(scaled), k=dim, v0=np.ones(min(x.shape)), solver="arpack")
    order = np.argsort(-s)
    sign = np.sign(vt[order, np.abs(vt[order]).argmax(1)])
    v: np.ndarray = (vt[order] * (s[order] * sign)[:, None]).T.astype(np.float32)
    unmet = counts == 0
    v[unmet] = data.features[unmet] @ factor_map(data.features, v, counts, 10.0)
    v -= v[~unmet].mean(0)
    return v
