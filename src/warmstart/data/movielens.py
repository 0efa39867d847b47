"""The three forms in which MovieLens comes: u.data, ``::`` files, and CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from warmstart.data.decode import decode
from warmstart.data.readers import read_table
from warmstart.data.table import REFUSED, Table
from warmstart.errors import DataError

EVENTS = ("user_id", "item_id", "rating", "time")
GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
FILM_100K = ("item_id", "title", "release_date", "video_date", "url")
YEAR = r"\((\d{4})\)\s*$"
SHOWN = 200


def find_movielens(folder: Path) -> Mapping[str, Table] | None:
    """Tables of events, items and users by role, or None if the folder is not MovieLens.

    Examples
    --------
    >>> find_movielens(Path("nowhere")) is None
    True
    """
    for mark, tables in (("u.data", ML_100K), ("ratings.dat", ML_1M), ("movies.csv", ML_LATEST)):
        if (folder / mark).is_file() and (folder / tables["events"][0]).is_file():
            return {role: read(folder / name) for role, (name, read) in tables.items() if (folder / name).is_file()}
    return None


def headless(path: Path, separator: str, names: tuple[str, ...]) -> Table:
    """A file without header, quotes or comments whose columns are known; every value text."""
    text = decode(path.read_bytes(), path.name).text
    rows = [line.rstrip("\r").split(separator) for line in text.split("\n") if line.strip()]
    good = [row for row in rows if len(row) == len(names)]
    if not good:
        raise DataError(
            f"{path.name} has no row of {len(names)} fields between {separator!r}; unpack the archive again"
        )
    bad = [
        (n, f"{len(row)} fields for {len(names)} columns", separator.join(row)[:SHOWN])
        for n, row in enumerate(rows, 1)
        if len(row) != len(names)
    ]
    columns = zip(names, zip(*good, strict=True), strict=True)
    frame = pl.DataFrame([pl.Series(name, values, dtype=pl.String) for name, values in columns])
    return Table(frame, path.name, refused=pl.DataFrame(bad, schema=REFUSED, orient="row"))


def _films_100k(path: Path) -> Table:
    table = headless(path, "|", (*FILM_100K, *GENRES_100K))
    flags = pl.concat_list(pl.when(pl.col(g) == "1").then(pl.lit(g)) for g in GENRES_100K)
    return _with_year(
        table, table.frame.select("item_id", "title", flags.list.drop_nulls().list.join("|").alias("genres"))
    )


def _films(path: Path) -> Table:
    table = headless(path, "::", ("item_id", "title", "genres"))
    return _with_year(table, table.frame)


def _films_csv(path: Path) -> Table:
    table = read_table(path)
    return _with_year(table, table.frame) if "title" in table.frame.columns else table


def _with_year(table: Table, frame: pl.DataFrame) -> Table:
    """The year in the brackets that end a MovieLens title, as a column; the title stays."""
    if "year" not in frame.columns:
        frame = frame.with_columns(pl.col("title").str.extract(YEAR).cast(pl.Int64).alias("year"))
    return Table(frame, table.origin, table.repairs, table.refused)


def _people(separator: str, *names: str) -> Callable[[Path], Table]:
    return lambda path: headless(path, separator, ("user_id", *names))


Tables = Mapping[str, tuple[str, Callable[[Path], Table]]]
ML_100K: Tables = {
    "events": ("u.data", lambda path: headless(path, "\t", EVENTS)),
    "items": ("u.item", _films_100k),
    "users": ("u.user", _people("|", "age", "gender", "occupation", "zip_code")),
}
ML_1M: Tables = {
    "events": ("ratings.dat", lambda path: headless(path, "::", EVENTS)),
    "items": ("movies.dat", _films),
    "users": ("users.dat", _people("::", "gender", "age", "occupation", "zip_code")),
}
ML_LATEST: Tables = {"events": ("ratings.csv", read_table), "items": ("movies.csv", _films_csv)}
