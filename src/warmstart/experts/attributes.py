"""User attributes: what people of the same age, place or trade take; the prior mean of a short history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories


@dataclass(frozen=True)
class AttributeEncoder:
    """One-hot of frequent values, and bumps over numeric columns; the first column is the constant."""

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[float, ...], ...]

    @classmethod
    def fit(cls, table: pl.DataFrame, min_count: int = 5, bins: int = 6) -> AttributeEncoder:
        """Numeric columns with many values are cut at quantiles; texts keep values met ``min_count`` times."""
        columns, levels, edges = [], [], []
        for name in table.columns:
            values = table[name].drop_nulls()
            number = values.cast(pl.Float64, strict=False)
            if values.dtype.is_numeric() and number.n_unique() > 2 * bins:
                cuts = np.unique(np.quantile(number.to_numpy(), np.linspace(0, 1, bins + 1)[1:-1]))
                columns.append(name), levels.append(()), edges.append(tuple(float(c) for c in cuts))
                continue
            counts = shorten(values).value_counts(sort=True)
            frequent = counts.filter(pl.col("count") >= min_count)[counts.columns[0]].to_list()[:64]
            if frequent:
                columns.append(name), levels.append(tuple(sorted(frequent))), edges.append(())
        return cls(tuple(columns), tuple(levels), tuple(edges))

    def encode(self, table: pl.DataFrame) -> np.ndarray:
        """float32, shape (n, dim); a row of nulls is zero but for the constant."""
        blocks = [np.ones((table.height, 1), np.float32)]
        for name, levels, edges in zip(self.columns, self.levels, self.edges, strict=True):
            if levels:
                values = shorten(table[name]).to_numpy().astype(object)
                blocks.append(np.array([[v == level for level in levels] for v in values], np.float32).reshape(-1, len(levels)))
            else:
                number = table[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
                hot = np.eye(len(edges) + 1, dtype=np.float32)[np.digitize(np.nan_to_num(number), edges)]
                blocks.append(hot * ~np.isnan(number)[:, None])
        return np.hstack(blocks)


def shorten(values: pl.Series) -> pl.Series:
    """Values as text; codes with many values (zip codes) keep their first character."""
    text = values.cast(pl.String)
    if text.n_unique() > 100:
        text = text.str.slice(0, 1)
    return text


@dataclass(frozen=True)
class UserAttributes:
    """Ridge from user attributes to what users take.

    ``W = (A'A + ridge I)^-1 A' (X_n - mean)`` with ``X_n`` the histories at unit sum, then
    ``score = log(mean + a W)``, clipped at a tenth of the mean; attributes unknown = the mean.

    Parameters
    ----------
    ridge
        In users: how many users of a kind weigh as much as the mean.
    """

    ridge: float = 30.0

    def fit(self, data: Dataset) -> FittedUserAttributes | None:
        """Learn from users with events; None where there is no table of users."""
        if data.user_table is None or not data.user_table.width:
            return None
        x = data.interactions.matrix()
        length = np.diff(x.indptr)
        met = np.flatnonzero(length > 0)
        encoder = AttributeEncoder.fit(data.user_table)
        a = encoder.encode(data.user_table)[met]
        share = x[met].multiply(1.0 / np.sqrt(length[met])[:, None]).tocsr()
        mean = np.asarray(share.mean(0)).ravel() + 1e-6
        centred = a[:, 1:] - a[:, 1:].mean(0)
        left = centred.T @ centred + self.ridge * np.eye(centred.shape[1])
        w = np.linalg.solve(left, np.asarray((share.T @ centred).T))
        return FittedUserAttributes(
            encoder.columns, encoder.levels, encoder.edges, a[:, 1:].mean(0), w.astype(np.float32), mean.astype(np.float32)
        )


@dataclass(frozen=True)
class FittedUserAttributes:
    """Map from attributes to scores of items."""

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[float, ...], ...]
    centre: np.ndarray
    w: np.ndarray
    mean: np.ndarray

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN where no attribute is known."""
        out = np.full((len(histories), len(self.mean)), np.nan, np.float32)
        table = histories.attributes
        if table is None:
            return out
        a = AttributeEncoder(self.columns, self.levels, self.edges).encode(table)[:, 1:]
        known = a.any(1)
        out[known] = np.log(np.maximum(self.mean + (a[known] - self.centre) @ self.w, 0.1 * self.mean))
        return out

    def grow(self, features: np.ndarray) -> Self:
        """New items stand at the lowest mean: attributes say nothing of them."""
        m = len(features)
        return replace(self, w=np.hstack([self.w, np.zeros((self.w.shape[0], m), np.float32)]),
                       mean=np.append(self.mean, np.full(m, self.mean.min(), np.float32)))
