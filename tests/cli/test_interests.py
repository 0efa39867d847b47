"""Concepts and interests on the command line."""


def test_concepts_are_listed(shell, fitted):
    engine = shell.folder / "engine"
    rows = shell.json("concepts", engine, "--level", 0)
    assert {row["level"] for row in rows} == {0}
    assert sum(row["items"] for row in rows) == 80
    assert rows[0]["name"]
    said = shell("concepts", engine).stdout
    assert "typical" in said
    assert rows[0]["name"].split(", ")[0] in said


def test_interests_by_history_and_by_user(shell, fitted):
    engine, data = shell.folder / "engine", shell.folder / "data"
    rows = shell.json("interests", engine, "--history", "i0,i4,i8", "--history", "i1", "-k", 2)
    assert {row["query"] for row in rows} == {0, 1}
    assert max(sum(row["query"] == q for row in rows) for q in (0, 1)) <= 2
    known = shell.json("interests", engine, "--user", "u1", "--data", data)
    assert known
    assert set(known[0]) >= {"concept", "name", "weight", "trend", "evidence"}
    assert "nobody was named; give --user" in shell("interests", engine, code=2).stderr
    assert shell("interests", engine, "--user", "nobody", "--data", data).stderr.startswith("not in --data")


def test_one_interest_is_recommended_from(shell, fitted):
    engine = shell.folder / "engine"
    concept = shell.json("interests", engine, "--history", "i0,i4,i8")[0]["concept"]
    rows = shell.json("recommend", engine, "--history", "i0,i4,i8", "--interest", concept, "-k", 80)
    (one,) = [row for row in shell.json("concepts", engine) if row["concept"] == concept]
    assert 0 < len(rows) <= one["items"]
    refused = shell("recommend", engine, "--interest", "knitting", code=2)
    assert "no concept is called 'knitting'" in refused.stderr
