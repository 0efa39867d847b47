"""CSV and TSV: a fast way for clean files, a patient one for the others."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from warmstart.data.decode import decode, unpack
from warmstart.data.table import REFUSED, Table
from warmstart.errors import DataError

SEPARATORS = ("\t", ",", ";", "|")
NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?$")
SHOWN = 200  # characters of a refused row that are kept
QUOTED = re.compile(r'"[^"]*"')


def read_delimited(raw: bytes, origin: str, *, separator: str | None = None, encoding: str | None = None) -> Table:
    r"""Rows of a delimited file, every value text, an empty field null.

    Short rows are filled with nulls and counted, rows with too many fields are refused and kept, blank lines are
    skipped. A first line of numbers is taken as data: the columns are then called ``1``, ``2``, ``3`` ...

    Parameters
    ----------
    raw
        The file's bytes, gzip or not.
    origin
        The file's name, for messages.
    separator
        One or more characters; None = the one that splits the first line most often.
    encoding
        A codec name; None = guessed.

    Raises
    ------
    DataError
        If the file is empty, is no text, or a quote is opened and never closed.

    Examples
    --------
    >>> read_delimited(b"user,item\n1,a\n2\n3,b,c\n", "x.csv").repairs
    {'short rows filled up with nothing': 1}
    """
    got = decode(unpack(raw, origin), origin, encoding)
    text = got.text if "\n" in got.text else got.text.replace("\r", "\n")
    text = text.lstrip("\r\n")
    if not text.strip():
        raise DataError(f"{origin} is empty; write a header line and at least one row into it")
    repairs = {f"characters replaced that are no {got.encoding}": got.replaced} if got.replaced else {}
    if got.encoding not in ("utf-8", encoding):
        repairs[f"file read as {got.encoding}"] = 1
    separator = separator or sniff(text)
    table = _fast(text, separator) or _patient(text, separator, origin)
    return Table(blank_to_null(table.frame), origin, repairs | dict(table.repairs), table.refused)


def sniff(text: str) -> str:
    r"""The separator of the first line: the most frequent of tab, comma, semicolon, bar, or ``::``.

    Examples
    --------
    >>> sniff("1::1193::5\n"), sniff("user;item"), sniff("alone")
    ('::', ';', ',')
    """
    line = QUOTED.sub("", text.split("\n", 1)[0])
    if line.count("::") >= 2:
        return "::"
    best = max(SEPARATORS, key=line.count)
    return best if best in line else ","


def _fast(text: str, separator: str) -> Table | None:
    """Polars, if the file gives it nothing to complain about and no row is short."""
    if "\r" in text.replace("\r\n", "") or not is_plain_header(text.split("\n", 1)[0], separator):
        return None
    try:
        frame = pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False, raise_if_empty=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeError):
        return None
    if frame.width == 0 or (frame.height and frame.to_series(-1).null_count()):
        return None  # the last field is missing somewhere: perhaps the row is short
    return Table(frame, "")


def _is_data(fields: list[str]) -> bool:
    return any(NUMBER.match(f.strip().strip('"')) for f in fields)


def is_plain_header(line: str, separator: str) -> bool:
    """Whether polars reads a first line as we do: names without quotes, each once, and a separator of one character.

    Examples
    --------
    >>> is_plain_header("user,item", ","), is_plain_header("1,10,5", ","), is_plain_header("user::item", "::")
    (True, False, False)
    """
    names = line.rstrip("\r").split(separator)
    return len(separator) == 1 and '"' not in line and not _is_data(names) and len(set(names)) == len(names)


def blank_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    """Empty text is none."""
    return frame.with_columns(pl.when(pl.col(pl.String).str.len_bytes() > 0).then(pl.col(pl.String)))


@dataclass
class _Rows:
    """What the patient reader has gathered so far."""

    names: list[str]
    rows: list[list[str]] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    short: int = 0
    seen: int = 0

    def take(self, fields: list[str] | str) -> None:
        """A record, or the reason why it is none."""
        self.seen += 1
        width = len(self.names)
        if isinstance(fields, str):
            self.refused.append((self.seen, fields, ""))
        elif len(fields) > width and any(fields[width:]):
            self.refused.append((self.seen, f"more than {width} fields", ",".join(fields)[:SHOWN]))
        else:
            self.short += len(fields) < width
            self.rows.append(fields[:width] + [""] * (width - len(fields)))


def _patient(text: str, separator: str, origin: str) -> Table:
    records = _split(text, separator) if len(separator) > 1 else _records(text, separator, origin)
    first = next(records, "it has no field")
    if isinstance(first, str):
        raise DataError(f"the first line of {origin} cannot be read: {first}; write plain column names there")
    headless = _is_data(first)
    got = _Rows([str(n + 1) for n in range(len(first))] if headless else _distinct([f.strip() for f in first]))
    if headless:
        got.take(first)
    for record in records:
        got.take(record)
    columns = list(zip(*got.rows, strict=True)) or [()] * len(got.names)
    frame = pl.DataFrame([pl.Series(n, c, dtype=pl.String) for n, c in zip(got.names, columns, strict=True)])
    repairs = {"short rows filled up with nothing": got.short} if got.short else {}
    if headless:
        repairs["first line taken as data, columns numbered"] = 1
    return Table(frame, origin, repairs, pl.DataFrame(got.refused, schema=REFUSED, orient="row"))


def _split(text: str, separator: str) -> Iterator[list[str] | str]:
    return (line.split(separator) for line in text.splitlines() if line.strip())


def _records(text: str, separator: str, origin: str) -> Iterator[list[str] | str]:
    """Records by the csv rules; a record that breaks them comes as its reason."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "end of data" in str(error):
                    raise DataError(
                        f"{origin}, line {line}: a quote is opened and never closed; close it or write it twice"
                    ) from error
                yield f"a quote inside a quoted field ({error})"
                continue
            if any(record):
                yield record
    finally:
        csv.field_size_limit(limit)


def _distinct(names: list[str]) -> list[str]:
    """Names made different by a number: a, a -> a, a_2."""
    count: dict[str, int] = {}
    out: list[str] = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        new = name if count[name] == 1 else f"{name}_{count[name]}"
        while new in out:
            new += "_"
        out.append(new)
    return out
