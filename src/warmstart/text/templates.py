"""From the columns of a catalogue to one text an item.

An item's text depends on its own row and on the names of the columns alone, so that texts of old items stay
(and stay cached) when new ones are added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.errors import ConfigError
from warmstart.text.fields import parts, plain, unfiled
from warmstart.text.language import is_chinese


@dataclass(frozen=True)
class Role:
    """What a column says of an item, the names it goes by, and how it is introduced.

    ``at_most`` bounds the entries of a list; 0 means that the value is no list.
    """

    names: tuple[str, ...]
    label: str
    chinese: str
    at_most: int = 0


TITLE = Role(("title", "name", "product_name", "item_name", "book_title", "标题", "名称", "书名", "片名"), "", "")
YEAR = Role(("year", "release_year", "publication_year", "year_of_publication", "年份", "年代"), "", "")
LISTS = (
    Role(
        ("categories", "category", "genres", "genre", "tags", "class", "类别", "类型", "分类", "标签"), "", "类型：", 8
    ),
    Role(("brand", "publisher", "manufacturer", "品牌", "出版社"), "By ", "品牌：", 2),
    Role(("author", "authors", "writer", "作者"), "Written by ", "作者：", 4),
    Role(("director", "directors", "导演"), "Directed by ", "导演：", 3),
    Role(("artist", "artists", "singer", "band", "歌手", "艺人"), "By ", "艺人：", 3),
    Role(("cast", "actors", "stars", "starring", "主演", "演员"), "With ", "主演：", 5),
)
DESCRIPTION = Role(
    ("description", "plot", "overview", "summary", "abstract", "synopsis", "简介", "描述", "介绍"), "", ""
)

_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]|（\s*）|《\s*》|\"\s*\"")
_LOOSE = re.compile(r"\s+(?=[,.;:!?)，。；：])")
_ENDS = ("!", "?", "！", "？")
_DANGLING = " ,;:-–—|/，；：、·"


def item_texts(catalog: Catalog, template: str | None = None) -> list[str]:
    """One text an item, in catalogue order; "" for an item of which nothing is known.

    Parameters
    ----------
    catalog
        Any columns; for the default template those named like a title, year, category, person or description count.
    template
        Text with column names in braces, e.g. ``"{title} ({year}) by {author}: {description}"``. Where a value is
        missing, the words that introduce it are left out too. None takes the default.

    Raises
    ------
    ConfigError
        If the template names a column that the catalogue does not have, or is not well formed.

    Examples
    --------
    >>> import polars as pl
    >>> c = Catalog(pl.DataFrame({"item_id": ["1", "2"], "title": ["Alien", "流浪地球"], "year": [1979, None],
    ...                           "genres": ["Horror|Sci-Fi", "科幻"]}))
    >>> item_texts(c)
    ['Alien (1979). Horror, Sci-Fi.', '流浪地球。类型：科幻。']
    >>> item_texts(c, "{title} from {year}: {genres}")
    ['Alien from 1979: Horror, Sci-Fi', '流浪地球: 科幻']
    """
    if template is not None:
        pieces = _parse(template, catalog.table.columns)
        return [_fill(pieces, row) for row in catalog.table.iter_rows(named=True)]
    columns = _Columns.of(catalog.table.columns)
    if columns.known:
        return [_default(columns, row) for row in catalog.table.iter_rows(named=True)]
    others = [c for c in catalog.table.columns if c != ITEM_ID and not c.lower().endswith(("id", "url", "uri"))]
    rows = catalog.table.iter_rows(named=True)
    return [". ".join(f"{c}: {v}" for c in others if (v := ", ".join(parts(row[c], 8)))) for row in rows]


@dataclass(frozen=True)
class _Columns:
    """Which column plays which role; "" where none does."""

    title: str
    year: str
    lists: tuple[tuple[Role, str], ...]
    description: str

    @classmethod
    def of(cls, names: list[str]) -> _Columns:
        lowered = {n.lower(): n for n in reversed(names)}

        def found(role: Role) -> str:
            return next((lowered[n] for n in role.names if n in lowered), "")

        lists = tuple((role, column) for role in LISTS if (column := found(role)))
        return cls(found(TITLE), found(YEAR), lists, found(DESCRIPTION))

    @property
    def known(self) -> bool:
        return bool(self.title or self.lists or self.description)


def _default(columns: _Columns, row: Mapping[str, object]) -> str:
    """Title and year, then the lists, then the description, as sentences of the item's own language."""
    title = unfiled(plain(row.get(columns.title)))
    description = plain(row.get(columns.description))
    chinese = is_chinese(title or description)
    stop, comma, opening, closing = ("。", "、", "（", "）") if chinese else (". ", ", ", " (", ")")
    year = plain(row.get(columns.year))
    head = f"{title}{opening}{year}{closing}" if title and year and year not in title else title or year
    sentences = [head]
    for role, column in columns.lists:
        if entries := parts(row[column], role.at_most):
            sentences.append((role.chinese if chinese else role.label) + comma.join(entries))
    sentences.append(description)
    return "".join(_sentence(s, stop) for s in sentences if s).strip()


def _sentence(text: str, stop: str) -> str:
    """A text with its full stop; one that ends with an exclamation or a question keeps that."""
    return text + stop.lstrip(".。") if text.endswith(_ENDS) else text.rstrip(".。 ") + stop


def _parse(template: str, columns: list[str]) -> list[tuple[str, str | None]]:
    """The template as (text before, column) pairs; the last column may be None."""
    try:
        pieces = [(text, name, spec or how) for text, name, spec, how in Formatter().parse(template)]
    except ValueError as error:
        raise ConfigError(f"template {template!r} is not well formed ({error}); write columns as {{title}}") from None
    for _, name, extra in pieces:
        if extra or (name is not None and name not in columns):
            raise ConfigError(f"template {template!r} names {name!r}, which is no column; there are {columns}")
    if not any(name for _, name, _ in pieces):
        raise ConfigError(f"template {template!r} names no column; there are {columns}")
    return [(text, name) for text, name, _ in pieces]


def _value(value: object) -> str:
    """A column's value for a template: what is separated by bars becomes a list with commas."""
    text = plain(value)
    return ", ".join(parts(text, 8)) if "|" in text else text


def _fill(pieces: list[tuple[str, str | None]], row: Mapping[str, object]) -> str:
    """One row's text: a missing value takes the words before it along; brackets around nothing go."""
    out, known = [], False
    for text, column in pieces:
        value = (
            ""
            if column is None
            else ", ".join(parts(row[column], 8))
            if "|" in str(row[column])
            else plain(row[column])
        )
        known = known or bool(value)
        out.append(text + value if value or column is None else re.sub(r"\w+", "", text))
    if not known:
        return ""
    bare = _LOOSE.sub("", _EMPTY_BRACKETS.sub("", "".join(out)))
    return re.sub(r"\s+", " ", bare).strip(_DANGLING)
