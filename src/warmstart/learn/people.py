"""What is known of a person, in words: who he is, and what he did, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from warmstart.data.catalog import Catalog
from warmstart.data.histories import Histories
from warmstart.text.fields import plain, trim, unfiled
from warmstart.text.language import is_chinese
from warmstart.text.templates import TITLE

NOBODY = ("new user", "新用户")
VERBS = {  # kind of event -> words for it, English and Chinese
    "interaction": ("history", "历史"),
    "view": ("viewed", "看过"),
    "click": ("clicked", "点击过"),
    "cart": ("put in the cart", "加入购物车"),
    "buy": ("bought", "买过"),
    "purchase": ("bought", "买过"),
    "rate": ("rated", "评过"),
    "rating": ("rated", "评过"),
    "like": ("liked", "喜欢"),
    "play": ("played", "播放过"),
    "read": ("read", "读过"),
}
_IDLE = ("id", "url", "uri")  # ends of column names that say nothing of a person
_MOST_COLUMNS = 8
_TITLE_CHARS = 80


def person_texts(histories: Histories, titles: Sequence[str]) -> list[str]:
    """One text a person: his profile, then titles by kind of event, newest first; never empty.

    Parameters
    ----------
    histories
        With kinds, ratings and attributes where they are known.
    titles
        Short names of the items, "" where there is none.

    Examples
    --------
    >>> h = Histories.of([[0, 1], []], n_items=2)
    >>> person_texts(h, ["Alien (1979)", "Jaws"])
    ['history: Jaws, Alien (1979).', 'new user']
    """
    profiles = profile_texts(histories)
    kind = np.zeros(len(histories.item), np.int64) if histories.kind is None else histories.kind
    names = histories.kinds or ("interaction",)
    rating = np.full(len(kind), np.nan) if histories.rating is None else histories.rating
    texts = []
    for q, profile in enumerate(profiles):
        rows = range(histories.indptr[q + 1] - 1, histories.indptr[q] - 1, -1)
        events = [(names[kind[r]], t, float(rating[r])) for r in rows if (t := titles[histories.item[r]])]
        texts.append(_person(profile, events))
    return texts


def profile_texts(histories: Histories) -> list[str]:
    """What the users table says of each person; "" for nothing.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import polars as pl
    >>> table = pl.DataFrame({"age": [23, None], "job": ["student", None]})
    >>> profile_texts(replace(Histories.of([[], []], n_items=1), attributes=table))
    ['age 23, student', '']
    """
    table = histories.attributes
    if table is None:
        return [""] * len(histories)
    names = [c for c in table.columns if not c.lower().endswith(_IDLE)][:_MOST_COLUMNS]
    return [_profile(dict(zip(names, row, strict=True))) for row in table.select(names).iter_rows()]


def item_titles(catalog: Catalog, texts: Sequence[str]) -> list[str]:
    """A short name an item: its title, else the beginning of its text.

    Examples
    --------
    >>> import polars as pl
    >>> item_titles(Catalog(pl.DataFrame({"item_id": ["1"], "title": ["Matrix, The"]})), ["The Matrix."])
    ['The Matrix']
    """
    column = next((c for c in catalog.table.columns if c.lower() in TITLE.names), None)
    given = [""] * len(catalog) if column is None else [unfiled(plain(v)) for v in catalog.table[column]]
    return [trim(title or text, _TITLE_CHARS) for title, text in zip(given, texts, strict=True)]


def _profile(row: dict[str, object]) -> str:
    """Words stand for themselves; numbers and short signs follow the name of their column."""
    known = {name: text for name, value in row.items() if (text := plain(value))}
    said = [text if len(text) > 2 and text.isalpha() else f"{name} {text}" for name, text in known.items()]
    return ("，" if is_chinese("".join(said)) else ", ").join(said)


def _person(profile: str, events: Sequence[tuple[str, str, float]]) -> str:
    """The text of one person; ``events`` are (kind, title, rating), newest first."""
    chinese = is_chinese(profile + "".join(title for _, title, _ in events))
    if not profile and not events:
        return NOBODY[chinese]
    comma, colon, semicolon, stop = ("、", "：", "；", "。") if chinese else (", ", ": ", "; ", ".")
    order = {name: i for i, name in reversed(list(enumerate(kind for kind, _, _ in events)))}  # newest first
    pieces = []
    for name, group in groupby(sorted(events, key=lambda e: order[e[0]]), key=lambda e: e[0]):
        verb = VERBS[name][chinese] if name in VERBS else name
        pieces.append(verb + colon + comma.join(_told(title, rating, chinese) for _, title, rating in group))
    said = semicolon.join(pieces)
    return (stop + ("" if chinese else " ")).join(filter(None, (profile, said))) + stop


def _told(title: str, rating: float, chinese: bool) -> str:
    if np.isnan(rating):
        return title
    return f"{title}（评分{rating:g}）" if chinese else f"{title} (rated {rating:g})"
