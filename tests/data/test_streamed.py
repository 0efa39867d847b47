"""A long file is read some rows at a time as it is read whole: the same events, the same account, less memory."""

import csv
import io
import subprocess
import sys
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data import duplicates, long_files
from warmstart.data.ingest import read_with_report
from warmstart.data.intake import Intake
from warmstart.data.long_files import Irregular, LongTable, long_table
from warmstart.data.synthetic import Synthetic
from warmstart.errors import DataError

DAY = 1_548_936_000
USERS = st.sampled_from(["u1", "u2", "1.0", "2.0", "3", " u1 ", "", "nan", "用户"])
ITEMS = st.sampled_from(["a", "b", 'say "c"', "d,e", "12", "12.0", "two\nlines", ""])
TIMES = st.sampled_from([str(DAY), str(DAY), f"{DAY}123", "2019-01-31", "7", "9", "soon", "20190131", ""])
RATINGS = st.sampled_from(["4", "5", "2.5", "9", "x", "inf", ""])
KINDS = st.sampled_from(["view", "BUY", "share", ""])
ROWS = st.lists(st.tuples(USERS, ITEMS, TIMES, RATINGS, KINDS, st.sampled_from(["end", "."])), min_size=1, max_size=12)
NAMES = ["user", "item", "time", "rating", "event", "note"]


@contextmanager
def all_are_long(batch=3):
    with (
        patch.object(long_files, "LONG", 1),
        patch.object(long_files, "LONG_BYTES", 1),
        patch.object(long_files, "BATCH", batch),
        patch.object(duplicates, "AT_ONCE", 4),
    ):
        yield


def told(source, rejects, **more):
    """What reading gives, or what it refuses with."""
    try:
        data, account = read_with_report(source, rejects=rejects, **more)
    except DataError as error:
        return str(error)
    x = data.interactions
    columns = [getattr(x, name) for name in ("user", "item", "weight", "kind", "time")]
    rows = [column.tolist() for column in columns] + [np.nan_to_num(x.rating, nan=-1).tolist()]
    return data.users.ids, data.catalog.items.ids, x.kinds, rows, account.to_dict(), rejects.read_text("utf-8")


def written(rows, names=NAMES, end="\n"):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([names, *rows])
    return text.getvalue()


def same(source, folder, **more):
    whole = told(source, folder / "rejects.csv", **more)
    with all_are_long(), patch.object(Intake, "events", None):  # which reads the whole
        assert long_table(source) is not None
        parts = told(source, folder / "rejects.csv", **more)
    assert parts == whole
    return whole


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, weights=st.sampled_from([None, "view=1,buy=2,share=0,interaction=1"]), scale=st.booleans())
def test_text_in_parts_is_read_as_the_whole_is(tmp_path_factory, rows, weights, scale):
    folder = tmp_path_factory.mktemp("text")
    (folder / "events.csv").write_text(written(rows), encoding="utf-8", newline="")
    same(folder / "events.csv", folder, weights=weights, scale=(1, 5) if scale else None)


@settings(max_examples=40, deadline=None)
@given(
    users=st.lists(st.sampled_from([1.0, 2.0, 3.5, None, float("nan")]), min_size=1, max_size=10),
    times=st.lists(st.sampled_from([3.0, 1.0, 2.0, float(DAY), 20190131.0, None]), min_size=10, max_size=10),
)
def test_parquet_in_parts_is_read_as_the_whole_is(tmp_path_factory, users, times):
    folder = tmp_path_factory.mktemp("parquet")
    n = len(users)
    frame = pl.DataFrame(
        {"user": users, "item": [7, 8] * 5 if n == 10 else [7] * n, "time": times[:n], "more": [["x", "y"]] * n},
        schema={"user": pl.Float64, "item": pl.Int32, "time": pl.Float64, "more": pl.List(pl.String)},
    )
    (folder / "events").mkdir()
    frame[: n // 2].write_parquet(folder / "events" / "part-0.parquet")
    frame[n // 2 :].write_parquet(folder / "events" / "part-1.parquet")
    same(folder / "events", folder)


def test_programs_and_an_order_of_events_show_only_among_all(tmp_path):
    people = [f"u{n}" for n in range(50) for _ in range(4)]
    frame = pl.DataFrame({"user": people + ["bot"] * 1001, "item": [f"i{n % 1100}" for n in range(len(people) + 1001)]})
    frame = frame.with_columns(time=pl.int_range(pl.len(), 0, -1))
    frame.write_parquet(tmp_path / "events.parquet")
    users, items, _, _, account, _ = same(tmp_path / "events.parquet", tmp_path)
    assert account["refused"] == {"events: user has more than 1,000 events, as only a program has": 1001}
    assert users[0] == "u49"
    assert items[0] == "i199"
    assert account["times"] == "order"


@pytest.mark.parametrize(
    "line", ["u1", "u1,a,4,5,view,end,more", 'u1,a,4,"open'], ids=["short", "too many fields", "a quote left open"]
)
def test_a_line_that_is_no_row_has_the_file_read_whole(tmp_path, caplog, line):
    rows = [[f"u{n}", "a", str(DAY), "4", "view", "end"] for n in range(6)]
    path = tmp_path / "events.csv"
    path.write_text(written(rows) + line + "\n")
    whole = told(path, tmp_path / "rejects.csv")
    with all_are_long():
        assert told(path, tmp_path / "rejects.csv") == whole
    assert "read whole" in caplog.text


@pytest.mark.parametrize(
    "raw",
    [
        "user,item\nu1,caf\xe9\n".encode("latin-1"),
        "user,item\nu1,a\n".encode("utf-16"),
        b"user,item\ru1,a\r",
        b"user,item\nu1,a\rb\n",
        b"user,item\nu1,a\r",
        b"user,item\nu1,a\0\n",
        b'"user","item"\nu1,a\n',
        b"1,2\n3,4\n",
        b"user,item,item\nu1,a,b\n",
        b"user::item::rating\nu1::a::3\n",
        b"\nuser,item\nu1,a\n",
    ],
)
def test_what_polars_may_read_otherwise_is_left_to_the_patient_reader(tmp_path, caplog, raw):
    path = tmp_path / "events.csv"
    path.write_bytes(raw)
    with all_are_long(), patch.object(long_files, "PIECE", 2):
        with pytest.raises(Irregular):
            long_table(path)
        parts = told(path, tmp_path / "rejects.csv")
    assert "events.csv is not UTF-8" in caplog.text
    assert parts == told(path, tmp_path / "rejects.csv")


@pytest.mark.parametrize(
    "raw", [b"user,item\r\nu1,a\r\nu2,b\r\n", b"\xef\xbb\xbfuser,item\nu1,a\nu2,b\n", b"user\titem\nu1\ta"]
)
def test_ends_of_lines_marks_and_tabs(tmp_path, raw):
    path = tmp_path / "events.txt"
    path.write_bytes(raw)
    with patch.object(long_files, "PIECE", 2):
        assert same(path, tmp_path)[1][0] == "a"


def test_short_files_other_sources_and_odd_columns_are_not_read_in_parts(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user,item\nu1,a\n")
    pl.DataFrame({"user": [["u1"]], "item": ["a"]}).write_parquet(tmp_path / "odd.parquet")
    pl.DataFrame({"user": ["u"], "item": ["a"]}).write_parquet(tmp_path / "few.parquet")
    assert long_table(path) is None
    assert long_table(tmp_path / "few.parquet") is None
    with all_are_long():
        for source in (
            "sql:sqlite:///x.db::select 1",
            {"user": [1]},
            tmp_path,
            tmp_path / "none.csv",
            tmp_path / "a.json",
        ):
            assert long_table(source) is None
        assert told(tmp_path / "odd.parquet", tmp_path / "rejects.csv")[0] == ("u1",)


def test_a_parquet_file_that_breaks_off_is_told(tmp_path):
    whole = tmp_path / "events.parquet"
    pl.DataFrame({"user": ["u1"] * 900, "item": [f"i{n}" for n in range(900)]}).write_parquet(whole, row_group_size=100)
    raw = bytearray(whole.read_bytes())
    raw[40:400] = b"\xff" * 360
    whole.write_bytes(bytes(raw))
    with all_are_long(), pytest.raises(DataError, match=r"events\.parquet is a damaged Parquet file"):
        read_with_report(whole)


def test_rows_of_text_differ_in_length(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user,item\nu1,a\nu2\n")
    with all_are_long(), pytest.raises(Irregular):
        list(LongTable("events.csv", pl.scan_csv(path, infer_schema=False)).batches())


def test_too_many_kinds_and_nothing_usable(tmp_path):
    path = tmp_path / "events.parquet"
    pl.DataFrame({"user": ["u"] * 300, "item": ["i"] * 300, "kind": [f"k{n}" for n in range(300)]}).write_parquet(path)
    with all_are_long(batch=100), pytest.raises(DataError, match="more than 127 values"):
        read_with_report(path)
    same(path, tmp_path, columns={"kind": None})
    pl.DataFrame({"user": ["", None], "item": ["i", "j"]}).write_parquet(path)
    with all_are_long(), pytest.raises(DataError, match=r"none of 2 rows of events\.parquet is usable"):
        read_with_report(path)


def test_an_index_without_a_name_is_a_column_like_others(tmp_path):
    (tmp_path / "events.csv").write_text(",user,item\n0,u1,a\n1,,b\n2,u2,c\n")
    assert "1,events,2," not in same(tmp_path / "events.csv", tmp_path)[-1]


def test_categories_and_columns_of_nothing(tmp_path):
    frame = pl.DataFrame(
        {"user": ["b", "a", "b"], "item": ["i", "j", "k"], "kind": ["v", "w", "v"], "time": [None] * 3}
    )
    kinds = {"user": pl.Categorical, "item": pl.Enum(["k", "j", "i"]), "kind": pl.Categorical}
    frame.cast(kinds).write_parquet(tmp_path / "events.parquet")
    assert same(tmp_path / "events.parquet", tmp_path)[0] == ("b", "a")


def test_numbers_of_other_scripts_and_beyond_all_bounds_are_no_order(tmp_path):
    for times in (["3", "1", "2", "\u0663"], ["1e400", "", "", ""], ["1e400", "5", "4", ""]):
        pl.DataFrame({"user": list("abcd"), "item": list("abcd"), "time": times}).write_parquet(tmp_path / "e.parquet")
        same(tmp_path / "e.parquet", tmp_path)


@pytest.mark.parametrize(
    "other", [{"user": [1], "item": ["a"]}, {"user": ["u"]}, {"user": ["u"], "item": ["a"], "more": [1]}]
)
def test_parts_that_do_not_fit_together_are_told_in_the_same_words(tmp_path, other):
    (tmp_path / "events").mkdir()
    pl.DataFrame({"user": ["u1"] * 3, "item": list("abc")}).write_parquet(tmp_path / "events" / "part-0.parquet")
    pl.DataFrame(other).write_parquet(tmp_path / "events" / "part-1.parquet")
    said = "2 Parquet parts that cannot be read as one table"
    assert said in told(tmp_path / "events", tmp_path / "rejects.csv")
    with all_are_long():
        assert said in told(tmp_path / "events", tmp_path / "rejects.csv")


def test_rows_that_are_lost_on_the_way_are_missed(tmp_path):
    rows = pl.LazyFrame({"user": ["u", "v"], "item": ["a", "b"]})
    with pytest.raises(DataError, match=r"damaged Parquet file \(2 of 3 rows can be read\)"):
        list(LongTable("events.parquet", rows, 3).batches())


def test_a_folder_with_brackets_and_one_with_the_name_of_a_file(tmp_path):
    folder = tmp_path / "day[1]"
    folder.mkdir()
    pl.DataFrame({"user": ["u1"] * 3, "item": list("abc")}).write_parquet(folder / "part-0.parquet")
    assert same(folder, tmp_path)[1] == ("a", "b", "c")
    folder.rename(tmp_path / "events.parquet")
    (tmp_path / "events.parquet" / "part-0.parquet").rename(tmp_path / "events.parquet" / "other.parquet")
    with all_are_long():
        assert long_table(tmp_path / "events.parquet") is None


def test_stages_are_told(tmp_path):
    path, stages = tmp_path / "events.parquet", []
    pl.DataFrame({"user": ["u"] * 7, "item": list("abcdefg")}).write_parquet(path)
    with all_are_long():
        read_with_report(path, progress=lambda *told: stages.append(told))
    assert stages[-1] == ("reading events", 7, 7)
    assert stages[0][0] == "looking through events"


def test_memory_of_a_million_events(tmp_path):
    """What reading takes beside the libraries: 350 bytes an event if it were read whole."""
    for _ in Synthetic(20_000, 2_000, 1_700_000, clusters=20).write(tmp_path):
        pass
    code = """
import sys, warmstart as ws
from warmstart.evaluate.memory import peak_memory_mb
import warmstart.data.ingest
before = peak_memory_mb()
data = ws.read(sys.argv[1])
print((peak_memory_mb() - before) * 1e6 / len(data.interactions))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "interactions")]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(found.stdout) < 230
