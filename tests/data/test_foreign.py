"""Frames of other libraries, and columns of any values."""

import datetime as dt
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.foreign import read_frame
from warmstart.data.series import series_of, text_of, tidy
from warmstart.errors import DataError

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.binary(max_size=4), st.dates(),
    st.datetimes(timezones=st.just(dt.UTC)), st.lists(st.text(max_size=2), max_size=2), st.decimals(),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)  # fmt: skip


@given(values=st.lists(VALUES, max_size=6))
@settings(max_examples=300, deadline=None)
def test_any_values_make_a_column(values):
    column = series_of("a", values)
    assert len(column) == len(values)
    missing = [v is None or (str(v).lower() == "nan" and isinstance(v, float | Decimal)) for v in values]
    assert all(column[at] is None for at, gone in enumerate(missing) if gone)


def test_whole_numbers_too_large_for_64_bits_become_text():
    assert series_of("a", [2**70, 1]).to_list() == [str(2**70), "1"]
    assert text_of(1e300) == "1e+300"


def pandas_frame():
    return pd.DataFrame(
        {
            "user": [1, 2, 3],
            "score": [1.0, np.nan, 3.5],
            "name": pd.Series(["a", None, "c"], dtype="str"),
            "mixed": pd.Series([1, "x", None], dtype=object),
            "maybe": pd.array([1, None, 3], dtype="Int64"),
            "cat": pd.Categorical(["p", "q", "p"]),
            "when": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "zoned": pd.to_datetime(["2020-01-01T01:00:00+01:00"] * 3),
            "flag": [True, False, True],
        }
    )


def check_pandas():
    frame = read_frame(pandas_frame()).frame
    assert frame["user"].to_list() == [1, 2, 3]
    assert frame["score"].to_list() == [1.0, None, 3.5]
    assert frame["name"].to_list() == ["a", None, "c"]
    assert frame["mixed"].to_list() == ["1", "x", None]
    assert frame["maybe"].to_list() == [1, None, 3]
    assert frame["cat"].to_list() == ["p", "q", "p"]
    assert frame["when"].to_list() == [dt.datetime(2020, 1, 1), None, dt.datetime(2020, 1, 3)]
    assert frame["zoned"].to_list() == [dt.datetime(2020, 1, 1)] * 3
    assert frame["flag"].to_list() == [True, False, True]


def test_pandas():
    check_pandas()


def test_pandas_needs_no_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    check_pandas()


def test_a_named_pandas_index_is_a_column():
    frame = pd.DataFrame({"user": ["u"], "item": ["i"]}).set_index("user")
    assert read_frame(frame).frame.rows() == [("u", "i")]


def test_a_pandas_column_twice_is_refused():
    with pytest.raises(DataError, match="'a' occurs twice"):
        read_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_arrow_lazy_mapping_and_spark_like():
    table = {"a": [1, 2], "b": ["x", None]}

    class Spark:
        def toPandas(self):
            return pd.DataFrame(table)

    for source in (pa.table(table), pl.LazyFrame(table), table, Spark()):
        assert read_frame(source).frame.rows() == [(1, "x"), (2, None)]


def test_polars_of_odd_types_becomes_plain():
    frame = pl.DataFrame(
        {
            "l": [["a", None, "b"], None],
            "s": [{"k": 1}, {"k": 2}],
            "c": pl.Series(["x", "y"], dtype=pl.Categorical),
            "d": pl.Series([Decimal("1.5"), None]),
            "n": pl.Series([None, None]),
            "t": [dt.time(1), dt.time(2)],
            "b": [b"x", b"\xff"],
        }
    )
    assert tidy(frame).rows()[0] == ("a|b", '{"k": 1}', "x", 1.5, None, "01:00:00", "x")


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(DataError, match="give columns of equal length"):
        read_frame({"a": [1], "b": [1, 2]})
