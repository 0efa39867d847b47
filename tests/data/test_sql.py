"""Queries: values bound, nothing written."""

import sqlite3

import pytest

from warmstart.data.ingest import read
from warmstart.data.readers import read_table
from warmstart.data.sql import SQL
from warmstart.errors import DataError


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE clicks (user_id INTEGER, item_id TEXT, price NUMERIC)")
    base.executemany("INSERT INTO clicks VALUES (?, ?, ?)", [(1, "a", 1.5), (1, "b", None), (2, "a", 3)])
    base.commit()
    base.close()
    return path


def test_a_query_is_a_table(shop):
    spec = f"sql:sqlite:///{shop}::SELECT user_id, item_id FROM clicks ORDER BY rowid"
    assert read_table(spec).frame.rows() == [(1, "a"), (1, "b"), (2, "a")]
    assert read(spec).users.ids == ("1", "2")


def test_values_are_bound(shop):
    got = read_table(SQL(f"sqlite:///{shop}", "SELECT item_id FROM clicks WHERE item_id = :i", {"i": "x' OR '1'='1"}))
    assert got.frame.height == 0


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("DELETE FROM clicks", "no reading statement"),
        ("WITH t AS (SELECT 1) DELETE FROM clicks", "refused"),
        ("SELECT missing FROM clicks", "no such column"),
        ("SELECT item_id, item_id FROM clicks", "one name"),
    ],
)
def test_what_is_refused(shop, query, says):
    with pytest.raises(DataError, match=says):
        read_table(SQL(f"sqlite:///{shop}", query))
    assert read_table(SQL(f"sqlite:///{shop}", "SELECT count(*) AS n FROM clicks")).frame["n"].to_list() == [3]


def test_no_database_is_made(tmp_path):
    with pytest.raises(DataError, match="there is no database file"):
        read_table(SQL(f"sqlite:///{tmp_path}/none.db", "SELECT 1"))
    assert not (tmp_path / "none.db").exists()


def test_an_unknown_database_is_refused():
    with pytest.raises(DataError, match="check the address"):
        read_table(SQL("martian://x", "SELECT 1"))
