"""Paths from a history to an item."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.adjacency import Adjacency
from warmstart.errors import ConfigError
from warmstart.explain.paths import PathSettings, paths

SCHEMA = dict.fromkeys(("head", "relation", "tail"), pl.String)
FILMS = [
    ("Alien", "directed_by", "Ridley Scott"),
    ("Blade Runner", "directed_by", "Ridley Scott"),
    ("Alien", "genre", "science fiction"),
    ("Blade Runner", "genre", "science fiction"),
    ("Star Wars", "genre", "science fiction"),
    ("Star Wars", "with", "Harrison Ford"),
    ("Blade Runner", "with", "Harrison Ford"),
    ("Alien", "followed_by", "Aliens"),
    ("Top Gun", "directed_by", "Tony Scott"),
    ("Tony Scott", "sibling", "Ridley Scott"),
]


def graph(rows):
    return Adjacency.of(pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def nodes(found):
    return [path.nodes for path in found.found]


def test_the_known_answer():
    found = paths(graph(FILMS), ["Alien"], "Blade Runner")
    assert nodes(found)[:2] == [("Alien", "Ridley Scott", "Blade Runner"), ("Alien", "science fiction", "Blade Runner")]
    best = found.found[0]
    assert (best.relations, best.forward) == (("directed_by", "directed_by"), (True, False))
    assert 2 < best.score < 3


def test_one_two_and_three_edges_in_this_order():
    index = graph(FILMS)
    assert nodes(paths(index, ["Alien"], "Aliens")) == [("Alien", "Aliens")]
    assert nodes(paths(index, ["Aliens"], "Alien"))[0] == ("Aliens", "Alien")
    assert not paths(index, ["Aliens"], "Alien").found[0].forward[0]
    assert nodes(paths(index, ["Top Gun"], "Alien")) == [("Top Gun", "Tony Scott", "Ridley Scott", "Alien")]
    assert not paths(index, ["Top Gun"], "Alien", PathSettings(edges=2)).found
    mixed = paths(index, ["Top Gun", "Star Wars", "Alien"], "Blade Runner")
    assert [len(p.relations) for p in mixed.found] == sorted(len(p.relations) for p in mixed.found)
    assert {p.nodes[0] for p in mixed.found} == {"Top Gun", "Star Wars", "Alien"}


def test_unknown_items_and_the_item_itself_have_no_paths():
    index = graph(FILMS)
    for sources, target in ((["nobody"], "Alien"), (["Alien"], "nobody"), ([], "Alien"), (["Alien"], "Alien")):
        assert paths(index, sources, target).found == ()
    assert nodes(paths(index, ["nobody", "Alien", "Alien"], "Aliens")) == [("Alien", "Aliens")]
    assert paths(graph([]), ["Alien"], "Aliens").found == ()


def test_a_hub_is_not_walked_through_and_that_is_told():
    rows = [(f"film{i}", "language", "English") for i in range(30)] + [("film0", "by", "ann"), ("film1", "by", "ann")]
    index = graph(rows)
    assert len(paths(index, ["film0"], "film1").found) == 2
    barred = paths(index, ["film0"], "film1", PathSettings(hub=10))
    assert nodes(barred) == [("film0", "ann", "film1")]
    assert barred.barred == ("English",)
    # an item of many facts may still stand at either end
    assert nodes(paths(index, ["English"], "ann", PathSettings(edges=2, hub=10))) == [
        ("English", "film0", "ann"),
        ("English", "film1", "ann"),
    ]


def test_equal_paths_stand_in_the_order_of_the_history_and_then_of_names():
    rows = [(item, "by", maker) for item in ("a", "b", "target") for maker in ("zoe", "ann")]
    wanted = [("b", "ann", "target"), ("b", "zoe", "target"), ("a", "ann", "target"), ("a", "zoe", "target")]
    for order in (rows, rows[::-1]):
        found = paths(graph(order), ["b", "a"], "target", PathSettings(edges=2))
        assert nodes(found) == wanted
        assert len({p.score for p in found.found}) == 1


def test_what_has_a_name_stands_before_what_has_none():
    index = graph(
        [("a", "by", "m.1"), ("b", "by", "m.1"), ("a", "of", "crime"), ("b", "of", "crime"), ("c", "of", "crime")]
    )
    named = np.array([not name.startswith("m.") for name in index.entities.ids])
    assert [n[1] for n in nodes(paths(index, ["a"], "b"))] == ["m.1", "crime"]
    assert [n[1] for n in nodes(paths(index, ["a"], "b", named=named))] == ["crime", "m.1"]


def test_no_more_than_asked_and_no_middle_twice():
    rows = [(item, relation, f"e{n}") for item in ("a", "b") for relation in ("by", "with") for n in range(6)]
    found = paths(graph(rows), ["a"], "b", PathSettings(most=4))
    assert len(found.found) == 4
    assert len({n[1] for n in nodes(found)}) == 4


def test_what_is_beyond_the_budget_is_told():
    rows = [(item, "by", f"e{n}") for item in ("a", "b") for n in range(20)] + [("c", "by", "e0")]
    found = paths(graph(rows), ["a"], "b", PathSettings(edges=2, budget=5, most=9))
    assert found.cut == 15
    assert len(found.found) == 5
    assert "e0" not in {n[1] for n in nodes(found)}  # it has the most facts


@pytest.mark.parametrize("wrong", [{"edges": 0}, {"edges": 4}, {"most": 0}, {"hub": 0}, {"budget": 0}])
def test_settings_are_checked(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        PathSettings(**wrong)


NAMES = st.sampled_from([*"abcdefghij", "hub"])
ROWS = st.lists(st.tuples(NAMES, st.sampled_from(["r", "s"]), NAMES), max_size=40)


def walks(rows, source, target, barred, limit):
    """All simple walks by plain search."""
    step = {}
    for h, _, t in rows:
        if h != t:
            step.setdefault(h, set()).add(t)
            step.setdefault(t, set()).add(h)
    found, open_ = set(), [(source,)]
    while open_:
        walk = open_.pop()
        for v in sorted(step.get(walk[-1], ())):
            if v == target:
                found.add((*walk, v))
            elif v not in barred and v not in walk and len(walk) < limit:
                open_.append((*walk, v))
    return found


@given(ROWS, st.lists(NAMES, min_size=1, max_size=3), NAMES, st.integers(1, 3), st.integers(2, 8), st.integers(1, 3))
def test_paths_are_real_bounded_and_best_first(rows, sources, target, edges, hub, most):
    index = graph(rows)
    degree = dict(zip(index.entities.ids, index.degree.tolist(), strict=True))
    found = paths(index, sources, target, PathSettings(edges=edges, hub=hub, most=most)).found
    facts = set(rows) | {(t, index.kept.get(r, r), h) for h, r, t in rows if index.kept.get(r, r) != r}
    facts |= {(t, r, h) for h, r, t in rows if (t, r, h) in set(rows)}
    for path in found:
        assert len(path.nodes) == len(set(path.nodes)) == len(path.relations) + 1 <= edges + 1
        assert path.nodes[0] in sources
        assert path.nodes[-1] == target
        for (a, b), relation, forward in zip(
            zip(path.nodes, path.nodes[1:], strict=False), path.relations, path.forward, strict=True
        ):
            assert ((a, relation, b) if forward else (b, relation, a)) in facts
        for v in path.nodes[1:-1]:
            assert degree[v] <= hub
            assert v not in sources
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    for source in set(sources) - {target}:
        mine = [p for p in found if p.nodes[0] == source]
        middles = [v for p in mine for v in p.nodes[1:-1]]
        assert len(mine) <= most
        assert len(middles) == len(set(middles))
        barred = {v for v in degree if degree[v] > hub} | set(sources)
        every = walks(rows, source, target, barred, edges)
        assert bool(mine) == bool(every)
        if mine:
            assert len(mine[0].nodes) == min(map(len, every))


def test_a_larger_graph_is_asked_in_time():
    file = Path(__file__).parents[2] / "bench/graph/paths.py"
    told = json.loads(subprocess.run([sys.executable, file, "50000"], capture_output=True, check=True).stdout)
    assert 49_900 < told["facts"] <= 50_000
    assert told["largest_hub"] >= 2_500
    assert told["hubs_barred_a_query"] >= 1
    assert told["queries_with_paths"] > 0.5
    assert told["three_edges"]["p50_ms"] < 50
    assert told["peak_mb"] < 1_000
