"""What Spark reads is what one machine reads."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.ingest import read, read_with_report
from warmstart.data.synthetic import Synthetic
from warmstart.errors import ConfigError, DataError
from warmstart.experts.linear import PriorMeanEASE
from warmstart.scale.spark_tables import SparkTables


def parts(folder, frames):
    folder.mkdir(parents=True)
    for at, frame in enumerate(frames):
        frame.write_parquet(folder / f"part-{at:05d}.parquet", row_group_size=300)
    return str(folder)


def same(spark, events, **given):
    data, account = SparkTables(events, **given).read(spark)
    expected, told = read_with_report(events, **given)
    assert data.fingerprint() == expected.fingerprint()
    assert data.interactions.kinds == expected.interactions.kinds
    assert (data.user_table is None) == (expected.user_table is None)
    if data.user_table is not None:
        assert data.user_table.equals(expected.user_table)
    assert data.catalog.table.equals(expected.catalog.table)
    found, wanted = account.to_dict(), told.to_dict()
    assert dict(sorted(found["refused"].items())) == dict(sorted(wanted["refused"].items()))
    names = ("rows", "kept", "times", "columns", "repairs")
    assert [found[name] for name in names] == [wanted[name] for name in names]
    return data, account


@pytest.mark.parametrize("ids", ["integer", "uuid"])
def test_made_up_data_with_ids_of_any_kind(spark, tmp_path, ids):
    for _ in Synthetic(users=200, items=60, events=6_000, clusters=4, ids=ids).write(tmp_path):
        pass
    data, _ = same(spark, str(tmp_path))
    assert len(data.interactions) > 3_000


def test_everything_that_can_be_wrong_with_an_event(spark, tmp_path):
    rng = np.random.default_rng(0)
    n = 4_000
    frame = pl.DataFrame(
        {
            "user": rng.choice(["7.0", "8.0", "9.0", " u ", "", "nan", None], n),
            "movieId": rng.choice(["10.0", "11.0", "12.0"], n),
            "stars": rng.choice(["1", "5", "9", "good", ""], n, p=[0.4, 0.4, 0.1, 0.05, 0.05]),
            "ts": rng.choice(["1548936000", "2019-01-31T12:00:00+01:00", "soon", "12", ""], n),
            "event": rng.choice(["View", "buy", "wish"], n, p=[0.7, 0.25, 0.05]),
            "weight": rng.choice(["1", "0.3", "-1", "much"], n, p=[0.6, 0.3, 0.05, 0.05]),
        }
    )
    events = parts(tmp_path / "events", [frame[:1500], frame[1500:1501], frame[1501:]])
    users = pl.DataFrame({"user_id": ["8.0", "nobody"], "age": [30, 40]})
    items = pl.DataFrame({"item_id": ["12", "13"], "title": ["Solaris", "Stalker"]})
    data, account = same(
        spark, events, users=users, items=items, columns={"rating": "stars"}, weights="view=1,buy=5", scale=(1, 5)
    )
    assert len(account.refused) >= 9
    assert set(data.users.ids) == {"7.0", "8.0", "9.0", "u", "nobody"}  # as not all end so, .0 is part of the id
    assert set(data.catalog.items.ids) == {"10", "11", "12", "13"}


@pytest.mark.parametrize(
    "times",
    [[5, 3, 3, 4, None], [20190131, 20190201, 20190131, None, 20190202], [1548936000123, 1548936001, 7, 5, None]],
)
def test_times_are_read_by_what_the_whole_column_looks_like(spark, tmp_path, times):
    table = {"user": ["a.0", "1.0", "1.0", "2.0", "2.0"], "item": [1, 2, 3, 1, 2], "time": times}
    frame = pl.DataFrame(table, schema_overrides={"time": pl.Int64})
    same(spark, parts(tmp_path / "events", [frame[:2], frame[2:3], frame[3:]]))


def test_text_files_and_people_who_are_programs(spark, tmp_path):
    user = ["bot"] * 1_200 + [f"u{n % 200}" for n in range(1_000)]
    item = [f"i{n}" for n in range(1_200)] + [f"i{n % 7} é,中" for n in range(1_000)]
    pl.DataFrame({"userId": user, "itemId": item}).write_csv(tmp_path / "events.csv")
    _, account = same(spark, str(tmp_path / "events.csv"))
    assert account.refused["events: user has more than 1,000 events, as only a program has"] == 1_200


def test_a_saved_dataset_is_taken_as_it_is(spark, tmp_path):
    data = read({"user": [1, 1, 2], "item": [5, 6, 5], "rating": [4.0, None, 2.0], "kind": ["a", "b", "a"]})
    data.save(tmp_path / "data")
    tables = SparkTables(str(tmp_path / "data"))
    assert tables.read(spark)[0].fingerprint() == data.fingerprint()
    rows = tables.clean(spark).frame.orderBy("place", "row").collect()
    assert [(r["user_id"], r["item_id"], r["kind"], r["rating"]) for r in rows] == [
        ("1", "5", "a", 4.0),
        ("1", "6", "b", None),
        ("2", "5", "a", 2.0),
    ]


def test_a_sample_of_people_comes_with_the_gram_matrix_of_all(spark, tmp_path):
    for _ in Synthetic(users=200, items=60, events=3_000, clusters=4, ids="uuid").write(tmp_path):
        pass
    whole = read(str(tmp_path))
    part, _ = SparkTables(str(tmp_path)).read(spark, people=80)
    assert 50 < part.n_users < 110
    assert set(part.users.ids) < set(whole.users.ids)
    assert part.catalog.items == whole.catalog.items
    x = whole.interactions.matrix()
    assert (part.gram != x.T @ x).nnz == 0
    own = part.histories(part.users.codes(part.users.ids[:1])).item
    assert own.tolist() == whole.histories(whole.users.codes(part.users.ids[:1])).item.tolist()
    again, _ = SparkTables(str(tmp_path)).read(spark, people=80)
    assert again.fingerprint() == part.fingerprint()
    learned, taught = (PriorMeanEASE(kappa=0.0).fit(data).data for data in (whole, part))
    assert np.allclose(learned, taught, atol=1e-5)  # by the sum as by the events
    with pytest.raises(ConfigError, match="leaves nobody"):
        SparkTables(str(tmp_path)).read(spark, people=0)


def test_mistakes(spark, tmp_path):
    with pytest.raises(DataError, match="neither a file nor a folder"):
        SparkTables(str(tmp_path / "nowhere")).read(spark)
    (tmp_path / "events.json").write_text("[]")
    with pytest.raises(DataError, match="which is not read on Spark"):
        SparkTables(str(tmp_path / "events.json")).read(spark)
    bad = parts(tmp_path / "bad", [pl.DataFrame({"user": ["", "nan"], "item": ["a", "b"]})])
    with pytest.raises(DataError, match=r"none of 2 rows .* user id is missing"):
        SparkTables(bad).read(spark)
    with pytest.raises(DataError, match="no column"):
        SparkTables(parts(tmp_path / "odd", [pl.DataFrame({"who": ["a"], "x": ["b"]})])).read(spark)
