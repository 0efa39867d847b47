"""Rows that can be used, and why the others cannot."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.clean import Rules, clean_events, parse_weights
from warmstart.data.duplicates import DUPLICATE, bot_limit
from warmstart.data.ids import id_text, infer_types
from warmstart.errors import DataError

DAY = 1_548_892_800


def events(**columns):
    n = max(len(values) for values in columns.values())
    given = {"user_id": [f"u{k}" for k in range(n)], "item_id": ["i"] * n, **columns}
    return pl.DataFrame(given, strict=False)


def reasons(frame, rules=None):
    return dict(clean_events(frame, rules or Rules()).refused.rows())


def test_ids():
    assert reasons(events(user_id=["u", None, "nan", " "])) == dict.fromkeys([2, 3, 4], "user id is missing")
    assert reasons(events(item_id=[1.0, None, float("nan")])) == dict.fromkeys([2, 3], "item id is missing")


@given(values=st.lists(st.one_of(st.none(), st.integers(-(2**53) + 1, 2**53 - 1)), min_size=1))
@settings(max_examples=100, deadline=None)
def test_an_id_is_the_same_as_integer_float_and_text(values):
    whole = id_text(pl.Series(values, dtype=pl.Int64)).to_list()
    floats = pl.Series(values, dtype=pl.Float64)
    assert id_text(floats).to_list() == whole
    assert id_text(pl.Series([None if v is None else f"{v}.0" for v in values], dtype=pl.String)).to_list() == whole
    assert whole == [None if v is None else str(v) for v in values]


def test_a_version_number_is_no_float():
    assert id_text(pl.Series(["1.0", "1.5"])).to_list() == ["1.0", "1.5"]


def test_types_of_text_columns():
    frame = pl.DataFrame(
        {"n": ["1", " "], "zip": ["02139", "1"], "x": ["1.5", "2"], "title": ["1984", "nan"], "m": ["1", "a"]}
    )
    got = infer_types(frame, keep=("title",))
    assert got.rows() == [(1, "02139", 1.5, "1984", "1"), (None, "1", 2.0, None, "a")]


def test_ratings_and_weights():
    frame = events(rating=["5", "five", "inf", None, "9", "1"], weight=["1", "1", "1", "0", "1", "heavy"])
    assert reasons(frame, Rules(scale=(1, 5))) == {
        2: "rating is no number",
        3: "rating is not finite",
        4: "weight is not above 0",
        5: "rating is outside 1 to 5",
        6: "weight is missing or no number",
    }
    assert 5 not in reasons(frame)
    assert reasons(events(weight=[1.0, 1e7, float("inf"), float("nan")])) == {
        2: "weight is above 1,000,000",
        3: "weight is not above 0",
        4: "weight is missing or no number",
    }


def test_weights_of_kinds():
    frame = events(kind=["View", "buy", "wish", "skip", None])
    got = clean_events(frame, Rules(weights=parse_weights("view=1,buy=5,skip=0")))
    assert got.events["weight"].to_list() == [1.0, 5.0]
    assert got.refused["reason"].to_list() == [
        "event kind 'wish' has no weight",
        "event kind 'skip' is weighted 0",
        "event kind 'interaction' has no weight",
    ]
    both = clean_events(events(kind=["buy"], weight=[2]), Rules(weights={"buy": 5.0}))
    assert both.events["weight"].to_list() == [10.0]


@pytest.mark.parametrize("text", ["view", "view=x", "view=-1", "view=inf", {"view": None}])
def test_weights_that_are_none(text):
    with pytest.raises(DataError, match="weight"):
        parse_weights(text)


def test_duplicates_are_kept_once_and_repeats_are_events():
    frame = pl.DataFrame(
        {"user_id": ["u"] * 4, "item_id": ["i"] * 4, "time": [DAY, DAY, DAY + 1, DAY], "kind": ["v", "v", "v", "b"]}
    )
    got = clean_events(frame, Rules())
    assert got.events.height == 3
    assert got.refused.rows() == [(2, DUPLICATE)]


def test_a_refused_row_makes_no_duplicate():
    frame = pl.DataFrame({"user_id": ["u", "u"], "item_id": ["i", "i"], "rating": ["x", "4"]})
    assert clean_events(frame, Rules()).events["rating"].to_list() == [4.0]


def test_times_are_refused_and_order_is_kept():
    frame = events(time=["2019-01-31", "1970-05-05", "tomorrow", None])
    assert reasons(frame) == {2: "time before 1990", 3: "time cannot be read (ISO 8601, seconds or milliseconds are)"}
    got = clean_events(events(user_id=["u"] * 3, item_id=["c", "a", "b"], time=[3, 1, 2]), Rules())
    assert (got.times, got.events["item_id"].to_list(), set(got.events["time"])) == ("order", ["a", "b", "c"], {-1})


def test_bots_are_left_out_unless_asked_for():
    people = [f"u{n}" for n in range(50) for _ in range(4)]
    frame = pl.DataFrame({"user_id": people + ["bot"] * 1001, "item_id": [f"i{n}" for n in range(len(people) + 1001)]})
    got = clean_events(frame, Rules())
    assert got.events.height == len(people)
    assert set(got.refused["reason"]) == {"user has more than 1,000 events, as only a program has"}
    assert clean_events(frame, Rules(bots=False)).refused.height == 0


def test_the_busiest_of_busy_people_is_no_bot():
    assert bot_limit(pl.Series([300] * 99 + [10_000])) == 15_000
    assert bot_limit(pl.Series([5_000])) == 250_000
    assert bot_limit(pl.Series([], dtype=pl.Int64)) == 1000


def test_too_many_kinds():
    with pytest.raises(DataError, match=r"has more than 127 values, e.g. 'k0', which cannot be kinds"):
        clean_events(events(kind=[f"k{n}" for n in range(200)]), Rules())


def test_a_reason_is_one_short_line():
    frame = events(kind=["a\nb" + "x" * 1000, "buy"])
    (reason,) = reasons(frame, Rules(weights={"buy": 1.0})).values()
    assert reason.startswith("event kind 'a bxx")
    assert len(reason) < 80
