"""Sparse tables of eight bits: entries are whole multiples of their row's scale."""

from __future__ import annotations

from typing import Self

import numpy as np
import scipy.sparse as sp

STEPS = 127  # either side of zero


class EightBits(sp.csr_matrix):  # type: ignore[misc,unused-ignore]
    """A CSR table, float32, each of whose entries is a whole multiple, -127 to 127, of its row's scale.

    It is counted with like any other; a folder keeps one byte an entry of it. What comes out of arithmetic with it goes
    by the same class in scipy, though its entries are such multiples no more: only what ``of`` made is to be kept.
    """

    @classmethod
    def of(cls, rows: sp.csr_matrix) -> Self:
        """Each entry rounded to the nearest multiple of ``max / 127``, of its row.

        Examples
        --------
        >>> EightBits.of(sp.csr_matrix([[127.0, -3.4], [0.0, 2.0]])).toarray().tolist()
        [[127.0, -3.0], [0.0, 2.0]]
        """
        scales, steps = in_steps(rows)
        return cls(from_steps(scales, steps, rows.indptr, rows.indices), shape=rows.shape)


def in_steps(rows: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Scale of each row, float32 (n,), and each entry in steps of it, int8 (nnz,).

    Examples
    --------
    >>> [part.tolist() for part in in_steps(sp.csr_matrix([[254.0, -4.0], [0.0, 0.0]]))]
    [[2.0, 0.0], [127, -2]]
    """
    many, largest = np.diff(rows.indptr), np.zeros(rows.shape[0], np.float32)
    np.maximum.at(largest, np.repeat(np.arange(len(many)), many), np.abs(rows.data))
    scales = largest / np.float32(STEPS)
    steps = np.round(rows.data / np.maximum(np.repeat(scales, many), np.finfo(np.float32).tiny))
    return scales, steps.astype(np.int8)


def from_steps(
    scales: np.ndarray, steps: np.ndarray, indptr: np.ndarray, indices: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries, columns and ends of rows, as a CSR table takes them."""
    return steps * np.repeat(scales, np.diff(indptr)), indices.astype(np.int32), indptr
