"""How well ratings are predicted: hidden ratings, the error on them, and what means alone would reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.holdout import check_share
from warmstart.data.interactions import Interactions
from warmstart.errors import DataError
from warmstart.evaluate.tasks import rating_errors

BOUNDS = ("rating", "low", "high")


class PredictsRatings(Protocol):
    """What an engine offers where there are ratings."""

    def predict_rating(self, users: Sequence[str], items: Sequence[str]) -> pl.DataFrame:
        """One row a pair, in order: ``rating``, and where known ``low`` and ``high``."""
        ...


@dataclass(frozen=True, eq=False)
class RatingSplit:
    """Fit on ``train``; predict the ratings of ``asked``."""

    train: Dataset
    asked: Interactions


def hold_out_ratings(data: Dataset, share: float = 0.2, seed: int = 0) -> RatingSplit:
    """Hide a random ``share`` of the rated events; the rest trains.

    Raises
    ------
    DataError
        If fewer than two events carry a rating.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from warmstart.data.example import example
    >>> x = example().interactions
    >>> rated = example().with_interactions(replace(x, rating=np.arange(12, dtype=np.float32)))
    >>> split = hold_out_ratings(rated, share=0.25)
    >>> len(split.train.interactions), len(split.asked)
    (9, 3)
    """
    check_share(share)
    x = data.interactions
    rated = np.flatnonzero(~np.isnan(x.rating))
    if len(rated) < 2:
        raise DataError(f"{len(rated)} events carry a rating; map a rating column when reading, or rank instead")
    hidden = np.zeros(len(x), bool)
    hidden[np.random.default_rng(seed).permutation(rated)[: max(1, round(share * len(rated)))]] = True
    return RatingSplit(data.with_interactions(x.select(~hidden)), x.select(hidden))


def evaluate_ratings(engine: PredictsRatings, split: RatingSplit) -> dict[str, dict[str, float]]:
    """RMSE and MAE of an engine fitted on ``split.train``, beside those of user and item means.

    Returns
    -------
    dict
        ``engine`` and ``means``, each with ``rmse``, ``mae`` (unit of the ratings) and ``predicted`` (share of the
        pairs that got a number); for the engine also ``inside``, the share of the ratings between ``low`` and ``high``.

    Raises
    ------
    DataError
        If the engine does not return one row a pair.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from warmstart.data.example import example
    >>> x = example().interactions
    >>> split = hold_out_ratings(example().with_interactions(replace(x, rating=np.full(12, 3, np.float32))))
    >>> class Three:
    ...     def predict_rating(self, users, items):
    ...         return pl.DataFrame({"rating": [3.0] * len(users)})
    >>> evaluate_ratings(Three(), split)["engine"]["rmse"]
    0.0
    """
    x = split.asked
    users, items = split.train.users.names(x.user.tolist()), split.train.catalog.items.names(x.item.tolist())
    table = engine.predict_rating(users=users, items=items)
    if table.height != len(x):
        raise DataError(f"the engine returned {table.height} ratings for {len(x)} pairs; one a pair is needed")
    columns = {c: table[c].cast(pl.Float64).fill_null(float("nan")).to_numpy() for c in table.columns if c in BOUNDS}
    found = rating_errors(x.rating, columns["rating"])
    if "low" in columns and "high" in columns:
        found["inside"] = float(((x.rating >= columns["low"]) & (x.rating <= columns["high"])).mean())
    means = mean_ratings(split.train.interactions, x.user, x.item)
    return {"engine": found, "means": rating_errors(x.rating, means)}


def mean_ratings(x: Interactions, user: np.ndarray, item: np.ndarray, damping: float = 5.0) -> np.ndarray:
    """Overall mean plus damped deviations of the item and then of the user: float64, shape (n_pairs,).

    ``b_i = sum (r - m) / (n_i + damping)``, ``b_u = sum (r - m - b_i) / (n_u + damping)``.

    Examples
    --------
    >>> x = Interactions.of(np.array([0, 1]), np.array([0, 1]), 2, 2, rating=np.array([2.0, 4.0]))
    >>> mean_ratings(x, np.array([0, 1]), np.array([1, 0]), damping=1.0).tolist()
    [3.25, 2.75]
    """
    rated = x.select(~np.isnan(x.rating))
    left = rated.rating.astype(np.float64)
    overall = left.mean()
    left = left - overall
    of_item = np.bincount(rated.item, left, x.n_items) / (np.bincount(rated.item, minlength=x.n_items) + damping)
    left = left - of_item[rated.item]
    of_user = np.bincount(rated.user, left, x.n_users) / (np.bincount(rated.user, minlength=x.n_users) + damping)
    predicted: np.ndarray = overall + of_item[item] + of_user[user]
    return predicted
