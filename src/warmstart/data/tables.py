"""Tables of items and users -> catalogue and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.columns import Columns, rename
from warmstart.data.dataset import USER_ID
from warmstart.data.ids import id_text, infer_types
from warmstart.data.table import Table
from warmstart.data.vocab import Vocabulary

TEXTS = ("title", "name", "description", "text", "plot", "summary", "categories", "genres", "tags", "author", "authors")


@dataclass(frozen=True)
class Part:
    """A table put into shape.

    Parameters
    ----------
    frame
        The rows kept, under canonical names.
    refused
        ``row`` (1-based) and ``reason``.
    repairs
        What was put right, with counts.
    """

    frame: pl.DataFrame
    refused: pl.DataFrame
    repairs: dict[str, int] = field(default_factory=dict)


def shape_keyed(table: Table, role: str, columns: Columns | None = None) -> Part:
    """A table of items or users: ids as text, each once (the first row counts), numbers as numbers.

    Examples
    --------
    >>> part = shape_keyed(Table(pl.DataFrame({"asin": [1, 1, None], "year": ["1995", "", ""]}), "t"), "items")
    >>> part.frame.rows(), part.refused.rows()
    ([('1', 1995)], [(2, 'item id occurs before'), (3, 'item id is missing')])
    """
    key = ITEM_ID if role == "items" else USER_ID
    what = key.replace("_", " ")
    frame = rename(table, role, present(table, columns))
    frame = frame.with_columns(id_text(frame[key])).select(key, pl.exclude(key))
    wrong = frame.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"),
        pl.when(pl.col(key).is_null())
        .then(pl.lit(f"{what} is missing"))
        .when(~pl.col(key).is_first_distinct())
        .then(pl.lit(f"{what} occurs before"))
        .alias("reason"),
    )
    kept = infer_types(frame.filter(wrong["reason"].is_null()), keep=(key, *TEXTS))
    repairs = {}
    if "title" in kept.columns and (untitled := kept["title"].null_count()):
        repairs["without a title (shown by id)"] = untitled
    return Part(kept, wrong.drop_nulls("reason"), repairs)


def catalog_of(part: Part | None, seen: pl.Series) -> tuple[Catalog, int]:
    """All items: those of the table in its order, then those only met in events. Also how many the latter are.

    Examples
    --------
    >>> catalog_of(None, pl.Series(["b", "a", "b"]))[0].items.ids
    ('b', 'a')
    """
    met = pl.DataFrame({ITEM_ID: seen.unique(maintain_order=True).cast(pl.String)})
    if part is None:
        return Catalog(met), met.height
    new = met.join(part.frame, on=ITEM_ID, how="anti", maintain_order="left")
    return Catalog(pl.concat([part.frame, new], how="diagonal")), new.height


def users_of(part: Part | None, seen: pl.Series) -> tuple[Vocabulary, pl.DataFrame | None]:
    """All users: those with events in order of appearance, then those only described; and the aligned table.

    Examples
    --------
    >>> described = Part(pl.DataFrame({"user_id": ["u2", "u9"], "age": [30, 40]}), pl.DataFrame())
    >>> users, table = users_of(described, pl.Series(["u1", "u2"]))
    >>> users.ids, table["age"].to_list()
    (('u1', 'u2', 'u9'), [None, 30, 40])
    """
    ids = pl.DataFrame({USER_ID: seen.unique(maintain_order=True).cast(pl.String)})
    if part is None:
        return Vocabulary(ids[USER_ID].to_list()), None
    ids = pl.concat([ids, part.frame.select(USER_ID)]).unique(maintain_order=True)
    table = ids.join(part.frame, on=USER_ID, how="left", maintain_order="left")
    return Vocabulary(ids[USER_ID].to_list()), table.drop(USER_ID) if table.width > 1 else None


def present(table: Table, columns: Columns | None) -> Columns:
    """The part of a mapping that names columns of this table; names meant for other tables fall away."""
    return {name: own for name, own in (columns or {}).items() if own in table.frame.columns}
