"""A tree of concepts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from warmstart.errors import ConfigError
from warmstart.interests import tree as module
from warmstart.interests.tree import TreeSettings, build_tree


def blobs(sizes, seed=0, spread=0.05):
    """Groups of groups: two far apart, each of several near ones."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    middle = rng.normal(size=(len(sizes), 6)) + 8 * (np.arange(len(sizes)) % 2)[:, None]
    return (middle[truth] + spread * rng.normal(size=(len(truth), 6))).astype(np.float32), truth


def test_groups_within_groups_are_found():
    vectors, truth = blobs([30, 20, 25, 10])
    tree, coder = build_tree(vectors, TreeSettings(sizes=(2, 4, 8)))
    assert adjusted_mutual_info_score(tree.paths[:, 0], truth % 2) == pytest.approx(1.0)
    assert adjusted_mutual_info_score(tree.paths[:, 1], truth) == pytest.approx(1.0)
    assert len(tree) == 14
    assert [len(tree.items(c)) for c in tree.at(0)] == [55, 30]
    last = tree.at(2)[-1]
    np.testing.assert_allclose(coder.centres[-1], vectors[tree.items(last)].mean(0), atol=1e-5)


@given(st.integers(1, 40), st.integers(0, 5))
def test_levels_are_nested_and_hold_every_item(n, seed):
    vectors = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    tree, _ = build_tree(vectors)
    assert tree.paths.shape == (n, 3)
    for level in range(1, 3):
        np.testing.assert_array_equal(tree.parent[tree.paths[:, level]], tree.paths[:, level - 1])
    for level in range(3):
        assert sorted(np.concatenate([tree.items(c) for c in tree.at(level)]).tolist()) == list(range(n))


def test_the_same_vectors_make_the_same_tree_and_a_large_catalogue_agrees_over_seeds(monkeypatch):
    vectors, truth = blobs([60, 50, 40, 30, 20, 10])
    one, two = (build_tree(vectors, TreeSettings(sizes=(2, 6)))[0] for _ in range(2))
    np.testing.assert_array_equal(one.paths, two.paths)
    monkeypatch.setattr(module, "EXACT", 100)
    monkeypatch.setattr(module, "GROUPS", 40)
    grouped = [build_tree(vectors, TreeSettings(sizes=(2, 6), seed=s))[0].paths[:, 1] for s in (0, 1)]
    assert adjusted_mutual_info_score(*grouped) > 0.9
    assert adjusted_mutual_info_score(grouped[0], truth) > 0.9


def test_new_items_join_the_nearest_concept():
    vectors, truth = blobs([30, 20, 25, 10])
    tree, coder = build_tree(vectors, TreeSettings(sizes=(2, 4)))
    more, kind = blobs([30, 20, 25, 10], spread=0.0)
    placed = tree.grow(coder.place(more)).paths[len(vectors) :]
    assert (placed[:, 1] == tree.paths[[np.flatnonzero(truth == k)[0] for k in kind], 1]).all()
    assert len(placed) == len(more)


def test_typical_items_are_those_in_the_middle():
    vectors = np.array([[1, 0], [0.9, 0.3], [0.9, -0.3], [-1, 0.0]], np.float32)
    tree, _ = build_tree(vectors, TreeSettings(sizes=(2,)))
    assert tree.typical(vectors, int(tree.paths[0, 0]), 2).tolist()[0] == 0
    assert 3 not in tree.typical(vectors, int(tree.paths[0, 0]))


def test_alike_items_are_one_concept():
    tree, coder = build_tree(np.ones((12, 4), np.float32))
    assert len(tree) == 3
    assert not np.isnan(coder.centres).any()


@pytest.mark.parametrize("sizes", [(0, 3), (9, 3), ("a",), (2.5,)])
def test_mistakes_are_told(sizes):
    with pytest.raises(ConfigError, match="must be whole, 1 or more and ascending"):
        TreeSettings(sizes=sizes)


def test_wide_vectors_are_told_apart_by_their_main_directions():
    rng = np.random.default_rng(0)
    kind = np.arange(600) % 5
    vectors = np.hstack([3.0 * np.eye(5)[kind], 0.05 * rng.normal(size=(600, 800))]).astype(np.float32)
    members, _ = build_tree(vectors, TreeSettings(sizes=(5,)))
    found = members.paths[:, 0]
    assert len(set(zip(found.tolist(), kind.tolist(), strict=True))) == 5
    again, _ = build_tree(vectors, TreeSettings(sizes=(5,)))
    np.testing.assert_array_equal(found, again.paths[:, 0])
