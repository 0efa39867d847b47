"""Numbers told as ranges, and how many others the values of a column tie an item to."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.cli.graph_task import FromText, Given, Wanted, build
from warmstart.data.graph_columns import ColumnSettings, graph_from_columns
from warmstart.data.graph_ranges import in_ranges, range_facts, ties
from warmstart.errors import ConfigError, DataError

GOODS = pl.DataFrame(
    {
        "item_id": list("abcdef"),
        "maker": ["Ann|Bob", "ann", "Ann", "Cid", None, "Dan"],
        "price": [1.5, 2.0, 3.0, 40.0, None, 60.0],
        "size": [1, 1, 2, 2, 2, 1],
    }
)


@given(
    st.lists(st.one_of(st.integers(-(10**6), 10**6).map(float), st.just(float("nan"))), max_size=60), st.integers(1, 9)
)
def test_ranges_are_few_in_order_and_equal_numbers_share_one(values, n):
    found = in_ranges(np.array(values, np.float64), n)
    assert [name is None for name in found] == [np.isnan(value) for value in values]
    held: dict[str, list[float]] = {}
    for value, name in zip(values, found, strict=True):
        if name is not None:
            held.setdefault(name, []).append(value)
    assert len(held) <= n
    assert sum(len(set(part)) for part in held.values()) == len({v for v in values if not np.isnan(v)})
    bounds = sorted((min(part), max(part)) for part in held.values())
    assert all(high < low for (_, high), (low, _) in pairwise(bounds))


def test_ranges_hold_about_as_many_numbers_each():
    found = in_ranges(np.arange(100.0), 5)
    assert {name: found.count(name) for name in dict.fromkeys(found)} == {
        "0 to 19": 20,
        "20 to 39": 20,
        "40 to 59": 20,
        "60 to 79": 20,
        "80 to 99": 20,
    }


def test_infinite_numbers_are_in_no_range():
    assert in_ranges(np.array([np.inf, 1.0, 2.5]), 2) == [None, "1", "2.5"]


def test_a_value_told_twice_ties_once():
    assert ties([["x", "x"], ["x"]]).tolist() == [1.0, 1.0]


def test_one_range_tells_nothing():
    facts, labels = range_facts(["a", "b"], "size", "range", np.array([3.0, 3.0]), 4)
    assert facts.height == labels.height == 0


def test_numbers_are_told_as_they_are_and_as_ranges():
    graph = graph_from_columns(GOODS, ["price"], ColumnSettings(ranges=2)).graph
    assert graph.triples.filter(pl.col("relation") == "price").height == 5
    told = graph.triples.filter(pl.col("relation") == "price_range")
    assert dict(told.select("head", "tail").rows()) == {
        **dict.fromkeys("abc", "price_range:1.5 to 3"),
        **dict.fromkeys("df", "price_range:40 to 60"),
    }
    assert set(told["source"]) == {"column:price"}
    assert graph.names()["price_range:40 to 60"] == "40 to 60"


def test_columns_of_few_numbers_have_no_ranges():
    graph = graph_from_columns(GOODS, ["size"], ColumnSettings(ranges=2)).graph
    assert set(graph.triples["relation"]) == {"size"}


def test_ties_count_other_items_after_spellings_are_joined():
    graph = graph_from_columns(GOODS, ["maker", "price"], ColumnSettings(ties=2)).graph
    told = graph.triples.filter(pl.col("relation") == "maker_ties")
    assert dict(told.select("head", "tail").rows()) == {
        **dict.fromkeys("abc", "maker_ties:2"),
        **dict.fromkeys("df", "maker_ties:0"),
    }
    assert "price_ties" not in set(graph.triples["relation"])


def test_nothing_is_added_unless_it_is_asked_for():
    plain = graph_from_columns(GOODS, ["maker", "price", "size"]).graph
    more = graph_from_columns(GOODS, ["maker", "price", "size"], ColumnSettings(ranges=2, ties=2)).graph
    assert set(plain.triples["relation"]) == {"maker", "price", "size"}
    assert more.triples[: len(plain)].equals(plain.triples)


def test_one_range_and_columns_called_like_a_relation_are_refused():
    with pytest.raises(ConfigError, match="2 ranges or more"):
        ColumnSettings(ranges=1)
    with pytest.raises(DataError, match="'price_range'"):
        graph_from_columns(
            GOODS.with_columns(price_range=pl.lit("low")), ["price", "price_range"], ColumnSettings(ranges=2)
        )


def test_the_command_tells_ranges_of_items_and_not_of_people(tmp_path):
    GOODS.with_columns(maker=pl.col("maker").fill_null("")).write_csv(tmp_path / "goods.csv")
    pl.DataFrame({"user_id": ["u", "v", "w"], "age": [20, 30, 40]}).write_csv(tmp_path / "users.csv")
    given_ = Given(str(tmp_path / "goods.csv"), (), None, str(tmp_path / "users.csv"), None)
    asked = Wanted(("maker", "price"), FromText((), None, None, None), ("age",), (), ranges=2, ties=2)
    report = build(given_, asked, tmp_path / "graph", lambda *_: None, csv=False)
    assert set(report["relations"]) == {"maker", "maker_ties", "price", "price_range", "user_age"}
    labels = pl.read_parquet(tmp_path / "graph" / "graph_labels.parquet")
    assert "40 to 60" in labels["label"].to_list()
