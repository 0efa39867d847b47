"""A graph out of a catalogue's own columns, and out of a table of users."""

import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_columns import ColumnSettings, graph_from_columns
from warmstart.data.graph_users import graph_from_users, without_users
from warmstart.errors import ConfigError, DataError

FILMS = pl.DataFrame(
    {
        "item_id": ["1", "2", "3", "4"],
        "title": ["Kill Bill", "Jackie Brown", "Heat", "Alien"],
        "directors": ["Quentin Tarantino", "Quentin Tarantno", "quentin tarantino", None],
        "cast": ["Uma Thurman, David Carradine, Quentin Tarantino", "Pam Grier, Sam Jackson", "Al Pacino", "4"],
        "tags": [["heist", "Heist"], [], None, ["space"]],
        "year": [2003, 1997, 1995, None],
    }
)


def rows(built):
    return built.graph.triples.select("head", "relation", "tail").rows()


def test_the_same_person_is_one_entity_in_all_columns():
    built = graph_from_columns(Catalog(FILMS), ["directors", "cast"])
    people = [r for r in rows(built) if r[2] == "Quentin Tarantino"]
    assert people == [
        ("1", "directors", "Quentin Tarantino"),
        ("2", "directors", "Quentin Tarantino"),
        ("3", "directors", "Quentin Tarantino"),
        ("1", "cast", "Quentin Tarantino"),
    ]
    assert built.merges.select("column", "merged", "why").rows() == [
        ("directors", "quentin tarantino", "spelling"),
        ("directors", "Quentin Tarantno", "near"),
    ]
    assert built.graph.triples["source"].unique().sort().to_list() == ["column:cast", "column:directors"]


def test_merging_can_be_left_out():
    built = graph_from_columns(FILMS, ["directors"], ColumnSettings(merge=False))
    assert {r[2] for r in rows(built)} == {"Quentin Tarantino", "Quentin Tarantno"}


def test_spellings_in_different_columns_are_told():
    films = pl.DataFrame({"item_id": ["a"], "directors": ["Sofia Coppola"], "cast": ["SOFIA COPPOLA"]})
    built = graph_from_columns(films, ["directors", "cast"])
    assert len({r[2] for r in rows(built)}) == 1
    assert built.merges.select("column", "kept", "merged").rows() == [
        ("across columns", "Sofia Coppola", "SOFIA COPPOLA")
    ]


def test_values_cannot_be_taken_for_items():
    built = graph_from_columns(FILMS, ["cast", "year"])
    assert ("4", "cast", "cast:4") in rows(built)
    assert ("3", "year", "year:1995") in rows(built)
    assert built.graph.names() == {"cast:4": "4", "year:2003": "2003", "year:1997": "1997", "year:1995": "1995"}
    assert built.told == {"names that are an item's id, named with their column": 1}
    assert not {r[2] for r in rows(built)} & set(FILMS["item_id"])


def test_lists_are_split_and_empty_cells_say_nothing():
    built = graph_from_columns(FILMS, ["tags"])
    assert rows(built) == [("1", "tags", "Heist"), ("4", "tags", "space")]


def test_a_separator_may_be_said():
    whole = graph_from_columns(FILMS, ["cast"], ColumnSettings(separators={"cast": ""}))
    assert ("2", "cast", "Pam Grier, Sam Jackson") in rows(whole)
    assert whole.separators == {"cast": None}


def test_cut_names_are_told():
    start = "Somebody Else, " * 4
    cells = [
        f"{start}Tim Alle",
        f"{start}Don Rick",
        f"{start}Sean Bea",
        "Tim Allen, Don Rickles, Don Rickard, Sean Bean",
    ]
    films = pl.DataFrame({"item_id": list("abcd"), "cast": cells})
    built = graph_from_columns(films, ["cast"])
    cut = built.merges.filter(pl.col("why") == "cut").select("kept", "merged").rows()
    assert cut == [(None, "Don Rick"), ("Sean Bean", "Sean Bea"), ("Tim Allen", "Tim Alle")]
    assert built.told == {"cast: names cut off at a cell's end, dropped": 1}
    assert ("a", "cast", "Tim Allen") in rows(built)
    assert "Don Rick" not in {r[2] for r in rows(built)}
    left = graph_from_columns(films, ["cast"], ColumnSettings(repair_cut=False))
    assert "Don Rick" in {r[2] for r in rows(left)}


def test_inverses_on_request():
    built = graph_from_columns(FILMS, ["directors"], ColumnSettings(inverses=True))
    assert ("Quentin Tarantino", "inverse:directors", "1") in rows(built)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["director"], "no column 'director' to make entities of; did you mean 'directors'"),
        ([], "no column was named"),
        (["item_id"], "no column 'item_id' to make entities of"),
    ],
)
def test_columns_that_are_not_there(columns, told):
    with pytest.raises(DataError, match=told):
        graph_from_columns(FILMS, columns)


def test_an_empty_column_and_wrong_settings():
    with pytest.raises(DataError, match="column 'x' holds no value"):
        graph_from_columns(pl.DataFrame({"item_id": ["a"], "x": [""]}), ["x"])
    with pytest.raises(DataError, match="no column 'cst'"):
        graph_from_columns(FILMS, ["cast"], ColumnSettings(separators={"cst": ";"}))
    with pytest.raises(ConfigError, match="threshold=20"):
        ColumnSettings(threshold=20)


PEOPLE = pl.DataFrame(
    {"user_id": [1, 2, 3], "job": ["writer", "Writer", "nurse"], "age": [24, 24, None], "knows": ["2|3", None, "1"]}
)


def test_people_are_apart_from_items():
    built = graph_from_users(PEOPLE, ["job", "age"], friends=["knows"])
    found = rows(built)
    assert ("user:1", "user_job", "job:Writer") in found
    assert ("user:1", "user_age", "age:24") in found
    assert [r for r in found if r[1] == "user_knows"] == [
        ("user:1", "user_knows", "user:2"),
        ("user:1", "user_knows", "user:3"),
        ("user:3", "user_knows", "user:1"),
    ]
    assert all(head.startswith("user:") for head, _, _ in found)
    assert built.graph.names()["user:1"] == "1"
    assert built.graph.names()["age:24"] == "24"


def test_people_need_a_column():
    with pytest.raises(DataError, match="has no column 'user_id'"):
        graph_from_users(pl.DataFrame({"id": ["1"]}), ["id"])
    with pytest.raises(DataError, match="no column 'jb'"):
        graph_from_users(PEOPLE, ["jb"])


def test_an_engine_keeps_nobody():
    built = graph_from_users(PEOPLE, ["job"])
    films = graph_from_columns(FILMS, ["year"]).graph
    both = KnowledgeGraph(
        pl.concat([films.triples, built.graph.triples]), pl.concat([films.labels, built.graph.labels])
    )
    left = without_users(both)
    assert left.triples.rows() == films.triples.rows()
    assert set(left.names()) == set(films.names())
    assert without_users(films) is films
