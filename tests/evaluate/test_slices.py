"""Slices say who was asked; parts say for what."""

import numpy as np
import scipy.sparse as sp

from warmstart.data.example import example
from warmstart.data.histories import Histories
from warmstart.data.popularity import popularity_groups
from warmstart.data.split import cold_users, last_n, temporal
from warmstart.data.toy import clusters
from warmstart.evaluate.slices import by_length, is_quintile, lowest_third, query_slices, quintiles, target_parts


def test_lengths_share_out_the_queries():
    rows = [list(range(n)) for n in (0, 1, 2, 3, 5, 6, 10, 11, 50, 51)]
    masks = by_length(Histories.of(rows, 60))
    assert {name: int(m.sum()) for name, m in masks.items()} == {
        "history 0": 1,
        "history 1-2": 2,
        "history 3-5": 2,
        "history 6-10": 2,
        "history 11-50": 2,
        "history >50": 1,
    }
    assert (np.sum(list(masks.values()), axis=0) == 1).all()


def test_lowest_third_puts_missing_last_and_skips_constants():
    assert lowest_third(np.array([np.nan, 3.0, 1.0]), 0).tolist() == [False, False, True]
    assert not lowest_third(np.ones(6), 0).any()
    assert lowest_third(np.array([1.0, 1.0, 2.0, 1.0, 2.0, 2.0]), 0).sum() == 2


def test_new_and_known_users_are_told_apart():
    everybody_new = query_slices(cold_users(example()))
    assert "new users" not in everybody_new  # a slice that is everybody says nothing
    assert "known users" not in query_slices(last_n(example()))
    x = example().interactions
    without_v = example().with_interactions(x.select((x.user != 1) | (x.time > 6)))
    masks = query_slices(temporal(without_v, share=0.5))
    assert masks["new users"].tolist() == [False, True, False]
    assert (masks["new users"] ^ masks["known users"]).all()


def test_fifths_share_out_those_with_a_value():
    values = np.array([np.nan, *np.random.default_rng(0).permutation(23).astype(float)])
    masks = quintiles(values, "taste", seed=0)
    assert list(masks) == [f"taste {i}/5" for i in range(1, 6)]
    assert np.sum(list(masks.values()), axis=0).tolist() == [0] + [1] * 23
    assert {int(m.sum()) for m in masks.values()} == {4, 5}
    highest = [values[m].max() for m in masks.values()]
    assert highest == sorted(highest)
    assert values[masks["taste 1/5"]].max() < values[masks["taste 2/5"]].min()


def test_ties_and_few_queries_make_no_fifths():
    assert quintiles(np.ones(9), "n", seed=0) == {}
    assert quintiles(np.arange(4.0), "n", seed=0) == {}
    assert quintiles(np.full(9, np.nan), "n", seed=0) == {}
    tied = quintiles(np.repeat([1.0, 2.0], 10), "n", seed=0)
    assert [int(m.sum()) for m in tied.values()] == [4] * 5


def test_a_split_has_fifths_by_activity_and_by_taste():
    masks = query_slices(last_n(clusters(60, 40, 4, seed=1)))
    assert sum(is_quintile(name) for name in masks) == 10
    assert (masks["niche 1/5"] <= masks["most niche third"]).mean() > 0.9  # ties are drawn apart
    assert not is_quintile("history 3-5")


def test_groups_share_events_in_halves_and_fifths():
    groups = popularity_groups(np.array([50, 30, 10, 10, 0]))
    assert groups.tolist() == [0, 1, 2, 2, 3]
    assert popularity_groups(np.zeros(3, int)).tolist() == [3, 3, 3]


def test_parts_add_up_to_the_targets():
    rng = np.random.default_rng(0)
    targets = sp.csr_matrix((rng.random((20, 30)) < 0.2).astype(np.float32))
    parts = target_parts(targets, popularity_groups(rng.integers(0, 9, 30)))
    assert (sum(parts.values()) != targets).nnz == 0
