"""The inverse of a Gram matrix with a ridge."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.linalg import blas, lapack, solve_triangular

from warmstart.errors import WarmstartError

FEW = 0.45  # people for each item below which their side is the cheaper one
BLOCK = 1_024  # columns made at once


def inverse_gram(
    x: sp.csr_matrix, ridge: np.ndarray, graph: sp.csr_matrix | None = None, gram: np.ndarray | None = None
) -> np.ndarray:
    """``P = (X'X + diag(ridge) + L)^-1``: float32, shape (n, n), symmetric; ``L = graph``, 0 where None.

    ``gram`` is ``X'X`` where it is known already (perhaps of more people than x has): float32, left as it is.

    By Cholesky in place (LAPACK potrf, potri: n^3 steps); on the users' side by Woodbury's identity
    ``P = R - R X'(I + X R X')^-1 X R`` with ``R = diag(1/ridge)`` (about 2 m^2 n + m n^2 steps) where users are few
    beside items and there is no graph.

    Examples
    --------
    >>> inverse_gram(sp.csr_matrix([[1.0], [1.0]]), np.array([2.0])).tolist()
    [[0.25]]

    Raises
    ------
    WarmstartError
        If the sum is singular in float32.
    """
    if graph is None and gram is None and few_people(x):
        return by_users(x, ridge)
    p: np.ndarray = dense_gram(x) if gram is None else gram.copy(order="F")
    p[np.diag_indices_from(p)] += ridge.astype(np.float32)
    if graph is not None:
        entry = graph.tocoo()
        p[entry.row, entry.col] += entry.data.astype(np.float32)
    p, failed = lapack.spotrf(p, lower=1, overwrite_a=1)
    if not failed:
        p, failed = lapack.spotri(p, lower=1, overwrite_c=1)
    if failed:
        raise WarmstartError(f"the Gram matrix is singular at column {failed}; use a larger ridge (strength)")
    fill_upper(p)
    return p


def few_people(x: sp.csr_matrix) -> bool:
    """Whether people are so few beside items that ``by_users`` is the cheaper way."""
    return bool(x.shape[0] < FEW * x.shape[1])


def by_users(x: sp.csr_matrix, ridge: np.ndarray) -> np.ndarray:
    """``(X'X + diag(ridge))^-1`` by Woodbury's identity: float32, shape (n, n).

    Examples
    --------
    >>> by_users(sp.csr_matrix([[1.0, 0.0]]), np.array([1.0, 2.0])).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    xr = sp.csr_matrix(x @ sp.diags(1.0 / ridge))
    small = np.asarray((xr @ x.T).todense(), dtype=np.float64)
    small[np.diag_indices_from(small)] += 1.0
    lower, columns = np.linalg.cholesky(small), sp.csc_matrix(xr)
    half = np.empty(x.shape, np.float32, order="F")
    for s in range(0, x.shape[1], BLOCK):
        half[:, s : s + BLOCK] = solve_triangular(lower, columns[:, s : s + BLOCK].toarray(), lower=True)
    p: np.ndarray = blas.ssyrk(-1.0, half, trans=1, lower=1)
    p[np.diag_indices_from(p)] += (1.0 / ridge).astype(np.float32)
    fill_upper(p)
    return p


def dense_gram(x: sp.csr_matrix, block: int = BLOCK) -> np.ndarray:
    """``X'X``: float32, shape (n, n), columns one after another; made so many at a time, so that it is held once.

    Examples
    --------
    >>> dense_gram(sp.csr_matrix([[1.0, 1.0], [0.0, 1.0]]), block=1).tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    turned, n = sp.csr_matrix(x.T), x.shape[1]
    p = np.empty((n, n), np.float32, order="F")
    for s in range(0, n, block):
        p[:, s : s + block] = (turned[s : s + block] @ x).toarray().T
    return p


def fill_upper(p: np.ndarray, block: int = 512) -> None:
    """Mirror the lower triangle into the upper one, in place, block by block.

    Examples
    --------
    >>> p = np.array([[1.0, 9.0], [2.0, 3.0]])
    >>> fill_upper(p)
    >>> p.tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    for s in range(0, len(p), block):
        e = min(s + block, len(p))
        p[s:e, e:] = p[e:, s:e].T
        corner = np.tril(p[s:e, s:e])
        p[s:e, s:e] = corner + np.tril(corner, -1).T
