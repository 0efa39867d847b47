"""Tokens of items (attributes, facts) as dense vectors: weights of tokens, then leading directions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp

from warmstart.text.whiten import unit_rows


@dataclass(frozen=True)
class TokenMap:
    """Tokens to a dense vector: weighted multi-hot rows of unit length, then right singular vectors of the catalogue's.

    Parameters
    ----------
    tokens
        Token -> column.
    idf
        float32, shape (n_tokens,): weight of each, ``log(n_items / n_t) + 1``.
    basis
        float32, shape (n_tokens, dim).
    whole
        Whether vectors are brought to length 1 again; if not, their length is the share of the tokens that the
        directions hold: an item with few usual ones is short.
    """

    tokens: dict[str, int]
    idf: np.ndarray
    basis: np.ndarray
    whole: bool = True

    @classmethod
    def fit(cls, rows: list[list[str]], dim: int, min_count: int, max_share: float, whole: bool = True) -> Self:
        """Learn weights and directions from one list of tokens an item.

        Parameters
        ----------
        min_count, max_share
            Tokens on fewer items than the one, or on a larger share of them than the other, are left out.
        """
        count = Counter(t for row in rows for t in set(row))
        top = max_share * max(len(rows), 1)
        tokens = {
            t: i for i, t in enumerate(sorted(t for t, c in count.items() if min_count <= c <= max(top, min_count)))
        }
        idf = np.array([np.log(len(rows) / count[t]) + 1.0 for t in tokens], dtype=np.float32)
        empty = cls(tokens, idf, np.empty((len(tokens), 0), np.float32), whole)
        if not tokens or not dim:
            return empty
        basis = directions_of(empty.sparse(rows), dim)
        return cls(tokens, idf, basis, whole)

    def sparse(self, rows: list[list[str]]) -> sp.csr_matrix:
        """Weighted multi-hot rows of unit length; unknown tokens are left out."""
        ptr, at = [0], []
        for row in rows:
            at.extend(sorted({self.tokens[t] for t in row if t in self.tokens}))
            ptr.append(len(at))
        index = np.array(at, dtype=np.int64)
        a = sp.csr_matrix(
            (self.idf[index] if len(index) else np.empty(0, np.float32), index, ptr),
            shape=(len(rows), len(self.tokens)),
            dtype=np.float32,
        )
        norm = np.sqrt(np.asarray(a.multiply(a).sum(1)).ravel())
        return sp.csr_matrix(sp.diags(1.0 / np.maximum(norm, 1e-9)) @ a, dtype=np.float32)

    def apply(self, rows: list[list[str]]) -> np.ndarray:
        """Rows of length 1, or at most 1: float32 (n, dim); zero where no token is known."""
        found = np.asarray(self.sparse(rows) @ self.basis, dtype=np.float32)
        return unit_rows(found) if self.whole else found

    def parts(self, row: list[str]) -> tuple[list[str], np.ndarray]:
        """Known tokens of one item, and what each adds to its vector: float64, shape (n_known, dim)."""
        known, names = self.sparse([row]), list(self.tokens)
        length = max(float(np.linalg.norm(known @ self.basis)), 1e-9) if self.whole else 1.0
        return [names[c] for c in known.indices], known.data[:, None] * self.basis[known.indices] / length


def directions_of(a: sp.csr_matrix, dim: int) -> np.ndarray:
    """Leading right singular vectors: float32, shape (n_columns, at most dim); all where the table is small."""
    k = min(dim, a.shape[1], max(int((np.diff(a.indptr) > 0).sum()), 1))
    if k >= min(a.shape):
        _, s, vt = np.linalg.svd(a.toarray(), full_matrices=False)
        vt = vt[: min(k, int((s > 1e-6).sum()))]
    else:
        from sklearn.utils.extmath import randomized_svd

        _, _, vt = randomized_svd(a, k, n_iter=4, random_state=0)
    return np.ascontiguousarray(vt.T, dtype=np.float32)
