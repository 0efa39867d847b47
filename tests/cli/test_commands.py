"""The command line from raw tables to explained and measured recommendations."""

import subprocess
import sys

import polars as pl
import pytest

import warmstart as ws
from warmstart import __version__


def test_fit_tells_sizes_and_keeps_refused_rows(shell, fitted):
    assert fitted["users"] == 120
    assert fitted["items"] == 80
    assert fitted["refused"] == 1
    assert pl.read_csv(shell.folder / "refused.csv")["reason"].to_list() == ["user id is missing"]


def test_fit_tells_people_the_same(shell, tmp_path):
    f = shell.folder
    words = ("fit", f / "events.csv", "--map", "user_id=who")
    said = shell(*words, "--items", f / "items.csv", "--recipe", f / "recipe.toml", "-o", tmp_path / "e")
    assert "users: 120" in said.stdout
    assert "encoder: tfidf" in said.stdout


def test_fit_leaves_experts_out(shell, fitted, tmp_path):
    f = shell.folder
    words = ("fit", f / "data", "--recipe", f / "recipe.toml", "-o", tmp_path / "e")
    kept = shell.json("fit", f / "data", "--recipe", f / "recipe.toml", "--without", "people", "-o", tmp_path / "e")
    assert kept["users"] == 120
    assert "people" not in ws.load(tmp_path / "e").recipe.experts
    refused = shell(*words, "--without", "peeple", code=2)
    assert "no expert 'peeple' can be left out; the recipe has ['" in refused.stderr


def test_narrow_tells_what_it_saves_and_costs(shell, fitted, tmp_path):
    engine, data = shell.folder / "engine", shell.folder / "data"
    found = shell.json("narrow", engine, data, "-o", tmp_path / "small", "--people", 50)
    assert found["mb_after"] < found["mb_before"]
    assert (found["people"], found["same"] > 0.9) == (50, True)
    said = shell("narrow", engine, data, "-o", tmp_path / "small", "--people", 50, "--keep", 20).stdout
    assert "NDCG@10 of the newest event of 50 people" in said
    assert "is the engine itself" in shell("narrow", engine, data, "-o", engine, code=2).stderr


def test_an_engine_folder_holds_no_user(shell, fitted):
    files = [p for p in (shell.folder / "engine").rglob("*") if p.is_file()]
    assert files
    for file in files:
        assert b"u117" not in file.read_bytes(), file.name  # the id of a user


def test_recommend_by_user_history_text_and_nothing(shell, fitted):
    engine, data = shell.folder / "engine", shell.folder / "data"
    known = shell.json("recommend", engine, "--user", "u1", "--user", "u2", "--data", data, "-k", 3)
    assert [row["query"] for row in known] == [0, 0, 0, 1, 1, 1]
    assert set(known[0]) == {"query", "item_id", "title", "score", "rank", "source"}
    history = shell.json("recommend", engine, "--history", "i0,i4,i8", "-k", 5, "--explain")
    assert sum(int(row["item_id"][1:]) % 4 == 0 for row in history) >= 3  # the theme of the history
    assert all(row["reasons"] for row in history)
    assert not {"i0", "i4", "i8"} & {row["item_id"] for row in history}
    assert len(shell.json("recommend", engine, "--text", "space rocket", "-k", 4)) == 4
    assert len(shell.json("recommend", engine, "-k", 2)) == 2


def test_an_unknown_user_is_a_new_user_and_told_so(shell, fitted):
    ask = ("recommend", shell.folder / "engine", "--data", shell.folder / "data", "--user", "u1", "--user", "nobody")
    assert shell(*ask).stderr == "not in --data, so taken for new: nobody\n"


def test_recommend_from_some_items_only(shell, fitted):
    engine, only = shell.folder / "engine", shell.folder / "only.txt"
    only.write_text("i1\ni5\n\ni9\n")
    rows = shell.json("recommend", engine, "--history", "i1", "--candidates", only)
    assert {row["item_id"] for row in rows} == {"i5", "i9"}
    rows = shell.json("recommend", engine, "--history", "i1", "--candidates", only, "--include-seen")
    assert {row["item_id"] for row in rows} == {"i1", "i5", "i9"}
    rows = shell.json("recommend", engine, "--filter", "genre=space", "--filter", "genre=crime", "-k", 80)
    assert {int(row["item_id"][1:]) % 4 for row in rows} == {0, 1}


def test_a_filter_that_nothing_passes_is_told_with_values_there_are(shell, fitted, caplog):
    assert shell.json("recommend", shell.folder / "engine", "--filter", "genre=spcae") == []
    assert "no item has 'spcae' in column 'genre', which holds e.g. space, crime" in caplog.text


def test_tables_for_people(shell, fitted):
    said = shell("recommend", shell.folder / "engine", "--history", "i0", "-k", 2, "--explain").stdout
    assert "reasons" in said
    assert "title" in said
    said = shell("similar", shell.folder / "engine", "--item", "i0", "-k", 3).stdout
    assert "score" in said


def test_similar_items_share_the_theme(shell, fitted):
    rows = shell.json("similar", shell.folder / "engine", "--item", "i0", "--item", "i1", "-k", 3)
    assert [row["query"] for row in rows] == [0, 0, 0, 1, 1, 1]
    assert sum(int(row["item_id"][1:]) % 4 == row["query"] for row in rows) >= 4


def test_explain_what_is_shown_and_what_is_missing(shell, fitted):
    engine, data = shell.folder / "engine", shell.folder / "data"
    ask = ("explain", engine, "--history", "i0,i4")
    assert shell.json(*ask, "--item", "i4")["status"] == "already seen"
    assert shell.json(*ask, "--item", "i99")["status"] == "unknown"
    assert shell.json(*ask, "--item", "i1", "-k", 1)["status"] == "below the cut"
    assert shell.json(*ask, "--item", "i1", "--filter", "genre=space")["status"] == "filtered"
    assert shell.json("explain", engine, "--user", "u0", "--data", data, "--item", "i79")["rank"] >= 1
    assert shell.json("explain", engine, "--text", "space", "--item", "i0")["rank"] >= 1
    assert "is not shown: it is already in the history" in shell(*ask, "--item", "i4").stdout


def test_evaluate_as_json_and_as_a_page(shell, fitted):
    data, page = shell.folder / "data", shell.folder / "report.html"
    ask = ("evaluate", data, "--recipe", shell.folder / "recipe.toml", "-k", 5)
    found = shell.json(*ask, "--split", "few_shot", "--shots", 2, "--report", page)
    assert [s["name"] for s in found["systems"]] == ["warmstart", "popularity", "EASE", "content"]
    assert found["systems"][0]["costs"]["fit_seconds"] > 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "NDCG@5 by slice" in shell(*ask, "--split", "last_n", "--share", 0.3).stdout
    other = shell.json(*ask, "--split", "last_n", "--share", 0.3, "--without", "content_map")
    names = ["warmstart", "without content_map", "popularity", "EASE", "content"]
    assert [s["name"] for s in other["systems"]] == names
    assert all(s["costs"]["fit_seconds"] >= 0 for s in other["systems"])


def test_check_and_public_data(shell, fitted):
    tables = (shell.folder / "events.csv", "--items", shell.folder / "items.csv", "--map", "user_id=who")
    report = shell.json("check", *tables)
    assert report["numbers"]["users"] == 120
    assert report["ingest"]["refused"] == {"events: user id is missing": 1}
    assert "what to do" in shell("check", *tables).stdout
    assert shell.json("data", "list")[0]["name"] == "ml-latest-small-2016"
    assert "GroupLens" in shell("data", "list").stdout


def test_get_embedded_data(shell, tmp_path):
    got = shell.json("data", "get", "ml-latest-small-2016", "--to", tmp_path)
    assert shell.json("check", got["folder"])["numbers"]["users"] == 671
    assert "cite: " in shell("data", "get", "ml-latest-small-2016", "--to", tmp_path).stdout


MISTAKES = {
    "no such file": ("check", "nowhere.csv"),
    "no engine": ("recommend", "nowhere"),
    "a filter on no column": ("recommend", "ENGINE", "--filter", "colour=red"),
    "a filter without value": ("recommend", "ENGINE", "--filter", "genre"),
    "no such expert to leave out": ("evaluate", "DATA", "--without", "nobody"),
    "a user without data": ("recommend", "ENGINE", "--user", "u1"),
    "candidates that are not there": ("recommend", "ENGINE", "--candidates", "nowhere.txt"),
    "a mapping of no column": ("check", "EVENTS", "--map", "user_id=nobody"),
    "a recipe that is not there": ("fit", "EVENTS", "--map", "user_id=who", "--recipe", "nowhere.toml", "-o", "x"),
    "an unknown data set": ("data", "get", "no-such-data"),
    "an unknown command": ("recomend",),
    "an unknown option": ("fit", "EVENTS", "--outt", "x"),
    "a missing option": ("fit", "EVENTS"),
    "an unknown split": ("evaluate", "EVENTS", "--split", "random"),
    "no place": ("recommend", "ENGINE", "-k", "0"),
    "a folder where a file is": ("fit", "DATA", "--recipe", "RECIPE", "-o", "EVENTS"),
}


@pytest.mark.parametrize("words", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line_and_exit_code_2(shell, fitted, words):
    f = shell.folder
    places = {"ENGINE": f / "engine", "EVENTS": f / "events.csv", "RECIPE": f / "recipe.toml", "DATA": f / "data"}
    result = shell(*(places.get(w, w) for w in words), code=2)
    errors = [line for line in result.stderr.splitlines() if line and "━" not in line]
    assert len(errors) == 1, result.stderr
    assert errors[0].startswith("error: ")
    assert result.stdout == ""


def test_a_defect_keeps_its_traceback(shell, fitted, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("warmstart.data.sources.list_sources", fail)
    with pytest.raises(AssertionError):
        shell("data", "list", code=2)


def test_help_without_a_command(shell):
    assert "Commands:" in shell("--help").stdout
    assert shell("--version").stdout.strip() == __version__
    assert "get" in shell("data", "--help").stdout


def test_in_processes_of_their_own_without_torch(shell, fitted, tmp_path):
    """Load and recommend where torch cannot be imported; progress is kept off stdout."""
    (tmp_path / "torch.py").write_text("raise ImportError('torch is blocked')")
    command = "import sys; sys.path.insert(0, sys.argv.pop(1)); from warmstart.cli.main import main; main()"
    words = ["recommend", str(shell.folder / "engine"), "--history", "i0", "--text", "space", "-k", "2", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", command, str(tmp_path), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"item_id"') == 2
    assert done.stderr == ""


def test_the_console_script_is_there(shell):
    script = subprocess.run(
        [sys.executable, "-c", "from warmstart.cli.main import main; main()", "check", "nowhere.csv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert script.returncode == 2
    assert script.stderr.count("\n") == 1
    assert "Traceback" not in script.stderr


def test_the_package_runs_as_a_module():
    import subprocess
    import sys

    found = subprocess.run([sys.executable, "-m", "warmstart", "--help"], capture_output=True, text=True, check=True)
    assert "Commands" in found.stdout
