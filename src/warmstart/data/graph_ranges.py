"""Numbers as facts: ranges that items share, and how many others an item's values tie it to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

TRIPLES = dict.fromkeys(("head", "relation", "tail", "source"), pl.String)
LABELS = dict.fromkeys(("entity", "label"), pl.String)


def in_ranges(values: np.ndarray, n: int) -> list[str | None]:
    """Each number as one of at most ``n`` ranges with about as many numbers each, called by its least and greatest.

    The edges are the quantiles ``1/n, 2/n, ...`` of the numbers; edges that coincide are one, the greatest
    number is above every edge, equal numbers share a range.

    Parameters
    ----------
    values
        float, shape (m,), any unit; NaN and infinite = unknown, which is in no range (None).
    n
        1 or more.

    Examples
    --------
    >>> in_ranges(np.array([1950.0, 1994.0, 1995.0, np.nan, 1996.0]), 2)
    ['1950 to 1994', '1950 to 1994', '1995 to 1996', None, '1995 to 1996']
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    if not known.any():
        return [None] * len(values)
    distinct = np.unique(values[known])
    edges = np.quantile(values[known], np.arange(1, n) / n, method="inverted_cdf")
    edges = np.unique(np.minimum(edges, distinct[-2])) if len(distinct) > 1 else edges[:0]
    place = np.searchsorted(edges, values, side="left")
    names = {at: _name(values[known & (place == at)]) for at in set(place[known].tolist())}
    return [names[at] if fine else None for at, fine in zip(place.tolist(), known.tolist(), strict=True)]


def ties(values: Sequence[Sequence[str]]) -> np.ndarray:
    """How many other rows have a row's values, counted by value: ``sum_v (n_v - 1)``.

    Parameters
    ----------
    values
        Of each row; each counts once.

    Returns
    -------
    np.ndarray
        float64, shape (n_rows,), 0 or more; NaN for a row without values.

    Examples
    --------
    >>> ties([["ann", "bob"], ["ann"], ["cid"], []]).tolist()
    [1.0, 1.0, 0.0, nan]
    """
    count = Counter(value for row in values for value in set(row))
    return np.array([sum(count[value] - 1 for value in set(row)) if row else np.nan for row in values], np.float64)


def range_facts(
    items: Sequence[str], column: str, kind: str, values: np.ndarray, n: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Triples item, ``COLUMN_KIND``, range, with their source, and the label of each range.

    Nothing is told where all numbers would be in one range.

    Parameters
    ----------
    items
        Ids, of the length of ``values``.
    column, kind
        ``"year"`` and ``"range"`` give the relation ``year_range`` with entities like ``year_range:1990 to 1994``.
    values, n
        As in ``in_ranges``.

    Examples
    --------
    >>> range_facts(["a", "b", "c"], "year", "range", np.array([1990.0, 1994.0, 1999.0]), 2)[0].rows()[0]
    ('a', 'year_range', 'year_range:1990 to 1994', 'column:year')
    """
    relation, source, names = f"{column}_{kind}", f"column:{column}", in_ranges(values, n)
    told = list(dict.fromkeys(name for name in names if name is not None))
    if len(told) < 2:
        return pl.DataFrame(schema=TRIPLES), pl.DataFrame(schema=LABELS)
    found = zip(items, names, strict=True)
    rows = [(item, relation, f"{relation}:{name}", source) for item, name in found if name is not None]
    labels = [(f"{relation}:{name}", name) for name in told]
    return pl.DataFrame(rows, TRIPLES, orient="row"), pl.DataFrame(labels, LABELS, orient="row")


def _name(values: np.ndarray) -> str:
    low, high = _number(float(values.min())), _number(float(values.max()))
    return low if low == high else f"{low} to {high}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
