"""Names of columns: customary, given, ambiguous, missing."""

import polars as pl
import pytest

from warmstart.data.columns import map_columns, rename
from warmstart.data.table import Table
from warmstart.errors import DataError


def table(*names):
    return Table(pl.DataFrame({name: [1] for name in names}), "x.csv")


@pytest.mark.parametrize(
    ("own", "canonical"),
    [
        (("user_id", "item_id"), ("user_id", "item_id")),
        (("userId", "movieId", "rating", "timestamp"), ("user_id", "item_id", "rating", "time")),
        (("USER_ID", "ITEM_ID", "EVENT_TYPE"), ("user_id", "item_id", "kind")),
        (("uid", "asin", "overall", "ts"), ("user_id", "item_id", "rating", "time")),
        (("reviewerID", "asin", "unixReviewTime"), ("user_id", "item_id", "time")),
        (("User ID", "Product ID", "Date", "plays"), ("user_id", "item_id", "time", "weight")),
        (("用户", "商品", "评分", "时间"), ("user_id", "item_id", "rating", "time")),
    ],
)
def test_customary_names(own, canonical):
    assert map_columns(table(*own), "events") == dict(zip(canonical, own, strict=True))


def test_a_given_name_wins_and_none_switches_off():
    got = map_columns(table("user", "item", "sku", "event"), "events", {"item_id": "sku", "kind": None})
    assert got == {"user_id": "user", "item_id": "sku"}
    assert (
        map_columns(table("a", "b", "when"), "events", {"user": "a", "item": "b", "timestamp": "when"})["time"]
        == "when"
    )


def test_other_tables():
    assert map_columns(table("id", "name"), "items") == {"item_id": "id", "title": "name"}
    assert map_columns(table("uid", "age"), "users") == {"user_id": "uid"}
    assert map_columns(table("subject", "predicate", "object"), "graph")["tail"] == "object"
    assert map_columns(table("item_id", "entity_id"), "links")["entity_id"] == "entity_id"


def test_renaming_keeps_what_is_not_known():
    frame = rename(table("asin", "Title", "colour", "item_id"), "items", {"item_id": "asin"})
    assert frame.columns == ["item_id", "title", "colour", "item_id_"]


@pytest.mark.parametrize(
    ("names", "columns", "says"),
    [
        (("who", "item"), None, r"no column of x.csv looks like 'user_id'; it has \['who', 'item'\]; name one"),
        (("user", "item"), {"item_id": "sku"}, "x.csv has no column 'sku' to use as 'item_id'"),
        (("userId", "user id", "item"), None, "could both be 'user_id'; say which"),
    ],
)
def test_what_cannot_be_mapped(names, columns, says):
    with pytest.raises(DataError, match=says):
        map_columns(table(*names), "events", columns)


def test_a_column_that_is_switched_off_does_not_come_back_by_its_name():
    assert rename(table("user", "item", "kind"), "events", {"kind": None}).columns == ["user_id", "item_id", "kind_"]
    assert rename(table("user", "item", "time", "ts"), "events", {"time": "ts"}).columns[2:] == ["time_", "time"]
