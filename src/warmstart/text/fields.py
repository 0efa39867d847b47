"""Values of catalogue columns as clean text: lists joined, blanks dropped, long texts trimmed."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable

BLANK = frozenset(
    {"", "nan", "NaN", "None", "none", "null", "NULL", "N/A", "n/a", "<NA>", "NaT", "\\N", "(no genres listed)"}
)
MAX_CHARS = 1000  # of one value; encoders of this size read some 256 word pieces
_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"<[^<>]{1,200}>")
_SEPARATOR = re.compile(r"[|,;、，；]| / ")
_FILED = re.compile(r"^(?P<rest>.+), (?P<article>The|An?|Les?|La|El|L[ao]s|Il|Der|Die|Das)(?P<year> \(\d{4}\))?$")


def plain(value: object, limit: int = MAX_CHARS) -> str:
    r"""One value as one line of text: at most ``limit`` characters, cut at a word; "" where nothing is known.

    Examples
    --------
    >>> plain(1995.0), plain(float("nan")), plain(" a <b>cowboy</b>\n doll "), plain(["x", None, "y"])
    ('1995', '', 'a cowboy doll', 'x, y')
    >>> plain("one two three", limit=9)
    'one two'
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return ", ".join(filter(None, (plain(v, limit) for v in value)))[:limit]
    raw = str(value)[: 4 * limit]
    if "<" in raw or "&" in raw:
        raw = html.unescape(_TAG.sub(" ", raw))
    text = _SPACE.sub(" ", raw).strip()
    return "" if text in BLANK else trim(text, limit)


def trim(text: str, limit: int) -> str:
    """The beginning of a text, cut at a space where there is one in its second half.

    Examples
    --------
    >>> trim("deep space horror", 12), trim("流浪地球", 2)
    ('deep space', '流浪')
    """
    if len(text) <= limit:
        return text
    at = text.rfind(" ", limit // 2, limit + 1)
    return text[: at if at > 0 else limit].rstrip()


def parts(value: object, at_most: int) -> list[str]:
    """The distinct entries of a list, or of a string that separates them by ``|``, a comma or a semicolon.

    Examples
    --------
    >>> parts("Drama|Sci-Fi|Drama", 5), parts("['Toys', 'Games']", 5), parts("剧情 / 犯罪", 5)
    (['Drama', 'Sci-Fi'], ['Toys', 'Games'], ['剧情', '犯罪'])
    """
    text = plain(value)
    found = (p.strip(" []{}'\"") for p in _SEPARATOR.split(text))
    return list(dict.fromkeys(p for p in found if p not in BLANK))[:at_most]


def unfiled(title: str) -> str:
    """A title as it is spoken, not as libraries file it.

    Examples
    --------
    >>> unfiled("Matrix, The (1999)"), unfiled("Alien")
    ('The Matrix (1999)', 'Alien')
    """
    found = _FILED.match(title)
    return f"{found['article']} {found['rest']}{found['year'] or ''}" if found else title
