"""Rows of a query as polars frames, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from sqlalchemy import Connection, Select


def pages(connection: Connection, query: Select, schema: dict[str, pl.DataType], rows: int) -> Iterator[pl.DataFrame]:
    """Frames of at most so many rows, in the query's order; none if there is no row.

    Parameters
    ----------
    connection
        In a snapshot, if other statements must fit.
    query
        Its columns, by name, are those of ``schema``.
    schema
        Name -> type.
    rows
        Of a page.
    """
    result = connection.execute(query, execution_options={"yield_per": rows})
    for page in result.partitions():
        columns = zip(*page, strict=True)
        yield pl.DataFrame(
            [pl.Series(name, values, dtype=kind) for (name, kind), values in zip(schema.items(), columns, strict=True)]
        )
