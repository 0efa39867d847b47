"""Pairs to learn from, mined from events: which items go together, and which only look as if they did.

Positives are items that explain each other; hard negatives share a category, but not the people.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve

from warmstart.data.catalog import Catalog
from warmstart.text.fields import parts
from warmstart.text.templates import LISTS

DENSE_LIMIT = 20_000  # items up to which weights are solved for
_BLOCK = 512  # items looked at together


def positives(x: sp.csr_matrix, n: int = 10, strength: float = 1.0) -> sp.csr_matrix:
    """The items that go best with each item, and how well.

    With at most 20,000 items by the weights of EASE, ``B_ij = -P_ij / P_jj``, ``P = (X'X + lambda I)^-1`` (Steck, WWW
    2019, arXiv:1905.03375, equation 8): what other items explain of a common event does not count twice. With more
    by the cosine ``G_ij / sqrt(G_ii G_jj)``, ``G = X'X``, of pairs met together more often than by chance
    (pointwise mutual information above 0), and no array of items by items is made.

    Parameters
    ----------
    x
        CSR of ones, shape (n_users, n_items).
    n
        Partners of an item at most, before those that chose it are added.
    strength
        ``lambda`` in units of the event-weighted mean item count.

    Returns
    -------
    float32 CSR, shape (n_items, n_items): symmetric, above 0, nothing on the diagonal.

    Examples
    --------
    >>> x = sp.csr_matrix(np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 3, axis=0).astype(np.float32))
    >>> (positives(x, 1).toarray() > 0).astype(int).tolist()
    [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    """
    weights = _ease(x, strength) if x.shape[1] <= DENSE_LIMIT else _cosine(x)
    best = sp.csr_matrix(sp.vstack([top_of_rows(block, n) for block in weights], format="csr"), dtype=np.float32)
    return sp.csr_matrix(best.maximum(best.T))


def hard_negatives(x: sp.csr_matrix, categories: sp.csr_matrix, n: int = 8) -> sp.csr_matrix:
    """Items of an item's categories that its people pass by.

    An item that nobody knows is no negative. What counts is how far the common events ``G_ij`` stay below
    ``E_ij = G_ii G_jj / n_users``, those of independent items, in units of their deviation:
    ``c_ij (E_ij - G_ij) / sqrt(E_ij)``, ``c`` being the cosine of the items' categories, rare ones weighing more (idf).

    Parameters
    ----------
    x
        CSR of ones, shape (n_users, n_items).
    categories
        CSR of ones, shape (n_items, n_categories).
    n
        Negatives of an item at most.

    Returns
    -------
    float32 CSR, shape (n_items, n_items): above 0, nothing on the diagonal; empty rows where there are none.

    Examples
    --------
    >>> x = sp.csr_matrix(np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 3, axis=0).astype(np.float32))
    >>> genres = sp.csr_matrix([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    >>> [row.indices.tolist() for row in hard_negatives(x, genres)]
    [[2], [2], [0, 1], []]
    """
    if not categories.nnz:
        return sp.csr_matrix((x.shape[1], x.shape[1]), dtype=np.float32)
    usual = np.asarray(categories.sum(0)).ravel()
    alike = _unit_rows(sp.csr_matrix(categories.multiply(np.log1p(categories.shape[0] / np.maximum(usual, 1.0)))))
    counts, people = np.asarray(x.sum(0), np.float64).ravel(), sp.csr_matrix(x.T)
    blocks = []
    for start in range(0, x.shape[1], _BLOCK):
        same = sp.coo_matrix(alike[start : start + _BLOCK] @ alike.T)
        expected = counts[start + same.row] * counts[same.col] / x.shape[0]
        met = sp.csr_matrix(people[start : start + _BLOCK] @ x)
        short = same.data * (expected - np.asarray(met[same.row, same.col]).ravel()) / np.sqrt(expected + 1e-12)
        blocks.append(top_of_rows(_without_self(sp.csr_matrix((short, (same.row, same.col)), same.shape), start), n))
    return sp.csr_matrix(sp.vstack(blocks, format="csr"), dtype=np.float32)


def categories_of(catalog: Catalog) -> sp.csr_matrix | None:
    """Items by the entries of the catalogue's first list column, ones; None if there is no such column.

    The columns are those that ``item_texts`` knows as lists: categories or genres, then brand, author and so on.

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.DataFrame({"item_id": ["a", "b", "c"], "genres": ["War|Drama", "War", None]})
    >>> categories_of(Catalog(table)).toarray().tolist()
    [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    """
    lowered = {name.lower(): name for name in reversed(catalog.table.columns)}
    known = [(lowered[name], role.at_most) for role in LISTS for name in role.names if name in lowered]
    if not known:
        return None
    column, at_most = known[0]
    entries = [parts(value, at_most) for value in catalog.table[column]]
    code = {name: i for i, name in enumerate(dict.fromkeys(e for row in entries for e in row))}
    indptr = np.cumsum([0, *map(len, entries)])
    indices = np.array([code[e] for row in entries for e in row], np.int64)
    return sp.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(entries), len(code)))


def top_of_rows(block: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """The ``n`` largest entries above 0 of each row; of equal ones those that come first.

    Examples
    --------
    >>> top_of_rows(sp.csr_matrix([[3.0, -1.0, 5.0], [0.0, 2.0, 2.0]]), 1).toarray().tolist()
    [[0.0, 0.0, 5.0], [0.0, 2.0, 0.0]]
    """
    coo = sp.coo_matrix(block)
    above = coo.data > 0
    row, column, value = coo.row[above], coo.col[above], coo.data[above]
    order = np.lexsort((column, -value, row))
    first = np.searchsorted(row[order], row[order])
    kept = order[np.arange(len(order)) - first < n]
    return sp.csr_matrix((value[kept], (row[kept], column[kept])), shape=coo.shape)


def _ease(x: sp.csr_matrix, strength: float) -> Iterator[sp.csr_matrix]:
    """Columns of B as rows, block by block."""
    gram = np.asfortranarray((x.T @ x).toarray(order="F"), np.float32)
    counts = gram.diagonal()
    gram[np.diag_indices_from(gram)] += strength * float((counts**2).sum() / max(counts.sum(), 1.0))
    factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    for start in range(0, len(gram), _BLOCK):
        rows = np.arange(min(_BLOCK, len(gram) - start))
        unit = np.zeros((len(gram), len(rows)), np.float32)
        unit[start + rows, rows] = 1.0
        p = cho_solve(factor, unit, overwrite_b=True, check_finite=False)
        yield _without_self(sp.csr_matrix(np.maximum(-p / p[start + rows, rows], 0).T), start)


def _cosine(x: sp.csr_matrix) -> Iterator[sp.csr_matrix]:
    """Rows of the cosine of items, pairs below chance left out, block by block."""
    counts, people = np.asarray(x.sum(0), np.float64).ravel(), sp.csr_matrix(x.T)
    for start in range(0, x.shape[1], _BLOCK):
        met = sp.coo_matrix(people[start : start + _BLOCK] @ x)
        size = counts[start + met.row] * counts[met.col]
        value = np.where(met.data * x.shape[0] > size, met.data / np.sqrt(size), 0)
        yield _without_self(sp.csr_matrix((value, (met.row, met.col)), met.shape), start)


def _without_self(block: sp.csr_matrix, start: int) -> sp.csr_matrix:
    """Rows ``start`` and following of a square matrix, their diagonal entries left out."""
    coo = sp.coo_matrix(block)
    other = coo.col != coo.row + start
    return sp.csr_matrix((coo.data[other], (coo.row[other], coo.col[other])), coo.shape)


def _unit_rows(rows: sp.csr_matrix) -> sp.csr_matrix:
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel())
    return sp.csr_matrix(rows.multiply(1 / np.maximum(norms, 1e-12)[:, None]))
