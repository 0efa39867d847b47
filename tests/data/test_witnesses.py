"""A part read with the witnesses of the whole is read as the whole is."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.clean import Rules, judge
from warmstart.data.times import read_times
from warmstart.data.witnesses import witnesses
from warmstart.scale.spark_clean import judged_rows, limit_of

IDS = st.sampled_from(["1.0", "2.0", "x", "3", "", "nan", None])
TIMES = st.one_of(
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["20190131", "20190201", "20191399"]),
    st.sampled_from(["1548936000", "1548936000123", "2019-01-31", "soon", "", None, "<NA>"]),
)
NUMBERS = st.one_of(
    st.sampled_from([1.0, 2.0, 20190131.0, None]), st.sampled_from([1548936000.0, 1.5e12, float("inf"), 7.0])
)
GOOD = ["user_id", "item_id", "kind", "weight", "rating", "time", "order"]


def whole_and_parts(table, cut):
    table = table.with_columns(place=pl.lit(0, pl.Int64), row=pl.int_range(pl.len(), dtype=pl.Int64))
    columns = table.drop("place", "row")
    parts = [columns[:cut], columns[cut:]]
    known = pl.concat([part[witnesses(part)] for part in parts])
    known = known[witnesses(known)]
    whole = judge(columns, Rules())[0]
    found = pl.concat([judged_rows(part, known, Rules()) for part in (table[:cut], table[cut:])])
    assert found["reason"].to_list() == whole["reason"].to_list()
    kept = pl.col("reason").is_null()
    assert found.filter(kept).select(GOOD).rows() == whole.filter(kept).select(GOOD).rows()
    assert read_times(known["time"]).form == read_times(columns["time"]).form


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(IDS, IDS, TIMES), min_size=1, max_size=8), st.integers(0, 8))
def test_text(rows, cut):
    names = ["user_id", "item_id", "time"]
    whole_and_parts(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row"), cut)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(IDS, NUMBERS), min_size=1, max_size=8), st.integers(0, 8))
def test_numbers(rows, cut):
    frame = pl.DataFrame(rows, schema={"user_id": pl.String, "time": pl.Float64}, orient="row")
    whole_and_parts(frame.with_columns(item_id=pl.lit(1)), cut)


def test_who_is_a_program_is_told_by_how_many_have_so_many_events():
    assert limit_of(pl.Series([], dtype=pl.Int64), pl.Series([], dtype=pl.Int64)) == 1_000
    assert limit_of(pl.Series([30, 90, 10_000]), pl.Series([95, 4, 1])) == 50 * 90
