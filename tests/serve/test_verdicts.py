"""What experiments show, in words, and how often they are wrong."""

import numpy as np
import pytest

from warmstart.serve.experiments import assign
from warmstart.serve.verdicts import result_of
from warmstart.store.rows import Answer, Event, Experiment, Shown
from warmstart.store.store import Store

ROWS = [{"name": "old", "share": 0.5}, {"name": "new", "share": 0.5, "diversity": 0.3}]
TEST = Experiment("covers", ROWS)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.db") as opened:
        yield opened


def run(store, people, rates, experiment=TEST, seed=0, lost=0.0):
    """People come once, are assigned, shown five places, and click with the rate of their variant."""
    rng = np.random.default_rng(seed)
    answers, clicks = [], []
    for i in range(people):
        variant = assign([experiment], "", f"u{i}").variants[0].name
        if variant != "old" and rng.random() < lost:
            continue
        items = [Shown(item, 1.0, "content") for item in "abcde"]
        answers.append(Answer(f"r{i}", f"u{i}", 5, "m", "", "warm", items, experiment=experiment.name, variant=variant))
        clicks += [(i, item) for item in "abcde" if rng.random() < rates[variant]]
    store.add_answers(answers)
    store.add_events([Event(f"{i}{item}", f"u{i}", item, "click", 9, None, None, f"r{i}") for i, item in clicks])


def test_a_better_variant_is_called_better(store):
    run(store, 3000, {"old": 0.10, "new": 0.15})
    result = result_of(store, TEST)
    assert result.verdict.startswith("new is better than old: +")
    assert result.verdict.endswith("points of the click rate, 95% sure at every look")
    assert result.arms[0].against_first is None
    assert result.arms[1].against_first.low > 0
    assert sum(arm.people for arm in result.arms) == 3000
    assert not result.ratio.mismatch


def test_a_worse_one_worse_and_an_equal_one_neither(tmp_path):
    with Store.open(tmp_path / "a.db") as store:
        run(store, 3000, {"old": 0.15, "new": 0.10})
        assert result_of(store, TEST).verdict.startswith("new is worse than old")
    with Store.open(tmp_path / "b.db") as store:
        run(store, 1000, {"old": 0.10, "new": 0.10})
        assert result_of(store, TEST).verdict.startswith("no difference between new and old is shown yet")


def test_people_who_are_lost_make_it_worthless(store):
    run(store, 3000, {"old": 0.10, "new": 0.15}, lost=0.2)
    result = result_of(store, TEST)
    assert result.ratio.mismatch
    assert result.verdict.startswith("do not trust this: people are 1")


def test_three_variants_are_all_compared_with_the_first(store):
    three = Experiment(
        "three", [{"name": "old", "share": 0.4}, {"name": "b", "share": 0.3}, {"name": "c", "share": 0.3}]
    )
    run(store, 4000, {"old": 0.1, "b": 0.2, "c": 0.05}, three)
    verdict = result_of(store, three).verdict
    assert "b is better than old" in verdict
    assert "; c is worse than old" in verdict


def test_few_people_show_nothing(store):
    assert result_of(store, TEST).verdict == "too few people yet"
    run(store, 20, {"old": 0.1, "new": 0.9})
    assert result_of(store, TEST).verdict.startswith("no difference")


def test_mixed_lists(store):
    experiment = Experiment("mix", ROWS, kind="interleave")
    rng = np.random.default_rng(1)
    answers, clicks = [], []
    for i in range(400):
        items = [Shown(item, 1.0, "content", variant=v) for item, v in zip("abcd", ("old", "new") * 2, strict=True)]
        answers.append(Answer(f"r{i}", f"u{i}", 5, "m", "", "warm", items, experiment="mix"))
        clicks += [(i, item) for item in "abcd" if rng.random() < (0.3 if item in "bd" else 0.1)]
    store.add_answers(answers)
    assert result_of(store, experiment).verdict == "too few people yet"
    store.add_events([Event(f"{i}{item}", f"u{i}", item, "click", 9, None, None, f"r{i}") for i, item in clicks])
    result = result_of(store, experiment)
    assert result.verdict.startswith("new is better than old: ")
    assert result.preference.margin.high < 0
    assert (result.arms, result.ratio) == ((), None)
