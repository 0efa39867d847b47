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


def test_pages_are_written_beside_the_answers(shell, fitted, tmp_path):
    engine, data = shell.folder / "engine", shell.folder / "data"
    page = tmp_path / "page.html"
    asked = ("interests", engine, "--user", "u1", "--data", data)
    assert shell.json(*asked, "--html", page) == shell.json(*asked)
    mine = page.read_text(encoding="utf-8")
    assert "<h1>Interests of user u1</h1>" in mine
    assert f"page: {page.name}" in shell("concepts", engine, "--html", page).stderr.replace(f"{tmp_path}/", "")
    assert "<h1>Concepts</h1>" in page.read_text(encoding="utf-8")
    shell("interests", engine, "--history", "i0,i4,nothing", "--html", page)
    assert "<h1>Interests of a history of 2 events</h1>" in page.read_text(encoding="utf-8")
    several = shell("interests", engine, "--history", "i0", "--history", "i1", "--html", page, code=2)
    assert "--html shows one person" in several.stderr
    assert "error: " in shell("concepts", engine, "--html", tmp_path / "no" / "page.html", code=2).stderr
