"""Every reader: random bytes give a table or a DataError, good bytes give what was written."""

import gzip
import io
import json
import re

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from warmstart.data.readers import File, read_bytes, read_table
from warmstart.errors import DataError

NAMES = ("x.csv", "x.tsv", "x.txt", "x.jsonl", "x.json", "x.parquet", "x.inter", "x.kg", "x.csv.gz", "x.dat", "x")
PIECES = st.sampled_from(
    [
        b"user_id",
        b"item_id:token",
        b",",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b'""',
        b"1",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\x00",
        b"\xff\xfe",
        "流".encode(),
        "流".encode("gbk"),
        b"::",
        b"{",
        b"}",
        b'{"a":1}',
        b"[",
        b"]",
        b'{"a":[1,"x"]}',
        b"1e999",
        b"NaN",
        b"PAR1",
        b"\x1f\x8b",
        b'"\\ud800"',
        b'{"a":"\\ud800"}',
        b" ",
        b";",
        b"|",
        b"9" * 400,
        b"\xe9",
    ]
)
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(lambda s: s.strip() == s)


def attempt(raw, name):
    try:
        return read_bytes(raw, name)
    except DataError as error:
        return error


@given(raw=st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map(b"".join)), name=st.sampled_from(NAMES))
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_bytes_give_a_frame_or_a_data_error(raw, name):
    table = attempt(raw, name)
    if isinstance(table, DataError):
        assert name in str(table)
        assert "\n" not in str(table)
    else:
        assert isinstance(table.frame, pl.DataFrame)
        assert all(n > 0 for n in table.repairs.values())
        assert table.refused["reason"].null_count() == 0


@given(raw=st.lists(PIECES, max_size=20).map(b"".join), name=st.sampled_from(["x.csv", "x.jsonl", "x.parquet"]))
@settings(max_examples=150, deadline=None)
def test_random_bytes_in_gzip(raw, name):
    assume(not raw.startswith(b"\x1f\x8b"))  # gzip in gzip is unpacked once
    plain, packed = attempt(raw, name), attempt(gzip.compress(raw), name + ".gz")
    assert type(plain) is type(packed)
    assert isinstance(plain, DataError) or plain.frame.equals(packed.frame)


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_csv_round_trip(rows):
    frame = pl.DataFrame(rows, schema=["first", "second", "third"], orient="row")
    assert read_bytes(frame.write_csv().encode(), "x.csv").frame.equals(frame)


@given(
    rows=st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), CELLS, st.floats(allow_nan=False)), min_size=1, max_size=8
    )
)
@settings(max_examples=80, deadline=None)
def test_parquet_round_trip(rows):
    frame = pl.DataFrame(rows, schema=["a", "b", "c"], orient="row")
    file = io.BytesIO()
    frame.write_parquet(file)
    assert read_bytes(file.getvalue(), "x.parquet").frame.equals(frame)


@given(rows=st.lists(st.fixed_dictionaries({"a": st.integers(-5, 5), "b": CELLS}), min_size=1, max_size=6))
@settings(max_examples=80, deadline=None)
def test_json_lines_and_arrays_agree(rows):
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    got = read_bytes(lines, "x.jsonl").frame
    assert got.rows(named=True) == rows
    assert read_bytes(json.dumps(rows).encode(), "x.json").frame.equals(got)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "流浪地球"),
        ("utf-16", "流浪地球"),
        ("utf-16-le", "plain"),
        ("gbk", "流浪地球，电影"),
        ("latin-1", "El niño perdido"),
        ("cp1252", "l’été"),
        ("utf-32", "Alien"),
        ("utf-8", "Ünïcödé"),
    ],
)
def test_encodings_are_recognised(encoding, text):
    got = read_bytes(f"user,item\nu1,{text}\n".encode(encoding), "x.csv")
    assert got.frame.columns == ["user", "item"]
    assert got.frame["item"].to_list() == [text]


def test_an_encoding_can_be_given(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("user,item\nu,電影\n".encode("big5"))
    assert read_table(File(path, encoding="big5")).frame["item"].to_list() == ["電影"]
    with pytest.raises(DataError, match="not known; use a Python codec"):
        read_table(File(path, encoding="martian"))
    with pytest.raises(DataError, match="is not ascii"):
        read_table(File(path, encoding="ascii"))


def test_a_few_broken_characters_are_replaced_and_counted():
    raw = "user,item\n" + "".join(f"u{n},流浪地球\n" for n in range(50))
    got = read_bytes(raw.encode() + b"u,\xe6\xb5\n", "x.csv")
    assert got.repairs == {"characters replaced that are no utf-8": 1}
    assert got.frame["item"][0] == "流浪地球"


def test_ten_million_characters_in_a_field_on_both_ways():
    long = "x" * 10_000_000
    for tail in ("1", ""):  # complete rows go the fast way, the missing last field goes the patient one
        frame = read_bytes(f"a,b\n{long},{tail}\n".encode(), "x.csv").frame
        assert frame["a"].str.len_bytes().to_list() == [10_000_000]


def test_embedded_newlines_quotes_and_blank_lines():
    got = read_bytes(b'a,b\r\n"x\ny","say ""hi"""\r\n\r\n2,3\r\n', "x.csv").frame
    assert got.rows() == [("x\ny", 'say "hi"'), ("2", "3")]


def test_ragged_rows_are_filled_or_refused_and_counted():
    got = read_bytes(b"a,b\n1\n2,3,4\n5,6\n7,8,\n", "x.csv")
    assert got.frame.rows() == [("1", None), ("5", "6"), ("7", "8")]
    assert got.repairs == {"short rows filled up with nothing": 1}
    assert got.refused.rows() == [(2, "more than 2 fields", "2,3,4")]


def test_an_open_quote_names_its_line():
    with pytest.raises(DataError, match=r"x.csv, line 3: a quote is opened and never closed"):
        read_bytes(b'a,b\n1,2\n"3,4\n5,6\n', "x.csv")


def test_a_stray_quote_costs_its_row_only():
    got = read_bytes(b'a,b\n"1"x,2\n3,4\n', "x.csv")
    assert got.frame.rows() == [("3", "4")]
    assert got.refused["row"].to_list() == [1]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"   \n", "\ufeff".encode()])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.inter", "x.tsv"])
def test_empty_files_say_so(raw, name):
    with pytest.raises(DataError, match="is empty"):
        read_bytes(raw, name)


@pytest.mark.parametrize(
    ("raw", "name", "says"),
    [
        (b"a,b\n\x00\x01,2\n", "x.csv", "not a text file"),
        (b"no parquet", "x.parquet", "no Parquet file"),
        (b"PAR1garbagePAR1", "x.parquet", "damaged Parquet"),
        (b"\x1f\x8bbroken", "x.csv.gz", "damaged gzip"),
        (b"a,b\n1,2\n", "x.xlsx", r"suffix '.xlsx'"),
        (b"user_id\titem_id\n1\t2\n", "x.inter", "has no type"),
        (b"a:token\ta:token\n", "x.inter", "occurs twice"),
        (b"nonsense\n", "x.jsonl", "holds no JSON object"),
        (b"[]", "x.json", "holds no JSON object"),
        (b"{}", "x.json", "only empty JSON objects"),
    ],
)
def test_what_a_file_is_not(raw, name, says):
    with pytest.raises(DataError, match=says):
        read_bytes(raw, name)


def test_paths_that_lead_nowhere(tmp_path):
    with pytest.raises(DataError, match=re.escape("is a folder, not a table")):
        read_table(tmp_path)
    with pytest.raises(DataError, match="check the path"):
        read_table(str(tmp_path / "no.csv"))
    with pytest.raises(DataError, match="a int is no table"):
        read_table(7)


def test_separators_headers_and_old_line_ends():
    assert read_bytes(b"user;item\n1;2,5\n", "x.csv").frame.rows() == [("1", "2,5")]
    assert read_bytes(b"a,b\r1,2\r", "x.csv").frame.rows() == [("1", "2")]
    assert read_bytes(b"1::2::3\n4::5::6\n", "x.dat").frame.columns == ["1", "2", "3"]
    assert read_bytes(b"a,a,b\n1,2,3\n", "x.csv").frame.columns == ["a", "a_2", "b"]
    headless = read_bytes(b"196\t242\t3\n186\t302\t3\n", "u.data")
    assert headless.frame.height == 2
    assert "first line taken as data, columns numbered" in headless.repairs


def test_atomic_files():
    raw = b"item_id:token\ttitle:token_seq\tclass:token_seq\tprice:float\n1\tToy Story\tA B\t1.5\n2\tx\ty\t\n3\tz\n"
    got = read_bytes(raw, "ml.item")
    assert got.frame.rows() == [("1", "Toy Story", "A|B", 1.5), ("2", "x", "y", None)]
    assert got.refused.rows() == [(3, "2 fields for 4 columns", "3\tz")]


def test_json_values_of_mixed_types_become_text():
    raw = b'{"a": 1, "g": ["x", "y"]}\n{"a": "b", "g": null, "d": {"k": 1}}\n'
    assert read_bytes(raw, "x.jsonl").frame.rows() == [("1", "x|y", None), ("b", None, '{"k": 1}')]
