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


def test_a_history_brings_its_ratings_and_an_explanation_follows_the_objective(shell, engine):
    asked = (engine, "--history", "i1=5,i2=1,i9", "--objective", "rating", "-k", "3")
    rows = shell.json("recommend", *asked)
    rated = shell.json("rate", engine, "--history", "i1=5,i2=1", "--items", ",".join(r["item_id"] for r in rows))
    assert [row["score"] for row in rows] == pytest.approx([row["rating"] for row in rated])
    ranks = [shell.json("explain", *asked, "--item", row["item_id"])["rank"] for row in rows]
    assert ranks == [1, 2, 3] != [shell.json("explain", *asked[:3], "--item", r["item_id"])["rank"] for r in rows]


def test_the_level_of_the_intervals_is_told(shell, engine):
    assert "90 %" in shell("rate", engine, "--items", "i3").stderr
    f = shell.folder
    (f / "half.toml").write_text((f / "rated.toml").read_text() + "[ratings.trust]\nlevel = 0.5\n")
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who")
    shell("fit", *tables, "--recipe", f / "half.toml", "-o", f / "half")
    assert "50 %" in shell("rate", f / "half", "--items", "i3").stderr


def test_ratings_that_say_nothing_are_told_when_they_are_left_out(shell, tmp_path):
    rows = [f"u{n},i{n % 7},4" for n in range(30)]
    (tmp_path / "flat.csv").write_text("user_id,item_id,rating\n" + "\n".join(rows) + "\n")
    said = shell("fit", tmp_path / "flat.csv", "--ratings", "-o", tmp_path / "engine", code=2).stderr
    assert "ratings left out, all are the same (30)" in " ".join(said.split())


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
