"""What separates values in a cell, and names that were cut off."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.cells import cell_texts, cut_names, find_separator, split_cell


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["Drama|Crime", "Crime", "War|Drama"], "|"),
        (["Drama;Crime", "Crime"], ";"),
        (["剧情、犯罪", "爱情"], "、"),
        (["剧情 / 犯罪", "爱情"], " / "),
        (["Tom Hanks, Tim Allen, Don Rickles", "Sean Bean"], ","),
        (["Drama, Crime", "Crime, War", "War"], ","),
        (["Joel Coen, Ethan Coen", "Ridley Scott"], ","),
        (["Scott, Ridley; Lem, Stanislaw", "Coen, Joel"], ";"),
        (["Scott, Ridley", "Lem, Stanislaw", "Coen, Joel"], None),
        (["Matrix, The (1999)", "Alien (1979)", "Sting, The (1973)"], None),
        (["Acme, Inc.", "Globex, Ltd."], None),
        (["A cowboy doll is jealous when a new toy arrives, and more of it follows in the end.", "x"], None),
        (["Alien", "Heat"], None),
        ([], None),
    ],
)
def test_separators(cells, mark):
    assert find_separator(cells) == mark


def test_suffixes_stay_with_their_name():
    assert split_cell("Robert Downey, Jr., Val Kilmer", ",") == ["Robert Downey Jr.", "Val Kilmer"]
    assert split_cell("Acme, Inc., Globex", ",") == ["Acme Inc.", "Globex"]
    assert split_cell(" a ||b| a |nan|", "|") == ["a", "b"]


def test_lists_and_numbers():
    assert cell_texts(pl.Series([["a", None, "b\tc"], []])) == (["a\tb c", ""], "\t")
    assert cell_texts(pl.Series([1995.0, None])) == (["1995", ""], None)


def test_a_cut_name_is_completed_or_dropped():
    start = "Somebody Else, " * 4
    cells = [
        f"{start}Tim Alle",
        f"{start}Don Rick",
        f"{start}Sean Bea",
        "Tim Allen, Don Rickles, Don Rickard, Sean Bean",
    ]
    values = [split_cell(cell, ",") for cell in cells]
    assert cut_names(cells, values) == {"Tim Alle": "Tim Allen", "Don Rick": None, "Sean Bea": "Sean Bean"}


def test_a_name_that_stands_elsewhere_was_not_cut():
    start = "Somebody Else, " * 4
    cells = [f"{start}Tom Han"] * 3 + ["Tom Han, Tom Hanks"]
    assert cut_names(cells, [split_cell(cell, ",") for cell in cells]) == {}


def test_short_columns_are_not_cut():
    cells = ["a, Tom Han", "b, Tom Han", "c, Tom Han", "Tom Hanks"]
    assert cut_names(cells, [split_cell(cell, ",") for cell in cells]) == {}


@given(st.lists(st.text("ab,|; .", max_size=30), max_size=8))
def test_no_value_is_made_up(cells):
    mark = find_separator(cells)
    for cell in cells:
        plain = [c for c in cell if c.isalpha()]
        assert all(value.count(c) <= cell.count(c) for value in split_cell(cell, mark) for c in plain)
