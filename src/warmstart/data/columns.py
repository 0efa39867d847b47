"""Which column means what: customary names, and the mapping a caller may give."""

# ruff: noqa: SIM905 - a list of words is read as a sentence

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from warmstart.data.table import Table
from warmstart.errors import DataError

USER = tuple(
    "user_id user userid uid username customer_id customer reviewer_id visitor_id member_id account_id profile_id "
    "person_id u 用户id 用户 用户编号 session_id".split()
)
ITEM = tuple(
    "item_id item itemid iid movie_id movie asin parent_asin product_id product book_id book isbn sku article_id "
    "news_id track_id song_id artist_id game_id video_id business_id content_id goods_id i "
    "物品id 物品 商品id 商品 电影id 图书id".split()
)
TIME = tuple(
    "time timestamp ts datetime date event_time created_at rated_at unix_time unix_review_time review_time "
    "时间 时间戳 日期".split()
)
KIND = tuple("kind event event_type event_kind action behavior behaviour behavior_type 行为 type".split())
TITLE = tuple("title name item_name movie_title book_title product_name product_title 标题 名称 书名 片名".split())
ENTITY = tuple("entity_id entity freebase_id wikidata_id uri 实体".split())
ALIASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "events": {
        "user_id": USER,
        "item_id": ITEM,
        "rating": ("rating", "ratings", "score", "stars", "overall", "rating_value", "评分"),
        "time": TIME,
        "kind": KIND,
        "weight": ("weight", "strength", "plays", "play_count", "listen_count", "权重"),
    },
    "items": {"item_id": (*ITEM, "id", "编号"), "title": TITLE},
    "users": {"user_id": (*USER, "id", "编号")},
    "graph": {
        "head": ("head", "head_id", "subject", "source", "h", "头实体"),
        "relation": ("relation", "relation_id", "predicate", "r", "edge", "关系"),
        "tail": ("tail", "tail_id", "object", "target", "t", "尾实体"),
    },
    "links": {"item_id": (*ITEM, "id"), "entity_id": ENTITY},
}
NEEDED = {
    "events": ("user_id", "item_id"),
    "items": ("item_id",),
    "users": ("user_id",),
    "graph": ("head", "relation", "tail"),
    "links": ("item_id", "entity_id"),
}
NOISE = re.compile(r"[\W_]+")
Columns = Mapping[str, str | None]


def map_columns(table: Table, role: str, columns: Columns | None = None) -> dict[str, str]:
    """Canonical name -> the table's own name, for the columns of a role that are there.

    Parameters
    ----------
    table
        Any table.
    role
        ``"events"``, ``"items"``, ``"users"``, ``"graph"`` or ``"links"``.
    columns
        What the caller knows: canonical name -> own name; it wins over customary names. None as the own name says
        that there is no such column. Names of other roles are passed over.

    Raises
    ------
    DataError
        If a column that is needed is not found, a given one does not exist, or two fit equally well.

    Examples
    --------
    >>> ratings = Table(pl.DataFrame({"userId": [1], "movieId": [2], "ts": [0]}), "ratings.csv")
    >>> map_columns(ratings, "events")
    {'user_id': 'userId', 'item_id': 'movieId', 'time': 'ts'}
    """
    given = {_canonical(name, role): own for name, own in (columns or {}).items() if _canonical(name, role)}
    found: dict[str, str] = {}
    for name, aliases in ALIASES[role].items():
        own = (
            _given(given[name], table, name)
            if name in given
            else _customary(name, aliases, table, taken=given.values())
        )
        if own is not None and own not in found.values():
            found[name] = own
    missing = [name for name in NEEDED[role] if name not in found]
    if missing:
        raise DataError(
            f"no column of {table.origin} looks like {missing[0]!r}; it has {_shown(table)}; "
            f"name one: columns={{{missing[0]!r}: '...'}}, or --map {missing[0]}=..."
        )
    return found


def rename(table: Table, role: str, columns: Columns | None = None) -> pl.DataFrame:
    """The frame under canonical names; other columns keep theirs, with an underscore behind what is canonical.

    Raises
    ------
    DataError
        As ``map_columns``.

    Examples
    --------
    >>> rename(Table(pl.DataFrame({"asin": ["b1"], "name": ["Lego"]}), "t"), "items").columns
    ['item_id', 'title']
    """
    own = {source: name for name, source in map_columns(table, role, columns).items()}
    names = {c: own.get(c, f"{c}_" if c in ALIASES[role] else c) for c in table.frame.columns}
    return table.frame.rename(names)


def _canonical(name: str, role: str) -> str | None:
    """A mapping's key may itself be customary: ``user`` or ``timestamp``."""
    plain = _plain(name)
    return next((key for key, names in ALIASES[role].items() if plain in map(_plain, (key, *names))), None)


def _given(own: str | None, table: Table, name: str) -> str | None:
    if own is not None and own not in table.frame.columns:
        raise DataError(f"{table.origin} has no column {own!r} to use as {name!r}; it has {_shown(table)}")
    return own


def _customary(name: str, aliases: tuple[str, ...], table: Table, taken: object) -> str | None:
    free = [c for c in table.frame.columns if c not in taken]  # type: ignore[operator]
    if name in free:
        return name
    for alias in aliases:
        fits = [c for c in free if _plain(c) == _plain(alias)]
        if len(fits) > 1:
            raise DataError(
                f"columns {fits} of {table.origin} could both be {name!r}; "
                f"say which: columns={{{name!r}: {fits[0]!r}}}, or --map {name}={fits[0]}"
            )
        if fits:
            return fits[0]
    return None


def _shown(table: Table) -> list[str]:
    """Enough of the names to recognise the table by."""
    return [name[:40] for name in table.frame.columns[:20]]


def _plain(name: str) -> str:
    return NOISE.sub("", name.lower())
