"""Candidates in the order of the ratings that are predicted for them, or of both relevance and rating."""

from __future__ import annotations

import numpy as np

from warmstart.data.histories import Histories
from warmstart.errors import NotFitted
from warmstart.experts.ratings.model import FittedRatings

LACKING = "this engine predicts no ratings; fit it with a table [ratings] in its recipe, or --ratings"
WEIGHT = 0.5  # of the rating beside relevance, both standardised


def by_rating(
    ratings: FittedRatings | None, h: Histories, item: np.ndarray, score: np.ndarray, lead: np.ndarray, *, alone: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidates of each query by predicted rating, highest first; of equal ones the order stays.

    With s the relevance and r the rating of a candidate, both standardised over the candidates of the query, the sort
    key is ``s + r / 2``, or the rating ``alone``.

    Parameters
    ----------
    h
        Histories with the ratings that are known; without any, the rating is that of somebody new.
    item, score, lead
        int32, float64 and int64, shape (n_queries, m): candidates in order of relevance, how relevant they are, and
        what goes with each; -1 = none.

    Returns
    -------
    tuple
        item; the sort key, float64 (alone: in the unit of the ratings), minus infinity where there is no item; lead.
        All of shape (n_queries, m).

    Raises
    ------
    NotFitted
        If there is nothing that predicts ratings.
    """
    if ratings is None:
        raise NotFitted(LACKING)
    rating = np.full(item.shape, -np.inf)
    query, at = np.nonzero(item >= 0)
    rating[query, at] = ratings.predict(h, query, item[query, at])[0]
    key = rating if alone else standard(score, item >= 0) + WEIGHT * standard(rating, item >= 0)
    order = np.argsort(-key, axis=1, kind="stable")
    item, key, lead = (np.take_along_axis(a, order, axis=1) for a in (item, key, lead))
    return item, key, lead


def standard(value: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Rows with mean 0 and deviation 1 over what is known, minus infinity elsewhere; zeros where all are alike.

    Examples
    --------
    >>> standard(np.array([[5.0, 3.0, 9.0]]), np.array([[True, True, False]])).tolist()
    [[1.0, -1.0, -inf]]
    """
    count = np.maximum(known.sum(1, keepdims=True), 1)
    off = np.where(known, value, 0.0)
    off = np.where(known, off - off.sum(1, keepdims=True) / count, 0.0)
    spread = np.sqrt((off**2).sum(1, keepdims=True) / count)
    return np.where(known, off / np.where(spread > 1e-12, spread, 1.0), -np.inf)
