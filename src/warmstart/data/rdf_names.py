"""IRIs by the shortest readable name that is still one IRI's alone."""

from __future__ import annotations

from urllib.parse import unquote

import polars as pl

LAST = r"([^/#]+)[/#]*$"
LAST_TWO = r"([^/#]+[/#][^/#]+)[/#]*$"


def short_names(iris: pl.Series) -> pl.DataFrame:
    """The last part of each IRI; more of it where that is not one IRI's alone, or has no letter.

    Parameters
    ----------
    iris
        IRIs and blank nodes (``_:name``), each once; null is allowed and stays.

    Returns
    -------
    pl.DataFrame
        ``iri`` and ``name``, in the given order, each name once.

    Examples
    --------
    >>> short_names(pl.Series(["http://x.org/r#director", "http://x.org/Am%C3%A9lie", "http://x.org/film/7"])).rows()[1:]
    [('http://x.org/Am%C3%A9lie', 'Amélie'), ('http://x.org/film/7', 'film/7')]
    >>> short_names(pl.Series(["http://x.org/a/Heat", "http://x.org/b/Heat"]))["name"].to_list()
    ['a/Heat', 'b/Heat']
    """
    frame = pl.DataFrame({"iri": iris})
    one = pl.col("iri").str.extract(LAST)
    two = pl.coalesce(pl.col("iri").str.extract(LAST_TWO), "iri")
    blank = pl.col("iri").str.starts_with("_:")
    frame = frame.with_columns(
        one=pl.when(blank | ~one.str.contains(r"\p{L}")).then(None).otherwise(one),
        two=pl.when(blank).then(None).otherwise(two),
    )
    frame = frame.with_columns(_decoded(frame[name]) for name in ("one", "two"))
    name = pl.col("iri")
    for level in ("two", "one"):
        alone = pl.col(level).is_not_null() & (pl.len().over(level) == 1)
        name = pl.when(alone).then(pl.col(level)).otherwise(name)
    named = frame.select("iri", name.alias("name"))
    twice = pl.len().over("name") > 1  # a short name that is another's whole IRI
    return named.with_columns(pl.when(twice).then(pl.col("iri")).otherwise(pl.col("name")).alias("name"))


def _decoded(column: pl.Series) -> pl.Series:
    """Percent-encoded characters as they are read."""
    coded = column.str.contains("%", literal=True).fill_null(value=False)
    if not coded.any():
        return column
    return column.scatter(coded.arg_true(), [unquote(text) for text in column.filter(coded)])
