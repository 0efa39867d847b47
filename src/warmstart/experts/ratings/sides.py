"""What a rating depends on, as blocks of sparse features: of the person and of the item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.experts.features import attribute_tokens, year_column
from warmstart.experts.people_table import AttributeEncoder
from warmstart.experts.ratings.rated import Rated

EDGES = np.arange(-1.5, 1.6, 0.5)  # of bins of numbers, in units of their spread


@dataclass(frozen=True)
class PeopleFacts:
    """Attributes of people as one-hot columns, a group of columns for each attribute.

    Parameters
    ----------
    encoder
        How a table becomes numbers and codes.
    widths
        Columns of each group: numbers first (bins of half a spread), then kinds.
    """

    encoder: AttributeEncoder
    widths: tuple[int, ...]

    @classmethod
    def fit(cls, table: pl.DataFrame | None) -> PeopleFacts:
        """Learn the values of a table of users; no groups without one."""
        encoder = AttributeEncoder.fit(pl.DataFrame() if table is None else table)
        levels = tuple(len(kept) for kept in encoder.levels)
        return cls(encoder, (len(EDGES) + 1,) * len(encoder.numbers) + levels)

    def rows(self, table: pl.DataFrame | None, n: int) -> sp.csr_matrix:
        """One-hot rows: float64 CSR, shape (n, sum(widths)); a group is empty where nothing is known."""
        if table is None or not self.widths:
            return sp.csr_matrix((n, sum(self.widths)))
        number, code = self.encoder.encode(table)
        bins = np.where(np.isnan(number), -1, np.digitize(number, EDGES))
        return one_hot(np.hstack([bins, code]), self.widths)


def one_hot(codes: np.ndarray, widths: tuple[int, ...]) -> sp.csr_matrix:
    """Codes of several groups side by side: float64 CSR, shape (n, sum(widths)); -1 = none.

    Examples
    --------
    >>> one_hot(np.array([[1, 0], [-1, 2]]), (2, 3)).toarray().tolist()
    [[0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
    """
    offset = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(np.int64)
    row, group = np.nonzero(codes >= 0)
    column = codes[row, group] + offset[group]
    return sp.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(codes), sum(widths)))


def item_facts(data: Dataset, min_count: int = 3) -> list[sp.csr_matrix]:
    """A block for each attribute of the catalogue, rows of length 1, and one of years: float64 CSR, (n_items, width).

    Values on fewer than ``min_count`` items are left out, and so is a column of which nothing is left, or more values
    than one for every eight items: so many weights tell apart what the weight of the item already does.
    """
    table, blocks = data.catalog.table, []
    for name in table.columns:
        rows = attribute_tokens(table.select("item_id", name)) if name != "item_id" else []
        if any(rows):
            blocks.append(tokens_block(rows, min_count))
    years = year_column(table)
    if not np.isnan(years).all():
        decade = np.where(years < 1980, years // 10 * 10, years)
        blocks.append(tokens_block([[] if np.isnan(y) else [str(int(y))] for y in decade], min_count))
    return [block for block in blocks if 1 < block.shape[1] <= max(data.n_items / 8, 8)]


def tokens_block(rows: list[list[str]], min_count: int) -> sp.csr_matrix:
    """Tokens as multi-hot rows of length 1: float64 CSR.

    Examples
    --------
    >>> tokens_block([["a", "b"], ["a"], ["c"], []], min_count=1).toarray().round(2).tolist()
    [[0.71, 0.71, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    sets = [set(row) for row in rows]
    count: dict[str, int] = {}
    for token in sorted(token for row in sets for token in row):
        count[token] = count.get(token, 0) + 1
    place = {token: at for at, token in enumerate(t for t, n in count.items() if n >= min_count)}
    row, column = [], []
    for at, held in enumerate(sets):
        known = [place[t] for t in held if t in place]
        row += [at] * len(known)
        column += known
    return even(sp.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(rows), len(place))))


def even(block: sp.csr_matrix) -> sp.csr_matrix:
    """Rows divided by the root of their number of entries; empty rows stay empty.

    Examples
    --------
    >>> even(sp.csr_matrix([[1.0, 1, 1, 1], [0, 1, 0, 0]])).toarray().tolist()
    [[0.5, 0.5, 0.5, 0.5], [0.0, 1.0, 0.0, 0.0]]
    """
    n = np.diff(block.indptr)
    return sp.csr_matrix(sp.diags(1.0 / np.sqrt(np.maximum(n, 1))) @ block)


def described(data: Dataset, dim: int) -> list[sp.csr_matrix]:
    """The leading ``dim`` directions of the item features, at mean square 1: one CSR (n_items, dim), or none."""
    if data.features is None or not dim:
        return []
    z = data.features - data.features.mean(0)
    _, axes = np.linalg.eigh(z.T.astype(np.float64) @ z)
    rows = z @ axes[:, ::-1][:, :dim]
    return [sp.csr_matrix(rows / max(float(np.sqrt((rows**2).mean())), 1e-9))]


def how_often(rated: Rated) -> sp.csr_matrix:
    """``log(1 + n)`` of the ratings of each item, at mean square 1: CSR, shape (n_items, 1)."""
    logs = np.log1p(np.bincount(rated.item, minlength=rated.n_items).astype(np.float64))
    return sp.csr_matrix(logs[:, None] / max(float(np.sqrt((logs**2).mean())), 1e-9))


def taken_by(rated: Rated) -> sp.csr_matrix:
    """Who rated what, ones: float64 CSR, shape (n_users, n_items)."""
    ones = np.ones(len(rated.item))
    return sp.csr_matrix((ones, (rated.user, rated.item)), shape=(rated.n_users, rated.n_items))
