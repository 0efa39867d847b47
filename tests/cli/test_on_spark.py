"""``--on``: a fit that reads on Spark, and lists of everybody."""

import polars as pl
import pytest


@pytest.fixture(scope="module")
def engine(shell, spark, tmp_path_factory):
    """The engine that is fitted on Spark, and what the command said."""
    f, out = shell.folder, tmp_path_factory.mktemp("on") / "engine"
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who")
    return out, shell.json("fit", *tables, "--recipe", f / "recipe.toml", "--out", out, "--on", "local[2,4]")


def test_the_fit_is_that_of_one_machine(engine, fitted):
    same = ("users", "items", "events", "refused", "fingerprint", "encoder")
    assert [engine[1][name] for name in same] == [fitted[name] for name in same]


def test_lists_of_everybody(shell, fitted, engine, tmp_path):
    data, out = shell.folder / "data", tmp_path / "lists"
    told = shell.json("recommend", engine[0], "--all-users", "--data", data, "-k", "3", "--on", "local[2,4]", "-o", out)
    lists = pl.read_parquet(out / "part-*.parquet")
    assert told == {"out": str(out), "users": fitted["users"], "rows": len(lists)}
    one = shell.json("recommend", engine[0], "--data", data, "--user", "u7", "-k", "3")
    assert lists.filter(user_id="u7").sort("rank")["item_id"].to_list() == [row["item_id"] for row in one]
    again = shell("recommend", engine[0], "--all-users", "--data", data, "--on", "local[2,4]", "-o", out, code=2)
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--on", "local[2]"), "needs --all-users, --data"),
        (("--all-users", "--on", "local[2]"), "needs --all-users, --data"),
        (("--all-users", "--on", "local[2]", "--user", "u1"), "leave out --user"),
        (("--all-users", "--on", "node1", "--data", "d", "--out", "o"), "is no Spark master"),
    ],
)
def test_mistakes(shell, fitted, words, told):
    assert told in " ".join(shell("recommend", shell.folder / "engine", *words, code=2).stderr.split())


def test_refused_rows_are_not_kept_on_spark(shell, tmp_path):
    words = ("fit", shell.folder / "events.csv", "--rejects", tmp_path / "r.csv", "-o", tmp_path / "e")
    assert "counted by reason" in " ".join(shell(*words, "--on", "local[2]", code=2).stderr.split())
