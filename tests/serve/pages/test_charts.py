"""Charts as geometry, with known answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.serve.pages.charts import HEIGHT, TICKS, Chart, Series, nice
from warmstart.serve.pages.figures import count, percent


def chart(series, **given):
    return Chart("Title", "time", ["a", "b", "c"], series, count, **given)


def test_columns_stand_upon_each_other():
    made = chart([Series("x", [1, 0, 2], "s0"), Series("y", [3, 4, 0], "s1")], stacked=True)
    assert made.top == 4
    assert [(c.kind, c.y, c.height) for c in made.columns] == [
        ("s0", "150", "50"),
        ("s1", "0", "150"),
        ("s1", "0", "200"),
        ("s0", "100", "100"),
    ]
    assert made.ticks == ["0", "1", "2", "3", "4"]
    assert made.rows == [["a", "1", "3"], ["b", "0", "4"], ["c", "2", "0"]]


def test_a_line_breaks_where_nothing_is_known():
    (line,) = chart([Series("x", [4, None, 2])]).lines
    assert line.path == "M166.67 0h0.01M833.33 100h0.01"
    assert chart([Series("x", [4, None, 2])]).rows[1] == ["b", "–"]


def test_intervals_are_areas_and_are_told():
    made = Chart("T", "day", ["a", "b"], [Series("x", [0.1, 0.2], "s0", [0.05, 0.1], [0.2, 0.4])], percent, most=1.0)
    assert made.top == 0.4
    assert made.rows[1] == ["b", "20 % [10 %, 40 %]"]
    assert made.told == "x 20 % [10 %, 40 %] (b)"
    assert [band.path for band in made.bands] == ["M250 100L750 0L750 150L250 175Z"]


def test_nothing_is_an_empty_chart():
    assert chart([Series("x", [0, None, 0])]).empty
    assert not chart([Series("x", [0, None, 1])]).empty


@given(st.floats(1e-6, 1e9))
def test_axes_end_at_round_numbers_not_far_above(value):
    top = nice(value)
    assert value <= top * (1 + 1e-6)
    assert top <= value * TICKS * 2.51
    assert f"{top / TICKS:.2e}"[:4] in ("1.00", "2.00", "2.50", "5.00")


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=1, max_size=8))
def test_everything_stays_within_the_frame(values):
    made = Chart("T", "t", [str(i) for i in range(len(values))], [Series("x", values)], count, stacked=True)
    for column in made.columns:
        assert float(column.y) >= -0.01
        assert float(column.y) + float(column.height) <= HEIGHT + 0.02


def test_marks_are_few_and_hold_the_ends():
    made = Chart("T", "t", [str(i) for i in range(30)], [Series("x", [1.0] * 30)], count)
    assert (made.marks[0], made.marks[-1], len(made.marks)) == ("0", "29", 4)
    with pytest.raises(ValueError, match="argument"):
        Chart("T", "t", ["a", "b"], [Series("x", [1.0]), Series("y", [1.0, 2.0])], count, stacked=True).top  # noqa: B018
