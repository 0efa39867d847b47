"""Columns of a table as indicators, for systems that take attributes of users and items; needs scipy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

LEAST, BINS = 5, 5


def indicators(table: pa.Table) -> sp.csr_matrix:
    """Ones for values: float32 CSR, shape (n_rows, n_values).

    A text column is split at ``|``; values that fewer than ``LEAST`` rows share are left out, and so are free texts. A
    column of numbers is cut into ``BINS`` parts of equal size. The first column (the id) is none of them.
    """
    rows: list[int] = []
    values: list[str] = []
    for name in table.column_names[1:]:
        for row, value in tokens(table[name]):
            rows.append(row)
            values.append(f"{name}={value}")
    _, place, counts = np.unique(np.array(values, str), return_inverse=True, return_counts=True)
    kept = counts[place] >= LEAST
    column = np.cumsum(counts >= LEAST) - 1
    where = (np.array(rows, np.int64)[kept], column[place[kept]])
    shape = (table.num_rows, int((counts >= LEAST).sum()))
    made = sp.csr_matrix((np.ones(len(where[0]), np.float32), where), shape=shape)
    made.data[:] = 1.0
    return made


def tokens(column: pa.ChunkedArray) -> Iterator[tuple[int, str]]:
    """Row and value of all that a column says."""
    told = column.to_pylist()
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers = np.array([np.nan if v is None else v for v in told], float)
        known = ~np.isnan(numbers)
        edges = (
            np.unique(np.quantile(numbers[known], np.linspace(0, 1, BINS + 1)[1:-1])) if known.any() else np.empty(0)
        )
        yield from (
            (int(r), str(b)) for r, b in zip(np.flatnonzero(known), np.digitize(numbers[known], edges), strict=True)
        )
        return
    for row, value in enumerate(told):
        parts = value if isinstance(value, list) else str(value).split("|") if value is not None else []
        yield from ((row, str(part).strip()) for part in parts if str(part).strip())


def identity(kept: np.ndarray) -> sp.csr_matrix:
    """An indicator of its own for each row that is kept, none for the others: shape (n, n)."""
    return sp.diags(kept.astype(np.float32)).tocsr()
