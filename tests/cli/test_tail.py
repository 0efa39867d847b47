"""``warmstart tail`` prices options; ``recommend --tail`` uses them."""

import pytest


@pytest.fixture(scope="module")
def priced(shell):
    f = shell.folder
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who", "--recipe", f / "recipe.toml")
    asked = ("--split", "last_n", "--strengths", "0.2,1", "--lifts", "0.5", "--floors", "0.3", "--propensities", "1")
    return shell.json("tail", *tables, *asked, "--queries", "40", "--report", f / "tail.html")


def test_every_option_has_its_price(shell, priced):
    names = [line["name"] for line in priced["lines"]]
    assert names == [
        "without",
        "correction 0.2",
        "correction 1",
        "lift 0.5",
        "correction by loss",
        "correction by head loss",
        "lift by loss",
        "lift by head loss",
        "floor 0.3",
        "lift by loss, floor 0.3",
        "propensity 1",
        "popularity",
        "EASE",
        "content",
    ]
    first, _, strong = priced["lines"][:3]
    assert first["loss"] == 0
    assert strong["lists"]["novelty"] > first["lists"]["novelty"]
    assert first["values"]["ndcg"]["n"] <= 40
    (chosen,) = (line for line in priced["lines"] if line["chosen"])
    assert chosen["loss"] <= 0.01
    assert not chosen["peer"]
    page = (shell.folder / "tail.html").read_text()
    assert all(part in page for part in ("<svg", "correction 0.2", "The price of the tail"))


def test_the_table_marks_the_choice(shell):
    f = shell.folder
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who", "--recipe", f / "recipe.toml")
    said = shell("tail", *tables, "--strengths", "0.2", "--lifts", "", "--floors", "", "--queries", "30").stdout
    assert said.count("◆") == 2  # in the table, and below it


@pytest.mark.parametrize("word", ["a,b", "0.1;0.2"])
def test_what_is_no_number_is_refused(shell, word):
    said = shell("tail", shell.folder / "events.csv", "--strengths", word, code=2).stderr
    assert "--strengths" in said


def test_recommend_trades_head_for_tail(shell, fitted):
    engine = shell.folder / "engine"
    plain, strong, none = (
        shell.json("recommend", engine, "--history", "i1,i5", *more) for more in ((), ("--tail", "1"), ("--tail", "0"))
    )
    assert [r["item_id"] for r in none] == [r["item_id"] for r in plain]
    assert [r["item_id"] for r in strong] != [r["item_id"] for r in plain]
    assert (
        len(shell.json("recommend", engine, "--history", "i1,i5", "--tail-loss", "0.01", "--tail-floor", "0.5")) == 10
    )
    said = shell("recommend", engine, "--history", "i1", "--tail-lift", "1", "--tail-loss", "0.1", code=2).stderr
    assert "stands beside" in said
