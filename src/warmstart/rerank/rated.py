"""Candidates in the order of the ratings that are predicted for them."""

from __future__ import annotations

import numpy as np

from warmstart.data.histories import Histories
from warmstart.errors import NotFitted
from warmstart.experts.ratings.model import FittedRatings

LACKING = "this engine predicts no ratings; fit it with a table [ratings] in its recipe, or --ratings"


def by_rating(
    ratings: FittedRatings | None, h: Histories, item: np.ndarray, lead: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidates of each query, the one with the highest predicted rating first; of equal ones the order stays.

    Parameters
    ----------
    h
        Histories with the ratings that are known; without any, the rating is that of somebody new.
    item, lead
        int32 and int64, shape (n_queries, m): candidates in order of relevance, and what goes with each; -1 = none.

    Returns
    -------
    tuple
        item; its rating, float64, in the unit of the ratings, minus infinity where there is no item; lead. All of
        shape (n_queries, m).

    Raises
    ------
    NotFitted
        If there is nothing that predicts ratings.
    """
    if ratings is None:
        raise NotFitted(LACKING)
    score = np.full(item.shape, -np.inf)
    query, at = np.nonzero(item >= 0)
    score[query, at] = ratings.predict(h, query, item[query, at])[0]
    order = np.argsort(-score, axis=1, kind="stable")
    item, score, lead = (np.take_along_axis(a, order, axis=1) for a in (item, score, lead))
    return item, score, lead
