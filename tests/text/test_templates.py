import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.errors import ConfigError
from warmstart.text.fields import parts, plain
from warmstart.text.language import chinese_share, is_chinese
from warmstart.text.templates import item_texts


def catalog(**columns):
    n = len(next(iter(columns.values())))
    return Catalog(pl.DataFrame({"item_id": [str(i) for i in range(n)], **columns}))


def test_default_order_and_labels():
    c = catalog(
        description=["A crew meets a guest."],
        cast=["Sigourney Weaver, Tom Skerritt"],
        director=["Ridley Scott"],
        Genres=["Horror|Sci-Fi"],
        year=[1979],
        title=["Alien"],
    )
    assert item_texts(c) == [
        "Alien (1979). Horror, Sci-Fi. Directed by Ridley Scott. "
        "With Sigourney Weaver, Tom Skerritt. A crew meets a guest."
    ]


@pytest.mark.parametrize("blank", [None, "", "nan", "NaN", "(no genres listed)", "  ", "None"])
def test_blanks_leave_no_trace(blank):
    assert item_texts(catalog(title=["Alien"], genres=[blank], description=[blank])) == ["Alien."]


def test_year_once_and_floats_whole():
    c = catalog(title=["Alien (1979)", "Aliens", "Heat", "Solaris"], year=[1979.0, 1986.0, float("nan"), None])
    assert item_texts(c) == ["Alien (1979).", "Aliens (1986).", "Heat.", "Solaris."]


def test_exclamations_keep_their_mark():
    assert item_texts(catalog(title=["Mars Attacks!"], genres=["Comedy"])) == ["Mars Attacks! Comedy."]


def test_chinese_items_get_chinese_punctuation():
    c = catalog(title=["霸王别姬", "Alien"], year=[1993, 1979], genres=["剧情|爱情", "Horror"], 导演=["陈凯歌", None])
    assert item_texts(c) == ["霸王别姬（1993）。类型：剧情、爱情。导演：陈凯歌。", "Alien (1979). Horror."]


def test_nothing_known_is_empty():
    assert item_texts(catalog(title=[None, "x"])) == ["", "x."]
    assert item_texts(catalog(title=pl.Series([], dtype=pl.String))) == []


def test_unknown_columns_are_named():
    c = catalog(colour=["red", None], size=[3, 4], shop_url=["http://a", "http://b"])
    assert item_texts(c) == ["colour: red. size: 3", "size: 4"]


def test_text_of_an_item_ignores_other_rows():
    rows = {"title": ["Alien", "三体", "Heat"], "genres": ["Horror", "科幻", None]}
    whole = item_texts(catalog(**rows))
    one = (pl.Series([g], dtype=pl.String) for g in rows["genres"])
    assert whole == [item_texts(catalog(title=[t], genres=g))[0] for t, g in zip(rows["title"], one, strict=True)]


def test_template_leaves_out_words_of_missing_values():
    c = catalog(
        title=["Solaris", "Eden", "Emma", None],
        year=[1961, None, None, None],
        author=["Lem", "Lem", None, None],
        description=["An ocean.", None, "A match.", None],
    )
    assert item_texts(c, "{title} ({year}) by {author}: {description}") == [
        "Solaris (1961) by Lem: An ocean.",
        "Eden by Lem",
        "Emma: A match.",
        "",
    ]


@pytest.mark.parametrize("template", ["{titel}", "{title", "{title.x}", "{title!r}", "{title:>9}", "{}", "no column"])
def test_wrong_templates_name_the_columns(template):
    with pytest.raises(ConfigError, match="template"):
        item_texts(catalog(title=["a"]), template)


def test_unknown_field_names_the_columns_there_are():
    with pytest.raises(ConfigError, match=r"'titel'.*'title'"):
        item_texts(catalog(title=["a"]), "{titel}")


def test_huge_fields_are_cut_quickly():
    text = item_texts(catalog(title=["x"], description=["word " * 2_000_000]))[0]
    assert len(text) < 1100


def test_lists_of_any_form():
    assert plain(pl.Series(["a", None])) == "a"
    assert parts(["Drama", "War"], 1) == ["Drama"]
    assert item_texts(catalog(title=["x"], genres=[["Drama", "War"]])) == ["x. Drama, War."]


def test_language():
    assert [is_chinese(t) for t in ("", "2001", "三体2")] == [False, False, True]
    assert chinese_share([]) == 0.0
    assert chinese_share(["流浪地球"] * 5000) == 1.0
