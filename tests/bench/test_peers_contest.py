"""From data to a page: systems run as processes, are tuned, measured, kept, and told."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import warmstart as ws
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.evaluate.baselines import best
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity

RUNNER = """
import sys
from pathlib import Path

sys.path.insert(0, {runners!r})
import numpy as np
from given import best
from measured import run

def fit(train, settings, threads):
    Path({counter!r}).open("a").write(f"{{settings['sign']}} {{threads}}\\n")
    if settings["sign"] == 0:
        raise ValueError("a sign of 0 says nothing")
    scores = settings["sign"] * train.counts().astype(float)
    return lambda queries, k: best(np.tile(scores, (len(queries), 1)), queries, k)

run(fit, "numpy")
"""


@pytest.fixture
def counted(tmp_path):
    """An entrant that sorts by popularity, upwards or downwards, and a file with a line a fit."""
    from peers.entrants import HERE, Entrant

    counter = tmp_path / "fits.txt"
    runner = tmp_path / "counted.py"
    runner.write_text(RUNNER.format(runners=str(HERE / "runners"), counter=str(counter)), encoding="utf-8")
    entrant = Entrant("counted", "Counted", str(runner), first={"sign": -1}, space={"sign": [1, 0, -1]})
    return entrant, counter


@pytest.fixture
def contest(tmp_path):
    from peers.contest import Contest
    from peers.tasks import prepared, scenarios

    data = prepared(clusters(120, 80, 2, seed=1))
    place = tmp_path / "toy" / "warm"
    place.mkdir(parents=True)
    return Contest(scenarios(["warm"])[0], data, place, tmp_path / "envs")


def fits(counter):
    return counter.read_text("utf-8").splitlines()


def test_the_better_setting_is_chosen_measured_and_nothing_is_run_twice(contest, counted):
    entrant, counter = counted
    whole = contest.run([entrant], lambda line: None)
    found, report = whole["entrants"]["counted"], whole["questions"]["all"]
    assert found["settings"] == {"sign": 1}
    tried = {t["settings"]["sign"]: t for t in found["tried"]}
    assert tried[1]["ndcg"] > tried[-1]["ndcg"]
    assert "a sign of 0 says nothing" in tried[0]["failed"]
    assert sorted(fits(counter)) == [
        "-1 1",
        "0 1",
        "1 1",
        "1 1",
    ]  # three on the validation part, the best on the test part
    split = contest.scenario.splits(contest.data)["all"]
    straight = ws.evaluate(Popularity(), split, baselines=False).to_dict()
    assert report["populations"] == straight["populations"]
    for ours, theirs in zip(report["systems"], straight["systems"], strict=True):
        assert ours["values"]["all queries"]["ndcg"] == theirs["values"]["all queries"]["ndcg"]
    assert contest.run([entrant], lambda line: None) == whole
    assert len(fits(counter)) == 4
    contest.run([entrant], lambda line: None, again=True)
    assert fits(counter)[4:] == ["1 1"]


def test_another_runner_package_setting_or_task_is_another_run(counted, tmp_path):
    from peers.trial import Trial

    entrant, _ = counted
    trial = Trial(entrant, Path(sys.executable), {"sign": 1}, tmp_path, "task", tmp_path)
    others = [
        replace(trial, settings={"sign": 2}),
        replace(trial, fingerprint="another"),
        replace(trial, threads=2),
        replace(trial, entrant=replace(entrant, packages=[["numpy==1.26.4"]])),
    ]
    keys = [t.key for t in (trial, *others)]
    assert replace(trial, python=Path("elsewhere"), limit=1.0).key == trial.key
    entrant.file.write_text(entrant.file.read_text("utf-8") + "# another\n", encoding="utf-8")
    assert len({*keys, trial.key}) == 6


def test_who_fails_or_cannot_be_installed_is_told_and_the_rest_goes_on(contest, counted, tmp_path):
    from peers.entrants import Entrant
    from peers.results import page

    entrant, _ = counted
    failing = Entrant("failing", "Failing", entrant.runner, fixed={"sign": 0})
    absent = Entrant("absent", "Absent", entrant.runner, packages=[["nothing"]])
    (tmp_path / "envs" / "absent").mkdir(parents=True)
    (tmp_path / "envs" / "absent" / ".failed").touch()
    (tmp_path / "envs" / "absent" / "could-not.txt").write_text("nothing: no such thing", encoding="utf-8")
    fixed = replace(entrant, first={}, space={}, fixed={"sign": 1})
    found = contest.run([failing, absent, fixed], lambda line: None)
    assert "a sign of 0" in found["entrants"]["failing"]["failed"]
    assert [s["name"] for s in found["questions"]["all"]["systems"]] == ["counted", "popularity"]
    told = page(tmp_path, [])
    assert "- Absent: could not be installed: nothing: no such thing" in told
    assert "### toy: warm" in told
    assert "| Counted | **" in told
    assert "numpy " in told


def test_a_run_that_takes_too_long_is_ended_and_kept(contest, tmp_path):
    from peers.entrants import Entrant

    runner = tmp_path / "slow.py"
    runner.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    found = replace(contest, limit=0.5).run([Entrant("slow", "Slow", str(runner))], lambda line: None)
    assert found["entrants"]["slow"]["failed"] == "took more than 0.5 s"
    assert found["questions"]["all"] == {}


def test_the_command_writes_a_page_and_pictures(tmp_path, capsys):
    import peers.__main__ as command

    clusters(120, 80, 2, seed=1).save(tmp_path / "toy")
    (tmp_path / "work" / "envs" / "plain").mkdir(parents=True)
    (tmp_path / "work" / "envs" / "plain" / ".installed").touch()
    (tmp_path / "work" / "envs" / "plain" / "bin").mkdir()
    python = tmp_path / "work" / "envs" / "plain" / "bin" / "python"
    python.write_text(
        f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8"
    )  # in place of an environment of its own
    python.chmod(0o755)
    words = [str(tmp_path / "toy"), "--peers", "popularity", "ease", "--scenarios", "warm", "--trials", "1"]
    words += ["--work", str(tmp_path / "work"), "--out", str(tmp_path)]
    assert command.main(words) == 0
    assert "warm: EASE" in capsys.readouterr().err
    told = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert "| EASE | " in told
    assert "l2 " in told
    for name in ("quality", "cost"):
        assert (tmp_path / "img" / f"peers-toy-{name}.svg").is_file()
        assert f"(img/peers-toy-{name}.svg)" in told
    costs = json.loads((tmp_path / "work/toy/warm/found.json").read_text("utf-8"))["entrants"]["ease"]
    assert costs["users_per_s"] > 0
    assert 0 < costs["single_p50_ms"] <= costs["single_p99_ms"]
    assert 10 < costs["peak_mb"] < 1000


def test_a_scenario_the_data_is_too_small_for_is_left_out_and_told(tmp_path, capsys):
    import peers.__main__ as command

    clusters(20, 12, 2, seed=1).save(tmp_path / "toy")
    words = [str(tmp_path / "toy"), "--peers", "popularity", "--scenarios", "cold-users"]
    assert command.main([*words, "--work", str(tmp_path / "work"), "--out", str(tmp_path)]) == 0
    assert "cold-users is left out: few_shot(k=0) leaves" in capsys.readouterr().err


def test_wrong_names_are_told(tmp_path, capsys):
    import peers.__main__ as command
    from peers.entrants import entrants

    with pytest.raises(ConfigError, match="no peer is called 'nobody'"):
        entrants(["nobody"])
    clusters(20, 12, 2, seed=1).save(tmp_path / "toy")
    assert command.main([str(tmp_path / "toy"), "--scenarios", "hot"]) == 2
    assert "no scenario is called 'hot'" in capsys.readouterr().err


def test_every_entrant_has_a_runner_and_as_many_trials_as_any_other():
    from peers.entrants import entrants

    every = entrants()
    assert every[0].name == "warmstart"
    for one in every:
        assert one.file.is_file(), one.name
        assert all("==" in package for packages in one.packages for package in packages)
        tried = one.trials(6)
        assert len(tried) == (6 if one.space else 1), one.name
        assert all(set(s) >= set(one.first) | set(one.fixed) for s in tried)
        assert one.trials(6) == tried
        if one.first:
            assert tried[0] == {**one.fixed, **one.first}


def test_ease_of_the_benchmark_is_that_of_the_library(tmp_path):
    from ease import fit
    from given import Train, read_questions
    from peers.exchange import write_task
    from peers.tasks import prepared, scenarios

    splits = scenarios(["warm"])[0].splits(prepared(clusters(120, 80, 2, seed=1)))
    write_task(tmp_path, splits)
    train = Train.read(tmp_path / "train")
    queries, _ = read_questions(tmp_path, train.n_items)["all"]
    lists = fit(train, {"l2": 20.0}, 1)(queries, 5)
    counts = train.counts()
    strength = 20.0 * counts.sum() / np.square(counts).sum()
    expert = PriorMeanEASE(strength=strength, dropout=0.0, tau=0.0, kappa=0.0).fit(splits["all"].train)
    scores = expert.score(splits["all"].queries)
    scores[queries.pairs()] = -np.inf
    assert (lists == best(scores, 5)).mean() > 0.98


@pytest.mark.parametrize(
    "log", ["error: x\nValueError: no\nerror: subprocess-exited-with-error\nnote: hm", "ValueError: no"]
)
def test_the_telling_line_of_a_log(log):
    from peers.environments import reason

    assert reason(log) == "ValueError: no"
