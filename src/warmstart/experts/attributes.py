"""User attributes: what people of the same age, place or trade take; the prior mean of a short history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories

MANY = 100  # values of a text column beyond which only first characters are told apart


@dataclass(frozen=True)
class AttributeEncoder:
    """One-hot of frequent values, and bins of numeric columns; the first column is the constant.

    Parameters
    ----------
    columns
        Names of the columns used.
    levels
        Per column: the values kept; empty where the column is numeric.
    edges
        Per column: where bins begin; empty where the column is text.
    short
        Per column: whether values are told apart by their first character only (zip codes).

    Examples
    --------
    >>> table = pl.DataFrame({"sex": ["f", "m", "f", None]})
    >>> AttributeEncoder.fit(table, min_count=1).encode(table).tolist()
    [[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[float, ...], ...]
    short: tuple[bool, ...]

    @classmethod
    def fit(cls, table: pl.DataFrame, min_count: int = 5, bins: int = 6) -> AttributeEncoder:
        """Numeric columns with many values are cut at quantiles; texts keep values met ``min_count`` times."""
        kept = []
        for name in table.columns:
            edges = bin_edges(table[name], bins)
            short = not edges and table[name].n_unique() > MANY
            levels = () if edges else frequent_values(as_text(table[name], short), min_count)
            if edges or levels:
                kept.append((name, levels, edges, short))
        return cls(
            tuple(k[0] for k in kept), tuple(k[1] for k in kept), tuple(k[2] for k in kept), tuple(k[3] for k in kept)
        )

    def encode(self, table: pl.DataFrame) -> np.ndarray:
        """float32, shape (n, dim); nulls, values never met and missing columns are zero; the constant is always 1."""
        blocks = [np.ones((table.height, 1), np.float32)]
        for name, levels, edges, short in zip(self.columns, self.levels, self.edges, self.short, strict=True):
            if name not in table.columns:
                blocks.append(np.zeros((table.height, len(levels) or len(edges) + 1), np.float32))
            elif levels:
                values = as_text(table[name], short).to_numpy().astype(object)
                blocks.append((values[:, None] == np.array(levels, dtype=object)).astype(np.float32))
            else:
                number = table[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
                hot = np.eye(len(edges) + 1, dtype=np.float32)[np.digitize(np.nan_to_num(number), edges)]
                blocks.append(hot * ~np.isnan(number)[:, None])
        return np.hstack(blocks)


def bin_edges(values: pl.Series, bins: int) -> tuple[float, ...]:
    """Quantiles that cut a numeric column with more than ``2 bins`` values; else nothing.

    Examples
    --------
    >>> bin_edges(pl.Series(range(9)), bins=2), bin_edges(pl.Series([1, 2, 1]), bins=2)
    ((4.0,), ())
    """
    if not values.dtype.is_numeric():
        return ()
    number = values.cast(pl.Float64).drop_nulls().to_numpy()
    number = number[np.isfinite(number)]
    if len(np.unique(number)) <= 2 * bins:
        return ()
    cuts = np.quantile(number, np.linspace(0, 1, bins + 1)[1:-1])
    return tuple(np.unique(cuts).tolist())


def frequent_values(text: pl.Series, min_count: int, most: int = 64) -> tuple[str, ...]:
    """Values met at least ``min_count`` times, the ``most`` frequent, in the order of the alphabet.

    Examples
    --------
    >>> frequent_values(pl.Series(["b", "a", "b", None, "a", "c"]), min_count=2)
    ('a', 'b')
    """
    counts = Counter(text.drop_nulls().to_list())
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:most]
    return tuple(sorted(value for value, count in ranked if count >= min_count))


def as_text(values: pl.Series, short: bool) -> pl.Series:
    """Values as text, or only its first character.

    Examples
    --------
    >>> as_text(pl.Series([94110, None]), short=True).to_list()
    ['9', None]
    """
    text = values.cast(pl.String)
    return text.str.slice(0, 1) if short else text


@dataclass(frozen=True)
class UserAttributes:
    """Ridge from user attributes to what users take.

    ``W = (A'A + ridge I)^-1 A' (X - mean)`` with ``X`` the histories (0 or 1), then
    ``score = log(mean + a W)``, clipped at a tenth of the mean; attributes unknown = the mean.

    Parameters
    ----------
    ridge
        In users: how many users of a kind weigh as much as the mean.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> data = clusters(seed=0)
    >>> scores = UserAttributes().fit(data).score(data.histories(np.array([0])))
    >>> int(np.argmax(scores[0])) % 4  # users of an age share a theme
    0
    """

    ridge: float = 30.0

    def fit(self, data: Dataset) -> FittedUserAttributes | None:
        """Learn from users with events; None where there is no table of users."""
        if data.user_table is None or not data.user_table.width:
            return None
        x = data.interactions.matrix()
        length = np.diff(x.indptr)
        met = np.flatnonzero(length > 0)
        if not len(met):
            return None
        encoder = AttributeEncoder.fit(data.user_table)
        a = encoder.encode(data.user_table)[met]
        share = x[met]
        mean = np.asarray(share.mean(0)).ravel() + 1e-6
        centre = a[:, 1:].mean(0)
        centred = a[:, 1:] - centre
        left = centred.T @ centred + self.ridge * np.eye(centred.shape[1])
        w = np.linalg.solve(left, np.asarray((share.T @ centred).T)).astype(np.float32)
        return FittedUserAttributes(**vars(encoder), centre=centre, w=w, mean=mean.astype(np.float32))


@dataclass(frozen=True)
class FittedUserAttributes:
    """Map from attributes to scores of items; the first four fields are those of ``AttributeEncoder``."""

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[float, ...], ...]
    short: tuple[bool, ...]
    centre: np.ndarray
    w: np.ndarray
    mean: np.ndarray

    def score(self, histories: Histories) -> np.ndarray:
        """Scores: float32, shape (n_queries, n_items); NaN where no attribute is known."""
        out = np.full((len(histories), len(self.mean)), np.nan, np.float32)
        table = histories.attributes
        if table is None:
            return out
        a = AttributeEncoder(self.columns, self.levels, self.edges, self.short).encode(table)[:, 1:]
        known = a.any(1)
        out[known] = np.log(np.maximum(self.mean + (a[known] - self.centre) @ self.w, 0.1 * self.mean))
        return out

    def grow(self, features: np.ndarray) -> Self:
        """New items stand at the lowest mean: attributes say nothing of them."""
        m = len(features)
        return replace(
            self,
            w=np.hstack([self.w, np.zeros((self.w.shape[0], m), np.float32)]),
            mean=np.append(self.mean, np.full(m, self.mean.min(), np.float32)),
        )
