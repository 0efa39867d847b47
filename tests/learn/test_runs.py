import json
import math
import os
import shutil
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.errors import ArtefactError
from warmstart.learn.lock import LOCK
from warmstart.learn.run import CARD, METRICS, Run
from warmstart.learn.runs import best_of, curves, differences, find_runs, named, results, summaries, summary


def make(folder, rate=0.1, values=(0.1, 0.3, 0.2), status="done"):
    settings = {"model": "tiny", "training": {"steps": 30, "seed": 7, "learning_rate": rate}}
    run = Run.begin(folder, "retrieval", settings, "d1")
    run.card |= {"watched": "ndcg@10", "higher_is_better": True}
    for i, value in enumerate(values):
        run.log(10 * i + 1, {"loss": 1 / (i + 1), "learning_rate": rate})
        run.log(10 * i + 1, {"valid/ndcg@10": value, "valid/strange": math.nan})
    run.end(status, {"ndcg@10": 0.3, "nothing": math.nan})
    return folder


@pytest.fixture
def two(tmp_path):
    (tmp_path / "runs" / "broken").mkdir(parents=True)
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    make(tmp_path / "runs" / "a")
    make(tmp_path / "runs" / "deep" / "b $1$", rate=0.2, status="failed")
    return tmp_path / "runs"


def test_runs_are_found_and_summed_up(two):
    assert len(find_runs(two)) == 3
    lines = {line.run: line for line in summaries(two)}
    assert lines.keys() == {"broken", "a", "deep/b $1$"}
    assert lines["broken"].status == "unreadable"
    a = lines["a"]
    assert (a.figure, a.best, a.best_step, a.step, a.steps) == ("ndcg@10", 0.3, 11, 21, 30)
    assert (a.kind, a.model, a.status, a.seed) == ("retrieval", "tiny", "done", 7)
    assert lines["deep/b $1$"].status == "failed"


def test_lower_may_be_better():
    rows = [{"step": s, "valid/loss": v} for s, v in ((0, 3.0), (5, 1.0), (9, 1.0), (12, math.nan))]
    assert best_of({"watched": "loss", "higher_is_better": False}, rows) == ("loss", 1.0, 5)


def test_no_run_there(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ArtefactError, match="holds no run"):
            find_runs(folder)


def test_differences_are_all_and_only_those(two):
    runs = named([two / "a", two / "deep" / "b $1$"])
    assert differences(runs) == {"training.learning_rate": {"a": 0.1, "b $1$": 0.2}}
    assert differences(named([two / "a"])) == {}


def test_runs_of_the_same_name_are_told_apart(tmp_path):
    runs = named([make(tmp_path / "x" / "run"), make(tmp_path / "y" / "run")])
    assert list(runs) == [str(tmp_path / "x" / "run"), str(tmp_path / "y" / "run")]


def test_curves_leave_out_what_is_no_number(two):
    found = curves(Run.read(two / "a"))
    assert list(found) == ["valid/ndcg@10", "loss", "learning_rate"]
    assert found["valid/ndcg@10"] == ([1, 11, 21], [0.1, 0.3, 0.2])


def test_the_copies_of_mlflow_are_no_runs(two):
    store = two / "mlflow"
    (store / "artifacts" / "34ab" / "artifacts").mkdir(parents=True)
    (store / "mlflow.db").touch()
    shutil.copy(two / "a" / "run.json", store / "artifacts" / "34ab" / "artifacts")
    assert len(find_runs(two)) == 3


def test_a_run_that_goes_on_and_one_that_was_killed(tmp_path):
    run = Run.begin(tmp_path, "retrieval", {}, "d1")
    an_hour_ago = time.time() - 3600
    os.utime(tmp_path / CARD, (an_hour_ago, an_hour_ago))
    line = summary(Run.read(tmp_path))
    assert line.status == "running"
    assert line.seconds == pytest.approx(3600, abs=60)
    run.log(1, {"loss": 0.5})
    os.utime(tmp_path / METRICS, (an_hour_ago + 120, an_hour_ago + 120))
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    (tmp_path / LOCK).write_text(gone.stdout.strip())
    line = summary(Run.read(tmp_path))
    assert line.status == "killed"
    assert line.seconds == pytest.approx(120, abs=1)
    (tmp_path / LOCK).unlink()
    assert summary(Run.read(tmp_path)).status == "killed"


def judged(folder, figure, **result):
    run = Run.begin(folder, "finetune", {}, "d1")
    run.card |= {"watched": figure, "higher_is_better": True}
    run.log(1, {f"valid/{figure}": 0.5})
    run.end("done", {name.replace("_", "/"): value for name, value in result.items()} | {"steps": 3, "best_step": 1})
    return folder


def test_what_a_result_compares_with_is_printed_and_figures_that_do_not_compare_are_told(tmp_path):
    a = judged(tmp_path / "a", "auc", first_auc=0.5, best_auc=0.7, trivial_auc=0.6)
    b = judged(tmp_path / "b", "rmse", first_rmse=1.2, best_rmse=1.1, untrained_rmse=9.0)
    assert list(results(named([a]))) == ["best/auc", "first/auc", "trivial/auc"]
    shown, both = call("show", a).stdout, call("compare", a, b).stdout
    assert "trivial/auc" in shown
    assert "0.6000" in shown
    assert "untrained/rmse" in both
    assert "judged by different figures (auc, rmse): what is best does not compare" in both
    assert "different figures" not in call("compare", a, judged(tmp_path / "c", "auc", best_auc=0.2)).stdout


def strict(text):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def call(*given):
    return CliRunner().invoke(app, ["runs", *map(str, given)])


def test_commands_for_readers_and_for_programs(two, tmp_path):
    b = two / "deep" / "b $1$"
    assert "ndcg@10 0.3000" in call("list", two).stdout
    assert {line["run"] for line in strict(call("list", two, "--json").stdout)} == {"broken", "a", "deep/b $1$"}
    assert "training.learning_rate" in call("show", two / "a").stdout
    shown = strict(call("show", two / "a", "--json").stdout)
    assert shown["curves"]["loss"]["step"] == [1, 11, 21]
    assert shown["card"]["result"] == {"ndcg@10": 0.3, "nothing": None}
    compared = strict(call("compare", two / "a", b, "--json", "--html", tmp_path / "c.html").stdout)
    assert compared["differences"] == {"training.learning_rate": {"a": 0.1, "b $1$": 0.2}}
    assert (tmp_path / "c.html").read_text().count("<svg") == 2


@pytest.mark.parametrize("given", [("list", "nowhere"), ("show", "nowhere"), ("compare", "nowhere"), ("compare",)])
def test_mistakes_are_one_line_and_exit_2(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*given)
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
