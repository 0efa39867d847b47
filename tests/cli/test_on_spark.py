"""``--on``: a fit that reads on Spark, and lists of everybody."""

import polars as pl
import pytest

from warmstart.data.ingest import read_with_report


@pytest.fixture(scope="module")
def fitted(shell, spark, tmp_path_factory):
    """What the fit on Spark said, and where it wrote."""
    f, out = shell.folder, tmp_path_factory.mktemp("on")
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who")
    wrote = ("--recipe", f / "recipe.toml", "--out", out / "engine", "--save-data", out / "data")
    return shell.json("fit", *tables, *wrote, "--on", "local[2,4]"), out


def test_the_fit_is_of_the_data_of_one_machine(fitted, shell):
    data, account = read_with_report(
        shell.folder / "events.csv", items=shell.folder / "items.csv", columns={"user_id": "who"}
    )
    assert fitted[0]["fingerprint"] == data.fingerprint()
    assert fitted[0]["refused"] == account.n_refused == 1


def test_lists_of_everybody(fitted, shell, tmp_path):
    told, made = fitted
    data, out = ("--data", made / "data"), tmp_path / "lists"
    words = ("recommend", made / "engine", *data, "-k", "3")
    wrote = shell.json(*words, "--all-users", "--on", "local[2,4]", "-o", out)
    lists = pl.read_parquet(out / "part-*.parquet")
    assert wrote == {"out": str(out), "users": told["users"], "rows": len(lists)}
    one = shell.json(*words, "--user", "u7")
    assert lists.filter(user_id="u7").sort("rank")["item_id"].to_list() == [row["item_id"] for row in one]
    again = shell(*words, "--all-users", "--on", "local[2,4]", "-o", out, code=2)
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
def test_mistakes(shell, words, told):
    assert told in " ".join(shell("recommend", shell.folder / "engine", *words, code=2).stderr.split())


def test_refused_rows_are_not_kept_on_spark(shell, tmp_path):
    words = ("fit", shell.folder / "events.csv", "--rejects", tmp_path / "r.csv", "-o", tmp_path / "e")
    assert "counted by reason" in " ".join(shell(*words, "--on", "local[2]", code=2).stderr.split())
