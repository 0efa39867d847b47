"""Segments on the command line."""


def test_segments_are_listed_and_people_placed(shell, fitted):
    engine, data = shell.folder / "engine", shell.folder / "data"
    rows = shell.json("segments", engine)
    assert rows
    assert all(row["people"] >= 5 for row in rows)
    assert rows[0]["name"].split(",")[0] in shell("segments", engine).stdout
    placed = shell.json("segments", engine, "--history", "i0,i4,i8", "--history", "i1,i5,i9")
    assert {row["query"] for row in placed} == {0, 1}
    assert placed[0]["name"] in {row["name"] for row in rows}
    assert shell.json("segments", engine, "--user", "u1", "--data", data)[0]["probability"] > 0
    assert shell("segments", engine, "--user", "nobody", "--data", data).stderr.startswith("not in --data")
    assert "load it with data= (--data)" in shell("segments", engine, "--user", "u1", code=2).stderr
