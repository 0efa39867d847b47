"""Tastes as they are used: what a history says of a person's taste, and that of items, old or new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.histories import Histories
from warmstart.experts.ratings.liking import Directions, regressors
from warmstart.experts.ratings.rated import Known, check_pairs
from warmstart.experts.ratings.sides import PeopleFacts

PEOPLE = 20_000  # histories, or ratings, that are looked at at once


class Taste(NamedTuple):
    """Of each person the mean (n, d) and the covariance (n, d, d)."""

    mean: np.ndarray
    covariance: np.ndarray

    def of(self, rows: np.ndarray, item: np.ndarray, person: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of ``x t`` of each pair of a row x of ``rows`` and a person: float64, (n_pairs,) both."""
        mean, variance = np.empty(len(item)), np.empty(len(item))
        for start in range(0, len(item), PEOPLE):
            part = slice(start, start + PEOPLE)
            x, who = rows[item[part]], person[part]
            mean[part] = (x * self.mean[who]).sum(1)
            variance[part] = ((x[:, None] @ self.covariance[who])[:, 0] * x).sum(1)
        return mean, variance


@dataclass(frozen=True, eq=False)
class TastePrior:
    """Where tastes come from.

    Parameters
    ----------
    covariance
        float64, shape (d, d): S.
    by_attribute
        float64, shape (n_attributes, d): G.
    noise
        Variance of a rating beside it.
    """

    covariance: np.ndarray
    by_attribute: np.ndarray
    noise: float

    def given(self, left: sp.csr_matrix, rows: np.ndarray, attributes: np.ndarray) -> Taste:
        """Tastes by ratings: ``C = (S^-1 + X'X / noise)^-1``, ``m = C (S^-1 G'd + X' left / noise)``.

        Parameters
        ----------
        left
            What items leave of the ratings, CSR (n_people, n_items); a stored 0 counts.
        rows
            x of each item, (n_items, d).
        attributes
            d of each person, (n_people, n_attributes).

        Examples
        --------
        >>> prior = TastePrior(np.eye(1), np.zeros((0, 1)), noise=1.0)
        >>> taste = prior.given(sp.csr_matrix([[2.0, 1.0]]), np.ones((2, 1)), np.zeros((1, 0)))
        >>> taste.mean.tolist(), taste.covariance.round(2).tolist()
        ([[1.0]], [[[0.33]]])
        """
        used, at = np.unique(left.indices, return_inverse=True)
        ones = sp.csr_matrix((np.ones(len(at)), at, left.indptr), (left.shape[0], len(used)))
        x = rows[used]
        gram = np.stack([ones @ (x * x[:, [a]]) for a in range(rows.shape[1])], axis=1)
        precision = np.linalg.inv(self.covariance)
        covariance = np.linalg.inv(precision + gram / self.noise)
        right = (left @ rows) / self.noise + attributes @ self.by_attribute @ precision
        return Taste((covariance @ right[..., None])[..., 0], covariance)

    def times(self, unit: float) -> Self:
        """In another unit of the ratings."""
        return type(self)(self.covariance * unit**2, self.by_attribute * unit, self.noise * unit**2)


@dataclass(frozen=True, eq=False)
class Attributes:
    """Attributes of people as columns of mean 0, and 0 where one is not known.

    Parameters
    ----------
    facts
        How a table becomes one-hot columns.
    share
        float64, shape (n_columns,): of the people whose attribute is known, those who have this value.
    """

    facts: PeopleFacts
    share: np.ndarray

    @classmethod
    def fit(cls, table: pl.DataFrame | None) -> Self:
        """Learn the values of a table of users; no columns without one."""
        facts = PeopleFacts.fit(table)
        found = facts.rows(table, 0 if table is None else table.height).toarray()
        one = cls(facts, np.zeros(found.shape[1]))
        return replace(one, share=found.sum(0) / np.maximum(one._known(found).sum(0), 1.0))

    def rows(self, table: pl.DataFrame | None, n: int) -> np.ndarray:
        """Float64, shape (n, n_columns)."""
        found = self.facts.rows(table, n).toarray()
        return np.asarray(found - self._known(found) * self.share)

    def _known(self, found: np.ndarray) -> np.ndarray:
        """Of each column, 1 where the attribute it belongs to is known."""
        group = np.repeat(np.arange(len(self.facts.widths)), self.facts.widths)
        return np.asarray(found @ (group[:, None] == group))


@dataclass(frozen=True, eq=False)
class FittedTastes:
    """What items are worth, and where tastes come from; nothing in it refers to a single person.

    Parameters
    ----------
    directions, attributes
        How features of items and attributes of people are read.
    prior
        Where tastes come from.
    item, variance
        float64, shape (n_items,): a of each item in the unit of the ratings, and how unsure that is.
    rows
        float64, shape (n_items, d): x of each item.
    weights
        float64, shape (3 + k,): b.
    """

    directions: Directions
    attributes: Attributes
    prior: TastePrior
    item: np.ndarray
    variance: np.ndarray
    rows: np.ndarray
    weights: np.ndarray

    def predict(self, histories: Histories, query: np.ndarray, item: np.ndarray) -> np.ndarray:
        """``a_i + x_i m_u``: float64, shape (n_pairs,), never NaN; not clipped to a scale."""
        return self.distribution(histories, query, item)[0]

    def distribution(self, histories: Histories, query: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of the rating of each pair: float64, shape (n_pairs,) both.

        Raises
        ------
        DataError
            If a row or an item code is not there.
        """
        query, item = check_pairs(histories, query, item)
        known, n = Known.of(histories), len(self.item)
        left = known.matrix(known.value - self.item[known.item], n)
        attributes = self.attributes.rows(histories.attributes, len(histories))
        mean, variance = self.item[item], self.variance[item] + self.prior.noise
        for start in range(0, len(histories), PEOPLE):
            part = slice(start, start + PEOPLE)
            at = np.flatnonzero((query >= start) & (query < start + PEOPLE))
            taste = self.prior.given(left[part], self.rows, attributes[part])
            own, unsure = taste.of(self.rows, item[at], query[at] - start)
            mean[at] += own
            variance[at] += unsure
        return mean, variance

    def grow(self, features: np.ndarray) -> Self:
        """With new items, of which only the features are known: float32, shape (n_new, dim)."""
        n = len(features)
        z = self.directions.of(features, n)
        item = regressors(np.zeros(n, np.int64), z) @ self.weights
        rows = np.column_stack([np.ones(n), z[:, : self.rows.shape[1] - 1]])
        unsure = np.full(n, self.variance.max(initial=0.0))
        return replace(
            self,
            item=np.append(self.item, item),
            variance=np.append(self.variance, unsure),
            rows=np.vstack([self.rows, rows]),
        )
