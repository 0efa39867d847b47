"""Ratings by the command line."""

import pytest

MACHINE = """
[ratings.machine]
rank = 2
steps = 20
dropped = 8
kept = 3
chains = [{ordered = false, facts = false}, {heard = false}]
"""


@pytest.fixture(scope="module")
def engine(shell):
    f = shell.folder
    recipe = (f / "recipe.toml").read_text() + MACHINE
    (f / "rated.toml").write_text(recipe)
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who")
    shell("fit", *tables, "--recipe", f / "rated.toml", "-o", f / "rated", "--save-data", f / "rated_data")
    return f / "rated"


def test_ratings_of_a_history_and_of_a_user(shell, engine):
    rows = shell.json("rate", engine, "--history", "i1=5,i2=4", "--items", "i3,i4,gone")
    assert [row["item_id"] for row in rows] == ["i3", "i4", "gone"]
    assert all(row["low"] <= row["rating"] <= row["high"] for row in rows[:2])
    assert rows[2]["rating"] is None
    table = shell("rate", engine, "--data", shell.folder / "rated_data", "--user", "u1", "--items", "i3").stdout
    assert "i3" in table


def test_lists_are_sorted_by_the_predicted_rating_where_they_are_asked_to_be(shell, engine):
    asked = ("recommend", engine, "--data", shell.folder / "rated_data", "--user", "u1", "-k", "5")
    rows = shell.json(*asked, "--objective", "rating")
    words = (*asked[1:6], "--items", ",".join(row["item_id"] for row in rows))
    assert [row["score"] for row in rows] == pytest.approx([row["rating"] for row in shell.json("rate", *words)])
    assert [row["item_id"] for row in rows] != [row["item_id"] for row in shell.json(*asked)]
    assert "none of ['relevance', 'rating', 'both']" in " ".join(
        shell(*asked, "--objective", "fame", code=2).stderr.split()
    )


def test_an_engine_is_fitted_to_sort_by_ratings(shell, engine):
    f = shell.folder
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who")
    shell("fit", *tables, "--recipe", f / "rated.toml", "-o", f / "by_rating", "--objective", "rating")
    rows = shell.json("recommend", f / "by_rating", "--history", "i1,i2", "-k", "3")
    rated = shell.json("rate", f / "by_rating", "--items", ",".join(row["item_id"] for row in rows))
    assert [row["score"] for row in rows] == pytest.approx([row["rating"] for row in rated])


def test_questions(shell, engine):
    rows = shell.json("rate", engine, "--history", "i1=5", "--ask", "3")
    assert len(rows) == 3
    assert "i1" not in {row["item_id"] for row in rows}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--history", "i1", "--items", "i2"), "write ITEM=RATING"),
        (("--history", "i1=much", "--items", "i2"), "write ITEM=RATING"),
        (("--history", "i1=1", "--user", "u1", "--items", "i2"), "take one of them"),
        (("--ask", "2", "--items", "i2"), "take one of them"),
        ((), "nothing to do"),
        (("--user", "u1", "--items", "i2"), "--data"),
    ],
)
def test_mistakes(shell, engine, words, said):
    assert said in shell("rate", engine, *words, code=2).stderr


def test_an_engine_without_ratings_says_what_to_do(shell, fitted):
    said = shell("rate", shell.folder / "engine", "--items", "i1", code=2).stderr
    assert "--ratings" in said


def test_questions_of_a_user_are_beyond_what_this_user_rated(shell, engine):
    data = shell.folder / "rated_data"
    asked = shell.json("rate", engine, "--data", data, "--user", "u1", "--ask", "500")
    new = shell.json("rate", engine, "--ask", "500")
    assert 0 < len(asked) < len(new)
