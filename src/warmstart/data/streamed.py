"""Events of a long file, cleaned some rows at a time: never is the text of all of them in memory.

Twice the file is gone through. First for its witnesses, the few rows by which the whole column is understood; then each
part is judged beside them, and of its events about 40 bytes are kept: numbers, and categories in place of texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from warmstart.data.clean import Rules, check_kinds, parted
from warmstart.data.duplicates import NONE_WRONG, Cleaned, among_all
from warmstart.data.long_files import Irregular, LongTable
from warmstart.data.times import read_times
from warmstart.data.witnesses import judged_beside, witnesses

Progress = Callable[[str, int, int], None]  # stage, done, total (0 = not known)
TEXTS = ("user_id", "item_id", "kind")
PLAIN = (pl.String, pl.Boolean, pl.Date)


def clean_long(table: LongTable, names: Mapping[str, str], rules: Rules, progress: Progress | None = None) -> Cleaned:
    """The same events and refusals as ``clean.clean_events`` has of the whole; texts are categorical.

    Parameters
    ----------
    names
        Canonical name -> the table's own.

    Raises
    ------
    Irregular
        If a column is neither text nor numbers nor times, rows of text have different lengths, or there is none.
    DataError
        If there are more than 127 kinds of event.
    """
    kinds = table.head.frame.schema
    if odd := [own for own in names.values() if not _plain(kinds[own])]:
        raise Irregular(f"{table.origin} has columns that are no plain values ({odd[0]})")
    tell = progress or (lambda stage, done, total: None)
    known, total = survey(table, names, tell)
    form = read_times(known["time"]).form if "time" in names else "none"
    good, wrong, seen, end = [], [NONE_WRONG], Seen(), 0
    for start, part in _named(table, names):
        rows = judged_beside(part, known, rules).with_columns(pl.col("row") + start)
        right, refused = parted(rows)
        good.append(seen.compact(rows["kind"], right, ordered=form == "order"))
        wrong.append(refused)
        end = start + part.height
        tell("reading events", end, total)
    if not total or end != total:
        raise Irregular(f"{table.origin} had {total:,} rows, then {end:,}")
    return among_all(_joined(good), pl.concat(wrong), form, bots=rules.bots)


def _joined(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All as one; the list lets go of them, so that they can go when rows are left out."""
    whole = pl.concat(parts)
    parts.clear()
    return whole


class Seen:
    """Texts met so far: people, items, and kinds of event."""

    def __init__(self) -> None:
        self.types = {name: pl.Categorical(pl.Categories.random()) for name in TEXTS}
        self.kinds = pl.Series("kind", [], dtype=pl.String)

    def compact(self, kinds: pl.Series, rows: pl.DataFrame, *, ordered: bool) -> pl.DataFrame:
        """Rows with numbers for their texts; ``kinds`` also has those of rows that were refused."""
        self.kinds = pl.concat([self.kinds, kinds.unique(maintain_order=True)]).unique(maintain_order=True)
        check_kinds(self.kinds)
        texts = [pl.col(name).cast(kind) for name, kind in self.types.items()]
        numbers = pl.col("weight", "rating").cast(pl.Float32)
        return rows.select(pl.col("row").cast(pl.UInt32), *texts, "time", numbers, *(["order"] if ordered else []))


def survey(table: LongTable, names: Mapping[str, str], tell: Progress) -> tuple[pl.DataFrame, int]:
    """The witnesses of the whole, and how many rows there are."""
    found, total = [], 0
    for start, part in _named(table, names, whole=table.delimited):
        found.append(part[witnesses(part)])
        total = start + part.height
        tell("looking through events", total, 0)
    if not found:
        raise Irregular(f"{table.origin} has no row")
    rows = pl.concat(found)
    return rows[witnesses(rows)], total


def _named(table: LongTable, names: Mapping[str, str], *, whole: bool = False) -> Iterator[tuple[int, pl.DataFrame]]:
    """Parts under canonical names, each with its first row; ``whole`` reads the other columns, too."""
    start = 0
    for part in table.batches(None if whole else list(names.values())):
        yield start, part.select(pl.col(own).alias(name) for name, own in names.items())
        start += part.height


def _plain(kind: pl.DataType) -> bool:
    return kind.is_numeric() or kind in PLAIN or isinstance(kind, pl.Datetime)
