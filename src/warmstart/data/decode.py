"""Bytes to text: compression, byte-order marks and encodings, with a count of what was replaced."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from dataclasses import dataclass

import numpy as np

from warmstart.errors import DataError

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
GZIP_MAGIC = b"\x1f\x8b"
HIGH_RUN = re.compile(rb"[\x80-\xff]+")
BROKEN_SHARE = 0.05  # of the non-ASCII characters: fewer broken ones still make it UTF-8
PAIRED_SHARE = 0.8  # of the high bytes: Chinese double bytes come in even runs, accents stand alone
SAMPLE = 1 << 20  # bytes looked at when an encoding is guessed


@dataclass(frozen=True)
class Text:
    """Decoded text, its encoding, and how many characters were replaced by U+FFFD."""

    text: str
    encoding: str
    replaced: int = 0


def unpack(raw: bytes, origin: str) -> bytes:
    """Gunzip where the bytes are gzip; others pass.

    Raises
    ------
    DataError
        If the archive is damaged.

    Examples
    --------
    >>> unpack(gzip.compress(b"a,b"), "x.csv.gz")
    b'a,b'
    """
    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{origin} is a damaged gzip file ({error}); fetch or write it again") from error


def decode(raw: bytes, origin: str, encoding: str | None = None) -> Text:
    """Text of a file: by byte-order mark, else UTF-8, UTF-16 without mark, GB 18030, Windows-1252.

    A file that is UTF-8 but for a few broken characters stays UTF-8; those become U+FFFD and are counted.

    Raises
    ------
    DataError
        If the bytes are no text, or not of the encoding given.

    Examples
    --------
    >>> decode("título".encode("latin-1"), "x.csv")
    Text(text='título', encoding='cp1252', replaced=0)
    >>> decode("用户,物品,流浪地球".encode("gbk"), "x.csv").encoding
    'gb18030'
    """
    got = _declared(raw, origin, encoding) if encoding else _guessed(raw)
    if "\0" in got.text:
        raise DataError(
            f"{origin} is not a text file (it has zero bytes); name the format by its suffix, e.g. .parquet"
        )
    return got


def _declared(raw: bytes, origin: str, encoding: str) -> Text:
    try:
        return Text(raw.decode(encoding).removeprefix("\ufeff"), encoding)
    except LookupError as error:
        raise DataError(
            f"encoding {encoding!r} of {origin} is not known; use a Python codec name, e.g. 'gbk'"
        ) from error
    except UnicodeDecodeError as error:
        where = f"byte {error.start:,}"
        raise DataError(f"{origin} is not {encoding} ({where}); leave the encoding out to have it guessed") from error


def _guessed(raw: bytes) -> Text:
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return _replacing(raw[len(mark) :], encoding)
    if wide := _wide(raw):  # before UTF-8, which UTF-16 of plain letters is too, with zero bytes
        return _replacing(raw, wide)
    try:
        return Text(raw.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    tolerant = _replacing(raw, "utf-8")
    foreign = sum(1 for c in tolerant.text[:SAMPLE] if c > "\x7f")
    broken = tolerant.text[:SAMPLE].count("\ufffd")
    return tolerant if broken <= BROKEN_SHARE * foreign else _legacy(raw)


def _replacing(raw: bytes, encoding: str) -> Text:
    text = raw.decode(encoding, errors="replace")
    before = raw.count("\ufffd".encode(encoding))
    return Text(text, encoding, max(0, text.count("\ufffd") - before))


def _wide(raw: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of Western text is zero."""
    sample = np.frombuffer(raw[:SAMPLE], dtype=np.uint8)
    even, odd = (float((sample[start::2] == 0).mean()) if len(sample) > 1 else 0.0 for start in (0, 1))
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.1 else None


def _legacy(raw: bytes) -> Text:
    runs = [len(run) for run in HIGH_RUN.findall(raw[:SAMPLE])]
    paired = sum(n for n in runs if n % 2 == 0)
    if paired >= PAIRED_SHARE * sum(runs):
        try:
            return Text(raw.decode("gb18030"), "gb18030")
        except UnicodeDecodeError:
            pass
    try:
        return Text(raw.decode("cp1252"), "cp1252")
    except UnicodeDecodeError:
        return Text(raw.decode("latin-1"), "latin-1")
