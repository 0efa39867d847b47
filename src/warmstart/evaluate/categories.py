"""Which items belong to which category, read from a column of the catalogue."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.errors import DataError

CUSTOMARY = ("genres", "categories", "genre", "category", "tags")


def category_matrix(catalog: Catalog, column: str | None = None, separator: str = "|") -> sp.csr_matrix | None:
    """Items by categories, ones; None if no column looks like categories.

    Parameters
    ----------
    catalog
        The items.
    column
        A column of strings joined by ``separator``, or of lists; by default the first customary one.

    Raises
    ------
    DataError
        If the named column is not there.

    Examples
    --------
    >>> c = Catalog(pl.DataFrame({"item_id": ["a", "b"], "genres": ["War|Drama", "War"]}))
    >>> category_matrix(c).toarray().tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    if column is None:
        column = next((c for c in CUSTOMARY if c in catalog.table.columns), None)
    if column is None:
        return None
    if column not in catalog.table.columns:
        raise DataError(f"the items table has no column {column!r}; it has {catalog.table.columns}; name one of them")
    values = catalog.table[column]
    lists = values if values.dtype == pl.List else values.cast(pl.String).str.split(separator)
    long = pl.DataFrame({"item": np.arange(len(catalog)), "name": lists}).explode("name")
    long = long.with_columns(pl.col("name").cast(pl.String).str.strip_chars()).filter(pl.col("name") != "").unique()
    names = long["name"].unique().sort()
    code = long["name"].replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64).to_numpy()
    return sp.csr_matrix((np.ones(len(long)), (long["item"].to_numpy(), code)), shape=(len(catalog), len(names)))
