"""Columns that may tell the future: outcomes counted over all time, dates that events contradict."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from warmstart.data.interactions import NO_TIME, Interactions
from warmstart.data.times import read_times

OUTCOME = re.compile(
    r"(^|_)(n|num|avg|mean|total)_|(rating|vote|popularity|likes|views|sales|clicks|plays|downloads|reviews?|score|"
    r"bestseller|rank|revenue|gross)(s|_|$)|count$|评分|销量|点击|热度|评论数",
    re.IGNORECASE,
)
ADDED = ("added_at", "created_at", "published_at", "release_date", "added", "上架时间")
FOLLOWS = 0.8  # rank correlation with the number of events above which a column is suspect
ENOUGH = 30  # rows below which a correlation says nothing


def outcome_columns(table: pl.DataFrame, counts: np.ndarray) -> dict[str, str]:
    """Numeric columns that look like counted outcomes: name -> why they are suspect.

    Parameters
    ----------
    table
        One row an item or user.
    counts
        int64, shape (table.height,): events of each row.

    Examples
    --------
    >>> table = pl.DataFrame({"item_id": ["a", "b"], "avg_rating": [4.1, 3.0], "year": [1979, 1980]})
    >>> outcome_columns(table, np.array([5, 2]))
    {'avg_rating': 'its name says it counts outcomes'}
    """
    found = {}
    for column in table.get_columns():
        if not column.dtype.is_numeric():
            continue
        if OUTCOME.search(column.name):
            found[column.name] = "its name says it counts outcomes"
        elif (r := _rank_correlation(column, counts)) > FOLLOWS:
            found[column.name] = f"it follows the number of events (rank correlation {r:.2f})"
    return found


def _rank_correlation(column: pl.Series, counts: np.ndarray) -> float:
    both = pl.DataFrame({"value": column.cast(pl.Float64), "n": counts}).drop_nulls()
    if both.height < ENOUGH or both["value"].n_unique() == 1 or both["n"].n_unique() == 1:
        return 0.0
    ranks = both.select(pl.all().rank("average")).to_numpy()
    return abs(float(np.corrcoef(ranks, rowvar=False)[0, 1]))


def events_before_added(table: pl.DataFrame, x: Interactions) -> int:
    """Items with an event before the day they were added, by the first column that says when that was.

    Examples
    --------
    >>> x = Interactions.of(np.array([0]), np.array([0]), 1, 1, time=np.array([1_000_000_000]))
    >>> events_before_added(pl.DataFrame({"item_id": ["a"], "added_at": ["2020-01-01"]}), x)
    1
    """
    name = next((c for c in ADDED if c in table.columns), None)
    timed = x.time != NO_TIME
    if name is None or not timed.any():
        return 0
    first = np.full(x.n_items, np.iinfo(np.int64).max)
    np.minimum.at(first, x.item[timed], x.time[timed])
    added = read_times(table[name]).seconds.to_numpy()
    return int(((added != NO_TIME) & (first < added)).sum())
