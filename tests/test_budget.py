"""A fit within its memory: what is estimated is not exceeded, and what cannot be kept is refused before it begins."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from warmstart.budget import GB, Sizes, gigabytes, parts, shrunk, within_budget
from warmstart.data.toy import clusters
from warmstart.engine import Engine
from warmstart.errors import ConfigError
from warmstart.evaluate.memory import memory_mb
from warmstart.recipe import Recipe

FIT = """
import sys
import warmstart as ws
from warmstart.data.synthetic import Synthetic
from pathlib import Path
from warmstart.recipe import Recipe

for _ in Synthetic(users=5200, items=600, events=26_000, clusters=10).write(sys.argv[1]):
    pass
experts = {"popularity": {"class": "Popularity"}, "people": {"class": "PriorMeanEASE"},
           "few": {"class": "PriorMeanEASE", "strength": 10.0}, "content": {"class": "ContentMap"}}
ws.Engine(Recipe.of({
    "encoder": "tfidf", "memory_gb": float(sys.argv[2]), "experts": experts,
    "fusion": {"queries": 500, "heads": {"ranker": False}},
})).fit(ws.read(sys.argv[1]))
status = Path("/proc/self/status").read_text()  # a process's own: ``ru_maxrss`` begins at what its parent took
print(int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6)
"""
BIG = Sizes(users=400_000, items=20_000, met=19_000, events=20_000_000)


def peak_mb(folder, budget):
    """What a fit took under a budget, measured in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", FIT, str(folder), str(budget)], capture_output=True, text=True, check=True
    )
    return float(told.stdout), told.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no peak of a process")
def test_the_peak_of_a_fit_stays_within_its_budget(tmp_path):
    """Without a budget 500 queries are asked, which would take more."""
    peak, told = peak_mb(tmp_path, 0.46)
    assert peak < 460
    assert "memory budget 0.46 GB: about 0.4" in told
    assert "250 queries" in told


@pytest.mark.parametrize(("text", "amount"), [("8GB", 8.0), (" 0.5 gb", 0.5), ("900MB", 0.9), ("2", 2.0)])
def test_amounts_are_read(text, amount):
    assert gigabytes(text) == amount


@pytest.mark.parametrize("text", ["", "much", "-1GB", "0", "8TB"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ConfigError, match="cannot be read; write"):
        gigabytes(text)


def test_without_a_budget_the_recipe_stays_as_it_is():
    recipe = Recipe()
    assert within_budget(recipe, clusters(20, 20, 2)) is recipe


def test_a_budget_that_is_enough_cuts_nothing(caplog):
    recipe = Recipe(memory_gb=50.0)
    with caplog.at_level(logging.INFO):
        assert within_budget(recipe, clusters(20, 20, 2)) is recipe
    assert "memory budget 50 GB" in caplog.text


def test_a_budget_below_the_smallest_plan_says_what_would_do():
    data = clusters(20, 20, 2)
    with pytest.raises(ConfigError, match=r"smallest plan for .* give a budget of [\d.]+ GB") as told:
        Engine(Recipe(memory_gb=0.01)).fit(data)
    enough = float(str(told.value).split("give a budget of ")[1].split(" GB")[0])
    assert within_budget(Recipe(memory_gb=enough + 0.1), data)


def test_a_tight_budget_is_told_with_what_it_cuts(caplog):
    data = clusters(800, 200, 2)
    usual, least = (sum(parts(shrunk(Recipe(), by), Sizes.of(data)).values()) for by in (1, 32))
    assert least < usual
    between = (1e6 * memory_mb() + (usual + least) / 2) / GB
    plan = within_budget(Recipe(memory_gb=between), data)
    assert plan.fusion.queries < Recipe().fusion.queries
    assert f"{plan.fusion.queries} queries" in caplog.text


def test_smaller_plans_need_less():
    needed = [sum(parts(shrunk(Recipe(), by), BIG).values()) for by in (1, 2, 4, 8)]
    assert needed == sorted(needed, reverse=True)
    assert needed[0] < 14 * GB


def test_a_plan_keeps_what_its_recipe_has_less_of():
    recipe = Recipe(fusion=replace(Recipe().fusion, queries=40, people=500))
    assert shrunk(recipe, 16).fusion == recipe.fusion


def test_a_negative_budget_is_refused():
    with pytest.raises(ConfigError, match="memory_gb=-1 is below 0"):
        Recipe(memory_gb=-1.0)
