"""Times: units told apart, the implausible refused."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.times import EARLIEST, LATEST, TOO_EARLY, TOO_LATE, UNREADABLE, read_times

SECONDS = st.integers(EARLIEST, LATEST - 1)


@given(moments=st.lists(SECONDS, min_size=1, max_size=10), power=st.sampled_from([0, 3, 6, 9]))
@settings(max_examples=200, deadline=None)
def test_every_unit_gives_the_same_seconds(moments, power):
    got = read_times(pl.Series([m * 10**power for m in moments]))
    assert got.reason.null_count() == len(moments)
    assert all(abs(a - b) <= 1 for a, b in zip(got.seconds, moments, strict=True))
    text = read_times(pl.Series([str(m * 10**power) for m in moments]))
    assert text.seconds.to_list() == got.seconds.to_list()


@given(moment=SECONDS, minutes=st.integers(-14 * 60, 14 * 60))
@settings(max_examples=200, deadline=None)
def test_iso_with_any_zone(moment, minutes):
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    text = dt.datetime.fromtimestamp(moment, zone).isoformat()
    assert read_times(pl.Series([text])).seconds.to_list() == [moment]


@given(moment=st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2099, 12, 31)))
@settings(max_examples=100, deadline=None)
def test_datetimes_and_their_text_agree(moment):
    seconds = int(moment.replace(tzinfo=dt.UTC, microsecond=0).timestamp())
    assert read_times(pl.Series([moment])).seconds.to_list() == [seconds]
    assert read_times(pl.Series([moment.isoformat()])).seconds.to_list() == [seconds]


@given(values=st.lists(st.one_of(st.text(max_size=12), st.none()), max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_time_or_has_a_reason(values):
    got = read_times(pl.Series(values, dtype=pl.String))
    for second, reason in zip(got.seconds, got.reason, strict=True):
        assert second == -1 or EARLIEST <= second < LATEST
        assert reason is None or second == -1


@given(values=st.lists(st.one_of(st.floats(), st.none()), max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_number_is_a_time_or_has_a_reason(values):
    got = read_times(pl.Series(values, dtype=pl.Float64))
    assert all(s == -1 or EARLIEST <= s < LATEST for s in got.seconds)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1989-12-31", TOO_EARLY),
        ("2100-01-01", TOO_LATE),
        ("31/01/2019", UNREADABLE),
        ("2019-02-30", UNREADABLE),
        ("soon", UNREADABLE),
        ("2019-01-31", None),
        ("2019/1/31 8:05", None),
        ("2019-01-31T08:05:00.123Z", None),
        ("2019-01-31 08:05:00 +0800", None),
    ],
)
def test_text(value, reason):
    assert read_times(pl.Series([value, "2020-05-05"])).reason.to_list() == [reason, None]


def test_units_may_differ_row_by_row():
    got = read_times(pl.Series(["1548936000", "1548936000000", "2019-01-31T12:00:00Z", "nan", None]))
    assert got.seconds.to_list() == [1548936000] * 3 + [-1, -1]
    assert got.reason.null_count() == 5


def test_days_order_and_nothing():
    assert read_times(pl.Series([20190131, 20190201])).seconds.to_list() == [1548892800, 1548979200]
    assert read_times(pl.Series([3, 1, 2])).form == "order"
    assert read_times(pl.Series([0.0, 0.0])).form == "none"
    assert read_times(pl.Series([None, None], dtype=pl.String)).form == "none"
    assert read_times(pl.Series([dt.date(2019, 1, 31)])).seconds.to_list() == [1548892800]
    assert read_times(pl.Series([True, False])).reason.to_list() == [UNREADABLE] * 2
