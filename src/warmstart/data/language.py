"""In what script a catalogue speaks: enough to choose an encoder, no more."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

TEXT_COLUMNS = ("title", "name", "description", "text", "plot", "summary", "标题", "简介", "描述")
HAN, KANA_HANGUL, ASCII, LETTER = r"\p{Han}", r"[\p{Hiragana}\p{Katakana}\p{Hangul}]", r"[A-Za-z]", r"\p{L}"
HAN_SHARE = 0.3  # one Han character says as much as a short word
ASCII_SHARE = 0.9


def languages(texts: Iterable[str | None]) -> dict[str, float]:
    """Shares of ``english`` (plain Latin letters), ``chinese``, ``other``, and ``none`` (no letter); they add up to 1.

    Plain Latin letters are taken as English: short titles allow no finer answer.

    Examples
    --------
    >>> languages(["流浪地球", "Alien", "Солярис", None])
    {'english': 0.25, 'chinese': 0.25, 'other': 0.25, 'none': 0.25}
    """
    names = ("english", "chinese", "other", "none")
    text = pl.Series("t", list(texts), dtype=pl.String)
    if not len(text):
        return dict.fromkeys(names, 0.0)
    count = (
        text.fill_null("")
        .to_frame()
        .select(*(pl.col("t").str.count_matches(pattern).alias(name) for name, pattern in COUNTS.items()))
    )
    chinese = (pl.col("han") >= HAN_SHARE * pl.col("letters")) & (pl.col("kana") == 0)
    label = (
        pl.when(pl.col("letters") == 0)
        .then(pl.lit("none"))
        .when(chinese)
        .then(pl.lit("chinese"))
        .when(pl.col("ascii") >= ASCII_SHARE * pl.col("letters"))
        .then(pl.lit("english"))
        .otherwise(pl.lit("other"))
    )
    labels = count.select(label.alias("label"))["label"]
    return {name: round(int((labels == name).sum()) / len(labels), 4) for name in names}


COUNTS = {"han": HAN, "kana": KANA_HANGUL, "ascii": ASCII, "letters": LETTER}


def item_texts(table: pl.DataFrame) -> pl.Series:
    """All text of each item in one string, null where there is none.

    Examples
    --------
    >>> item_texts(pl.DataFrame({"item_id": ["a", "b"], "title": ["Alien", None], "year": [1979, 1980]})).to_list()
    ['Alien', None]
    """
    columns = [c for c in TEXT_COLUMNS if c in table.columns and table[c].dtype == pl.String]
    if not columns:
        return pl.Series("text", [None] * table.height, dtype=pl.String)
    joined = table.select(pl.concat_str(columns, separator=" ", ignore_nulls=True).str.strip_chars().alias("text"))[
        "text"
    ]
    return joined.set(joined.str.len_chars() == 0, None)
