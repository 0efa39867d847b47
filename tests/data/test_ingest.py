"""From raw tables to a dataset, by every way in."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.ingest import read, read_with_report
from warmstart.data.synthetic import Synthetic
from warmstart.errors import DataError

RATINGS = "userId,movieId,rating,timestamp\n1,10,4,1548936000\n2,11,3,1548936000\n1,12,5,1548935000\n,10,3,1548936000\n"
ITEMS = "movieId,title,year\n12,Solaris,1972\n10,Alien,1979\n10,Alien again,1980\n13,Stalker,\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ratings.csv").write_text(RATINGS)
    (tmp_path / "items.csv").write_text(ITEMS)
    (tmp_path / "users.csv").write_text("userId,age\n9,30\n2,40\n")
    (tmp_path / "kg.csv").write_text("head,relation,tail\nm.1,by,Lem\nm.1,by,Lem\nm.2,,x\n")
    (tmp_path / "kg_item_links.csv").write_text("item_id,entity_id\n12,m.1\n")
    return tmp_path


def test_everything_from_a_folder(folder):
    data, report = read_with_report(folder, rejects=folder / "out" / "rejects.csv")
    x = data.interactions
    assert data.catalog.items.ids == ("12", "10", "13", "11")
    assert data.users.ids == ("1", "2", "9")
    assert [data.catalog.items.ids[i] for i in x.item] == ["12", "10", "11"]
    assert x.rating.tolist() == [5.0, 4.0, 3.0]
    assert (x.has_time, set(x.weight.tolist())) == (True, {1.0})
    assert data.catalog.table["year"].to_list() == [1972, 1979, None, None]
    assert data.user_table["age"].to_list() == [None, 40, 30]
    assert data.graph.triples.rows() == [("12", "by", "Lem")]
    assert report.refused == {
        "events: user id is missing": 1,
        "items: item id occurs before": 1,
        "graph: triple occurs before": 1,
        "graph: head, relation or tail is missing": 1,
    }
    assert report.rows == {"events": 4, "items": 4, "users": 2, "graph": 3, "links": 1}
    assert report.kept == {"events": 3, "items": 3, "users": 2, "graph": 1, "links": 1}
    assert report.columns["items"] == {"item_id": "movieId", "title": "title"}
    assert report.repairs["events: items that are not in the items table"] == 1
    rejects = pl.read_csv(folder / "out" / "rejects.csv")
    assert rejects.height == report.n_refused == 4
    assert rejects.row(0, named=True)["movieId"] == 10
    assert json.loads(json.dumps(report.to_dict()))["times"] == "seconds"


def test_files_frames_and_lines_give_the_same(folder):
    expected = read(folder / "ratings.csv", items=folder / "items.csv").fingerprint()
    ratings, items = pd.read_csv(folder / "ratings.csv"), pd.read_csv(folder / "items.csv")
    assert ratings["userId"].dtype == float  # a missing id makes pandas write 1.0
    ratings.to_csv(folder / "floats.csv", index=False)
    pl.from_pandas(items).write_parquet(folder / "items.parquet")
    pl.from_pandas(ratings).write_ndjson(folder / "ratings.jsonl")
    for source in (ratings, pl.from_pandas(ratings), folder / "floats.csv", str(folder / "ratings.jsonl")):
        for described in (items, folder / "items.parquet"):
            assert read(source, items=described).fingerprint() == expected


@given(
    events=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(631152000, 4102444799)), min_size=1, max_size=20
    )
)
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost(events):
    data, report = read_with_report(pl.DataFrame(events, schema=["user", "item", "time"], orient="row"))
    assert len(data.interactions) == len(set(events)) == report.kept["events"]
    assert len(data.interactions) + report.n_refused == len(events)
    x = data.interactions
    got = {
        (data.users.ids[u], data.catalog.items.ids[i], t)
        for u, i, t in zip(x.user, x.item, x.time.tolist(), strict=True)
    }
    assert got == {(str(u), str(i), t) for u, i, t in events}


def test_recbole(tmp_path):
    (tmp_path / "ml.inter").write_text("user_id:token\titem_id:token\ttimestamp:float\n1\ta\t1548936000\n")
    (tmp_path / "ml.item").write_text(
        "item_id:token\tmovie_title:token_seq\tclass:token_seq\na\tToy Story\tAnimation Comedy\n"
    )
    (tmp_path / "ml.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\nm.1\tby\tm.2\n")
    (tmp_path / "ml.link").write_text("item_id:token\tentity_id:token\na\tm.1\n")
    data = read(tmp_path)
    assert data.catalog.table.rows() == [("a", "Toy Story", "Animation|Comedy")]
    assert data.graph.triples.rows() == [("a", "by", "m.2")]
    (tmp_path / "other.inter").write_text("x")
    with pytest.raises(DataError, match=r"2 files \*.inter"):
        read(tmp_path)


def test_movielens_100k(tmp_path):
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n186\t302\t4\t891717742\nbroken\n")
    (tmp_path / "u.item").write_bytes(
        ("242|Misérables, Les (1995)|x||u|" + "|".join("01" + "0" * 17) + "\n").encode("latin-1")
    )
    (tmp_path / "u.user").write_text("196|24|M|technician|85711\n")
    data, report = read_with_report(tmp_path)
    assert data.catalog.table.rows()[0] == ("242", "Misérables, Les (1995)", "Action", 1995)
    assert data.user_table["occupation"].to_list() == ["technician", None]
    assert report.refused == {"events: 1 fields for 4 columns": 1}


def test_movielens_1m_and_latest(tmp_path):
    for name in ("1m", "latest"):
        (tmp_path / name).mkdir()
    (tmp_path / "1m" / "ratings.dat").write_text("1::1193::5::978300760\n")
    (tmp_path / "1m" / "movies.dat").write_text("1193::One Flew: Over (1975)::Drama|War\n")
    (tmp_path / "1m" / "users.dat").write_text("1::F::1::10::48067\n")
    (tmp_path / "latest" / "ratings.csv").write_text(RATINGS)
    (tmp_path / "latest" / "movies.csv").write_text('movieId,title,genres\n10,"Alien, The (1979)",Horror\n')
    old, new = read(tmp_path / "1m"), read(tmp_path / "latest")
    assert old.catalog.table.rows() == [("1193", "One Flew: Over (1975)", "Drama|War", 1975)]
    assert old.user_table.rows() == [("F", 1, 10, 48067)]
    assert new.catalog.table["year"][0] == 1979


def test_ratings_that_say_nothing_are_left_out():
    for ratings in ([1.0, 1.0, 1.0], [5.0, None, None], [None, None, None]):
        data = read({"user": [1, 2, 3], "item": [1, 2, 3], "rating": ratings})
        assert np.isnan(data.interactions.rating).all()
    assert not np.isnan(read({"user": [1, 2], "item": [1, 2], "rating": [4, None]}).interactions.rating).all()


def test_a_catalogue_without_events_is_data():
    data = read({"user": [], "item": []}, items={"item_id": ["a"], "title": ["Alien"]})
    assert (data.n_items, data.n_users, len(data.interactions)) == (1, 0, 0)
    with pytest.raises(DataError, match="neither an event nor an item"):
        read({"user": [], "item": []})


def test_kinds_weights_and_order():
    data = read({"user": ["u"] * 3, "item": ["c", "a", "b"], "event": ["view", "buy", "view"]}, weights="view=1,buy=5")
    assert data.interactions.kinds == ("view", "buy")
    assert data.interactions.weight.tolist() == [1.0, 5.0, 1.0]
    assert [data.catalog.items.ids[i] for i in data.interactions.item] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("events", "settings", "says"),
    [
        (
            {"user": ["u"], "item": ["i"], "time": ["soon"]},
            {},
            "none of 1 rows of .* is usable, most often because time cannot be read",
        ),
        ({"user": ["u"], "item": ["i"]}, {"columns": {"usr": "user"}}, "columns has the key 'usr'"),
        ({"user": ["u", None], "item": ["i", "j"]}, {"rejects": "x.xlsx"}, "has the suffix '.xlsx'"),
        ({"user": ["u"], "item": ["i"]}, {"weights": "buy=5"}, "event kind 'interaction' has no weight"),
    ],
)
def test_what_cannot_be_read(events, settings, says):
    with pytest.raises(DataError, match=says):
        read(events, **settings)


def test_a_folder_without_events(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"has no table of events; it has \['notes.txt'\]"):
        read(tmp_path)


def test_rejects_as_parquet_and_lines(tmp_path):
    events = {"user": ["u", None], "item": ["i", "j"], "reason": ["x", "y"]}
    for name in ("r.parquet", "r.jsonl"):
        read(events, rejects=tmp_path / name)
    assert pl.read_parquet(tmp_path / "r.parquet")["reason"].to_list() == ["user id is missing"]
    assert pl.read_ndjson(tmp_path / "r.jsonl")["reason_"].to_list() == ["y"]


def test_a_saved_dataset_comes_back_equal(tmp_path, folder):
    data = read(folder)
    data.save(tmp_path / "saved")
    assert read(tmp_path / "saved").fingerprint() == data.fingerprint()
    assert read(tmp_path / "saved").user_table.equals(data.user_table)


NUMBERS = st.one_of(st.booleans(), st.integers(), st.floats())
CELLS = st.one_of(st.none(), NUMBERS, st.text(max_size=4), st.datetimes(), st.lists(st.integers(), max_size=2))
EVENT = st.fixed_dictionaries({name: CELLS for name in ("user", "item", "rating", "time", "kind", "weight")})


@given(rows=st.lists(EVENT, min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_any_values_give_data_or_a_data_error(rows):
    try:
        data, report = read_with_report(rows)
    except DataError as error:
        message = str(error)
    else:
        message = ""
        assert len(data.interactions) == report.kept["events"] == len(rows) - report.n_refused
        assert np.isfinite(data.interactions.weight).all()
        assert data.interactions.time.min() >= -1
    assert "\n" not in message


def test_a_folder_of_parts_is_one_table(tmp_path):
    list(Synthetic(60, 30, 400, clusters=3).write(tmp_path))
    part = pl.read_parquet(tmp_path / "interactions" / "part-00000.parquet")
    (tmp_path / "interactions" / "part-00000.parquet").unlink()
    for at in range(3):
        part[at * 150 : (at + 1) * 150].write_parquet(tmp_path / "interactions" / f"part-{at:05d}.parquet")
    whole = read(tmp_path)
    assert len(whole.interactions) == len(part)
    assert whole.fingerprint() == read(tmp_path / "interactions", items=tmp_path / "items.parquet").fingerprint()
    assert whole.fingerprint() == read(part, items=tmp_path / "items.parquet").fingerprint()


def test_a_table_of_items_beside_parts_is_read(tmp_path):
    pl.DataFrame({"user": ["u"], "item": ["x"]}).write_parquet(tmp_path / "part-0.parquet")
    pl.DataFrame({"item_id": ["x", "z"], "title": ["Alien", "Jaws"]}).write_parquet(tmp_path / "items.parquet")
    assert read(tmp_path).catalog.titles == ["Alien", "Jaws"]


def test_parts_that_differ_are_told(tmp_path):
    for at, names in enumerate((("user", "item"), ("user", "thing"))):
        pl.DataFrame({name: ["a"] for name in names}).write_parquet(tmp_path / f"part-{at}.parquet")
    with pytest.raises(DataError, match="2 Parquet parts that cannot be read as one table"):
        read(tmp_path)
