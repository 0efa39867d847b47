"""A graph as a constraint: items that lie close in it are held alike."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from warmstart.data.dataset import Dataset
from warmstart.experts.graph import PersonalisedPageRank, largest
from warmstart.experts.memo import remembered

NEIGHBOURS = 20  # items that one is held to


def laplacian(data: Dataset) -> sp.csr_matrix | None:
    """``L = D - S`` over items with events: float64 CSR, shape (n_items, n_items), ``mean(D) = 1`` where D is not 0.

    ``S = (N + N') / 2``, with N the share of an item's walks that ends at each of the 20 items nearest to it (see
    ``PersonalisedPageRank``), so ``v' L v = sum_i<j s_ij (v_i - v_j)^2``. Rows are zero of items without events or
    without facts. None without a graph that speaks of an item.

    References
    ----------
    A. J. Smola, R. Kondor, Kernels and Regularization on Graphs, COLT 2003.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import polars as pl
    >>> from warmstart.data.graph import KnowledgeGraph
    >>> from warmstart.data.toy import checkerboard
    >>> rows = [("i0", "by", "ann"), ("i2", "by", "ann")]
    >>> graph = KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    >>> laplacian(replace(checkerboard(8, 3), graph=graph)).toarray().tolist()
    [[1.0, 0.0, -1.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]]
    """
    return remembered(data, "laplacian", lambda: _laplacian(data))


def _laplacian(data: Dataset) -> sp.csr_matrix | None:
    walks = PersonalisedPageRank().fit(data)
    if walks is None:
        return None
    met = sp.diags((data.interactions.item_counts() > 0).astype(np.float64))
    near = largest(walks.near, NEIGHBOURS)
    alike = met @ (near + near.T) @ met / 2
    degree = np.asarray(alike.sum(1)).ravel()
    mean = float(degree[degree > 0].mean()) if degree.any() else 1.0
    return sp.csr_matrix((sp.diags(degree) - alike) / mean)


def held_alike(v: np.ndarray, weight: np.ndarray, laplacian: sp.csr_matrix) -> np.ndarray:
    """``argmin_U sum_j weight_j ||u_j - v_j||^2 + tr(U' L U)``, i.e. ``(C + L) U = C V``: float32, shape of ``v``.

    Parameters
    ----------
    v
        float32, shape (n, dim).
    weight
        float64, shape (n,), above 0: how far each row is sure of itself, the diagonal of C.
    laplacian
        CSR, shape (n, n): L, in the units of the weights.

    Examples
    --------
    >>> pair = sp.csr_matrix([[1.0, -1.0], [-1.0, 1.0]])
    >>> held_alike(np.array([[0.0], [3.0]], np.float32), np.array([1.0, 1.0]), pair).ravel().tolist()
    [1.0, 2.0]
    """
    left = sp.csc_matrix(sp.diags(weight) + laplacian)
    return np.asarray(splu(left).solve(weight[:, None] * v.astype(np.float64)), np.float32)
