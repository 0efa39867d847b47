"""What happened to the tables on their way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from warmstart.errors import DataError

WRITERS = {".csv": "write_csv", ".parquet": "write_parquet", ".jsonl": "write_ndjson", ".ndjson": "write_ndjson"}

UNDESCRIBED = "events: items that are not in the items table"  # a key of ``IngestReport.repairs``
RARE = "ratings left out, most rows have none"
EQUAL = "ratings left out, all are the same"


@dataclass(frozen=True)
class IngestReport:
    """Counts of an ingestion.

    Parameters
    ----------
    rows
        Rows read, by table (``events``, ``items``, ``users``, ``graph``, ``links``).
    kept
        Rows kept, by table.
    refused
        Rows refused, by ``"table: reason"``.
    repairs
        What was put right, by ``"table: description"``.
    columns
        By table: canonical name -> the table's own name.
    times
        The form the times had (``"seconds"``, ``"ISO 8601"``, ``"order"``, ``"none"`` ...).
    rejects
        The file that holds the refused rows, or None.

    Examples
    --------
    >>> IngestReport(rows={"events": 3}, kept={"events": 2}, refused={"events: user id is missing": 1}).n_refused
    1
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    times: str = "none"
    rejects: str | None = None

    @property
    def n_refused(self) -> int:
        """Rows refused in all tables."""
        return sum(self.refused.values())

    @property
    def told(self) -> str:
        """How many rows were refused, the three commonest reasons, and the rest, in one line.

        Examples
        --------
        >>> IngestReport(rows={"events": 3}, refused={"events: user id is missing": 1}).told
        '1 of 3 rows refused (events: user id is missing 1)'
        """
        rows = sum(self.rows.values())
        reasons = "; ".join(f"{why} {n:,}" for why, n in list(self.refused.items())[:3])
        if others := sum(list(self.refused.values())[3:]):
            reasons += f"; others {others:,}"
        return f"{self.n_refused:,} of {rows:,} {'row' if rows == 1 else 'rows'} refused ({reasons})"

    @property
    def unrated(self) -> str:
        """Why a column of ratings was left out as a whole, in one line; "" where none was.

        Examples
        --------
        >>> IngestReport(repairs={f"events: {EQUAL}": 9}).unrated
        'ratings left out, all are the same (9); events are read as taken or not'
        """
        for why in (RARE, EQUAL):
            if n := self.repairs.get(f"events: {why}"):
                return f"{why} ({n:,}); events are read as taken or not"
        return ""

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return asdict(self)


def write_rejects(rows: pl.DataFrame, path: str | Path) -> None:
    """Refused rows to a file: ``table``, ``row``, ``reason``, then their own columns as text.

    Raises
    ------
    DataError
        If the suffix is none of .csv, .parquet, .jsonl, .ndjson, or the file cannot be written.
    """
    target = Path(path)
    if target.suffix not in WRITERS:
        raise DataError(f"rejects={str(path)!r} has the suffix {target.suffix!r}; use one of {', '.join(WRITERS)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        getattr(rows, WRITERS[target.suffix])(target)
    except OSError as error:
        raise DataError(f"rejects={str(path)!r} cannot be written ({error.strerror}); choose another place") from error
