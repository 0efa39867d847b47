"""People are assigned evenly, stay where they are, and lists are mixed the same way each time."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.evaluate.sample_ratio import sample_ratio
from warmstart.serve.experiments import Variant, assign, begun, generator, mixed, uniform
from warmstart.store.rows import Experiment


def test_of(name, *shares, **given):
    rows = [{"name": f"v{i}", "share": share, "diversity": i / 10} for i, share in enumerate(shares)]
    return Experiment(name, rows, **given)


test_of.__test__ = False  # a maker, not a test


def chosen(experiment, units, scenario=""):
    found = [assign([experiment], scenario, unit) for unit in units]
    return [None if a is None else a.variants[0].name for a in found]


def test_shares_are_kept_and_the_rest_takes_no_part():
    seen = chosen(test_of("x", 0.5, 0.2), [f"u{i}" for i in range(20_000)])
    counts = [seen.count(name) for name in ("v0", "v1", None)]
    assert sample_ratio(counts, [0.5, 0.2, 0.3]).chi_square_p > 0.01


def test_experiments_do_not_depend_on_each_other():
    units = [f"u{i}" for i in range(4000)]
    a, b = (np.array(chosen(test_of(name, 0.5, 0.5), units)) == "v0" for name in ("first", "second"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05


def test_the_same_in_another_process():
    code = "from warmstart.serve.experiments import uniform; print(uniform('x', 'ann'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert float(told.stdout) == uniform("x", "ann")


@given(st.text(max_size=40), st.text(max_size=80))
def test_any_names_give_a_number(key, unit):
    assert 0 <= uniform(key, unit) < 1
    assert generator(key, unit).random() == generator(key, unit).random()


def test_the_scenario_and_the_status_decide():
    here, stopped = test_of("x", 0.5, 0.5, scenario="cart"), test_of("y", 0.5, 0.5, status="stopped")
    assert assign([stopped, here], "home", "ann") is None
    assert assign([stopped, here], "cart", "ann").experiment is here
    assert assign([], "", "ann") is None
    assert assign([test_of("x", 0.5, 0.5)], "anything", "ann") is not None


def test_both_variants_are_given_where_lists_are_mixed():
    found = assign([test_of("x", 0.5, 0.5, kind="interleave")], "", "ann")
    assert found.interleaves
    assert [v.name for v in found.variants] == ["v0", "v1"]
    assert not assign([test_of("x", 0.5, 0.5)], "", "ann").interleaves


def test_a_list_is_mixed_the_same_way_for_the_same_answer():
    one, two = (mixed(list("abcdef"), list("fedcba"), 4, "r1") for _ in "12")
    assert one == two
    assert len({mixed(list("abcdef"), list("fedcba"), 4, f"r{i}").items for i in range(30)}) > 3


def test_a_variant_tells_only_what_it_changes():
    variant = Variant.of({"name": "a", "share": 0.5, "diversity": 0.0, "model": "m2"})
    assert variant.settings == {"model": "m2", "diversity": 0.0}
    assert variant.explore is None


def test_one_experiment_at_a_place():
    running = [test_of("x", 0.5, 0.5, scenario="cart")]
    assert begun(test_of("y", 0.5, 0.5, scenario="home"), running).name == "y"
    assert begun(test_of("y", 0.5, 0.5), [replace(running[0], status="stopped")]).name == "y"
    for scenario in ("cart", ""):
        with pytest.raises(ConfigError, match="experiment 'x' runs there already; stop it first"):
            begun(test_of("y", 0.5, 0.5, scenario=scenario), running)


@pytest.mark.parametrize(
    ("experiment", "told"),
    [
        (test_of("x", 1.0), "are not two or more"),
        (
            Experiment("x", [{"name": "a", "share": 0.5}, {"name": "a", "share": 0.5, "explore": 0.1}]),
            "different names",
        ),
        (test_of("x", 0.7, 0.7), "shares sum to 1.4"),
        (test_of("x", 0.3, 0.3, 0.3, kind="interleave"), "interleave of 3 variants cannot be"),
        (test_of("x", 0.5, 0.5, kind="other"), "other of 2 variants cannot be"),
        (Experiment("x", [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]), "the same settings"),
        (test_of("x", 0.5, 0.0), "share=0 is not in"),
        (Experiment("x", [{"name": "a/b", "share": 0.5}, {"name": "b", "share": 0.5}]), "cannot be a name"),
        (Experiment("x", [{"name": "a", "share": 0.5, "diversity": 2}]), "diversity=2 is not between 0 and 1"),
    ],
)
def test_mistakes_are_told(experiment, told):
    with pytest.raises(ConfigError, match=told):
        begun(experiment, [])
