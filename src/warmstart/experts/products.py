"""Products with item features, as fast as they are sparse; and features that grow without being copied.

Item features are whitened text beside attributes, of which an item has few. Of a large table whose columns are mostly
zero, the full columns are kept apart from the others; a product reads the one, and hardly anything of the other. What
is found of an array is remembered as long as the array lives.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import scipy.sparse as sp

BLOCK = 4_096  # rows looked at at once
LARGE = 1_000_000  # entries of a table below which nothing is gained
FULL, EMPTY = 0.1, 0.5  # share of entries above which a column is full; of zeros below which nothing is gained
FEW = 32  # rows of queries up to which the larger table comes first in a product
BY_BLOCK, NEAR = 3, 2**18  # rows of queries up to which a table is read by blocks, of about so many entries
WIDE = 65_536  # rows taken up in double precision at once
SPARE = 256  # rows kept free, at least, where a table begins to grow
T = TypeVar("T")


class Attached(Generic[T]):
    """What is known of arrays, by identity; forgotten with the array."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[np.ndarray], T]] = {}

    def get(self, array: np.ndarray) -> T | None:
        """What is known of it, or None."""
        found = self._known.get(id(array))
        return None if found is None or found[0]() is not array else found[1]

    def put(self, array: np.ndarray, value: T) -> T:
        """Remember a value as long as the array lives."""
        key = id(array)
        self._known[key] = (weakref.ref(array, lambda _: self._known.pop(key, None)), value)
        return value


@dataclass(frozen=True, eq=False)
class Split:
    """A table in two: its full columns, and the others.

    Parameters
    ----------
    full, other
        int64: positions of the columns.
    dense
        float32, shape (n, len(full)).
    sparse
        CSR float32, shape (n, len(other)).
    """

    full: np.ndarray
    other: np.ndarray
    dense: np.ndarray
    sparse: sp.csr_matrix

    @classmethod
    def of(cls, z: np.ndarray) -> Split | None:
        """Of a table that is large and mostly zero; None of any other."""
        if z.size < LARGE:
            return None
        share = filled(z)
        if share.mean() > EMPTY:
            return None
        full, other = np.flatnonzero(share > FULL), np.flatnonzero(share <= FULL)
        return cls(full, other, np.ascontiguousarray(z[:, full]), sp.csr_matrix(z[:, other]))

    def product(self, q: np.ndarray) -> np.ndarray:
        """``q Z'``: float32, shape (len(q), n)."""
        out = held_against(q[:, self.full], self.dense)
        self.add_other(q, out)
        return out

    def add_other(self, q: np.ndarray, out: np.ndarray) -> None:
        """Add what the columns beside the full ones say to products with those: float32, shape (len(q), n)."""
        said = q[:, self.other]
        if said.any():
            out += (self.sparse @ said.T).T

    def grown(self, new: np.ndarray) -> Split:
        """With rows appended."""
        dense = appended(self.dense, np.ascontiguousarray(new[:, self.full]))
        sparse = sp.vstack([self.sparse, sp.csr_matrix(new[:, self.other])], format="csr")
        return Split(self.full, self.other, dense, sparse)


@dataclass(eq=False)
class Buffer:
    """Memory with room for more rows; ``used`` of them are written."""

    data: np.ndarray
    used: int


_LOCK = threading.Lock()
_SPLITS: Attached[Split | bool] = Attached()
_BUFFERS: Attached[Buffer] = Attached()
_LENGTHS: Attached[np.ndarray] = Attached()
_GROWN: Attached[Attached[np.ndarray]] = Attached()
SCANS: Attached[object] = Attached()  # what else is known of the first rows of a table, and stays so while it grows


def split_of(z: np.ndarray) -> Split | None:
    """The table in two, found once; None where that gains nothing."""
    known = _SPLITS.get(z)
    if known is None:
        known = _SPLITS.put(z, Split.of(z) or False)
    return known if isinstance(known, Split) else None


def product(q: np.ndarray, z: np.ndarray) -> np.ndarray:
    """``q Z'``: scores of all items, float32, shape (len(q), n).

    Parameters
    ----------
    q
        float32, shape (n_queries, d).
    z
        float32, shape (n, d): item features, or whatever else is mostly zero; must not be written into.

    Examples
    --------
    >>> z = np.zeros((2000, 600), np.float32)
    >>> z[:, 0], z[7, 5] = 1.0, 3.0
    >>> product(np.ones((1, 600), np.float32), z)[0, [0, 7]].tolist(), split_of(z).full.tolist()
    ([1.0, 4.0], [0])
    """
    split = split_of(z)
    return held_against(q, z) if split is None else split.product(q)


def held_against(q: np.ndarray, z: np.ndarray) -> np.ndarray:
    """``q Z'`` of dense tables.

    For a few queries as ``(Z q')'``, which BLAS does in about half the time; for two or three a block of Z after
    another, so that it comes from memory once for all of them.
    """
    if 1 < len(q) <= BY_BLOCK and q.dtype == z.dtype:
        return block_by_block(q, z)
    if 1 < len(q) <= FEW:
        return np.ascontiguousarray((z @ q.T).T)
    found: np.ndarray = q @ z.T
    return found


def block_by_block(q: np.ndarray, z: np.ndarray) -> np.ndarray:
    """``q Z'``, so many rows of Z at a time as the processor keeps at hand.

    Examples
    --------
    >>> block_by_block(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[3.0, 4.0]])).tolist()
    [[3.0], [8.0]]
    """
    out, step = np.empty((len(q), len(z)), q.dtype), max(NEAR // max(z.shape[1], 1), 1)
    for at in range(0, len(z), step):
        block = z[at : at + step]
        for one, row in zip(q, out, strict=True):
            np.dot(block, one, out=row[at : at + step])
    return out


def lengths_of(z: np.ndarray) -> np.ndarray:
    """Length of each row, found once: float32, shape (n,)."""
    known = _LENGTHS.get(z)
    if known is None:
        squares = [np.einsum("ij,ij->i", part, part) for part in np.array_split(z, -(-len(z) // BLOCK) or 1)]
        known = _LENGTHS.put(z, np.sqrt(np.concatenate(squares)))
    return known


def projected(said: np.ndarray, z: np.ndarray) -> np.ndarray:
    """``Q Z'`` of several parts: float32, shape (parts, n_queries, n_items), for Q of shape (parts, n_queries, d)."""
    parts, queries, d = said.shape
    return product(said.reshape(parts * queries, d), z).reshape(parts, queries, len(z))


def widened(rows: np.ndarray, n: int) -> np.ndarray:
    """Rows with zeros for the items that came later: float32, shape (len(rows), n)."""
    if rows.shape[1] == n:
        return rows
    wide = np.zeros((len(rows), n), np.float32)
    wide[:, : rows.shape[1]] = rows
    return wide


def mapped(q: np.ndarray, w: np.ndarray) -> np.ndarray:
    """``q W``: the rows of a large W are read only where some q is not zero.

    Parameters
    ----------
    q
        float32, shape (n_queries, d); of a short history most is zero.
    w
        float32, shape (d, e).
    """
    said = np.flatnonzero(q.any(axis=0)) if w.size > LARGE else np.empty(0, np.int64)
    few = 0 < len(said) < EMPTY * len(w)
    found: np.ndarray = q[:, said] @ w[said] if few else q @ w
    return found


def read_off(z: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``Z b`` in double precision, a block of items at a time: float64, shape (n,) or (n, k), as b has one or two axes.

    Examples
    --------
    >>> read_off(np.array([[1.0, 2.0], [0.0, 1.0]], np.float32), np.array([1.0, 0.5])).tolist()
    [2.0, 0.5]
    """
    out = np.empty((len(z), *b.shape[1:]))
    for at in range(0, len(z), WIDE):
        out[at : at + WIDE] = z[at : at + WIDE].astype(np.float64) @ b
    return out


def centre_of(features: np.ndarray) -> np.ndarray:
    """Mean of each full column, zero for the others: float32, shape (d,); what few items have stays sparse.

    Examples
    --------
    >>> centre_of(np.array([[1.0, 0.0]] * 9 + [[1.0, 5.0]], np.float32)).tolist()
    [1.0, 0.0]
    """
    return np.where(filled(features) > FULL, features.mean(0), 0.0).astype(np.float32)


def filled(z: np.ndarray) -> np.ndarray:
    """Share of the entries of each column that are not zero: float64, shape (d,).

    Examples
    --------
    >>> filled(np.array([[1.0, 0.0], [2.0, 3.0]])).tolist()
    [1.0, 0.5]
    """
    share: np.ndarray = np.count_nonzero(z, axis=0) / max(len(z), 1)
    return share


def appended(z: np.ndarray, new: np.ndarray) -> np.ndarray:
    """A table with rows appended, read-only: copied the first time only, and once for all who append the same rows.

    Room is left for further rows, so that the next ones are written behind these; an older table goes on to see its own
    rows alone. Where two grow from one table, the second gets a copy.

    Parameters
    ----------
    z, new
        float32, shapes (n, d) and (m, d).

    Examples
    --------
    >>> a = appended(np.zeros((2, 1), np.float32), np.ones((1, 1), np.float32))
    >>> b = appended(a, np.full((1, 1), 2, np.float32))
    >>> a.ravel().tolist(), b.ravel().tolist(), a.base is b.base
    ([0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 2.0], True)
    """
    with _LOCK:
        grown = _GROWN.get(z) or _GROWN.put(z, Attached())
        if (known := grown.get(new)) is not None:
            return known
        n, m = len(z), len(new)
        buffer = _BUFFERS.get(z)
        if buffer is None or buffer.used != n or n + m > len(buffer.data):
            buffer = Buffer(np.empty((n + m + max(SPARE, n // 16), z.shape[1]), np.float32), n)
            buffer.data[:n] = z
        buffer.data[n : n + m] = new
        buffer.used = n + m
        table = buffer.data[: n + m]
        table.flags.writeable = False
        grown.put(new, table)
        _BUFFERS.put(table, buffer)
    if (scan := SCANS.get(z)) is not None:
        SCANS.put(table, scan)
    split = _SPLITS.get(z)
    if isinstance(split, Split):
        _SPLITS.put(table, split.grown(new))
    return table
