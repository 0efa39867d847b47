"""Ranking measures: by hand, against ranx, and by their invariants."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.errors import DataError
from warmstart.evaluate.metrics import MEASURES, find_hits, ranking


def random_lists(seed: int, n: int = 40, n_items: int = 50, length: int = 20) -> tuple[np.ndarray, sp.csr_matrix]:
    rng = np.random.default_rng(seed)
    ranked = np.argsort(rng.random((n, n_items)), axis=1)[:, :length].astype(np.int32)
    targets = sp.csr_matrix((rng.random((n, n_items)) < 0.1).astype(np.float32))
    return ranked, targets


def test_a_list_by_hand():
    # places 1 and 3 of 4 are hits; three items are relevant
    values = ranking(np.array([[5, 0, 6, 1]]), sp.csr_matrix([[0, 0, 0, 0, 1, 1, 1]]), k=4)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    expected = {
        "ndcg": (1 + 1 / 2) / ideal,
        "recall": 2 / 3,
        "hit": 1,
        "mrr": 1,
        "precision": 1 / 2,
        "f1": 4 / 7,
        "map": (1 + 2 / 3) / 3,
    }
    assert {name: v[0] for name, v in values.items()} == pytest.approx(expected)


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore")  # numba and its relatives, inside ranx
@pytest.mark.parametrize("k", [5, 20])
def test_agreement_with_ranx(k):
    pytest.importorskip("numba").config.DISABLE_JIT = True  # compiling it takes longer than a minute
    ranx = pytest.importorskip("ranx")
    ranked, targets = random_lists(0)
    rows = np.flatnonzero(targets.getnnz(axis=1))
    ranked, targets = ranked[rows], targets[rows]
    qrels = ranx.Qrels({str(q): {str(i): 1 for i in targets[q].indices} for q in range(len(rows))})
    run = ranx.Run(
        {str(q): {str(i): float(-r) for r, i in enumerate(items)} for q, items in enumerate(ranked[:, :k].tolist())}
    )
    theirs = {"ndcg": "ndcg", "recall": "recall", "hit": "hit_rate", "mrr": "mrr", "precision": "precision", "f1": "f1"}
    theirs["map"] = "map"
    mine = ranking(ranked, targets, k)
    for name, other in theirs.items():
        score = ranx.evaluate(qrels, run, f"{other}@{k}", make_comparable=True)
        # the harmonic mean of means differs from the mean of harmonic means: ranx, too, takes the latter
        assert mine[name].mean() == pytest.approx(float(score), abs=1e-6), name


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 25))
def test_values_lie_between_zero_and_one(seed, k):
    ranked, targets = random_lists(seed)
    for values in ranking(ranked, targets, k).values():
        known = values[targets.getnnz(axis=1) > 0]
        assert not np.isnan(known).any()
        assert ((known >= 0) & (known <= 1 + 1e-12)).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_names_and_order_of_queries_do_not_matter(seed):
    ranked, targets = random_lists(seed)
    rng = np.random.default_rng(seed)
    items, queries = rng.permutation(targets.shape[1]), rng.permutation(len(ranked))
    renamed = sp.csr_matrix((targets.data, items[targets.indices], targets.indptr), shape=targets.shape)
    a, b = ranking(ranked, targets), ranking(items[ranked][queries], renamed[queries])
    for name in MEASURES:
        np.testing.assert_allclose(a[name][queries], b[name])


@settings(max_examples=20, deadline=None)
@given(n_relevant=st.integers(1, 8), k=st.integers(8, 12))
def test_the_ideal_list_is_perfect(n_relevant, k):
    targets = sp.csr_matrix(np.arange(20) < n_relevant, dtype=np.float32)
    values = ranking(np.arange(20)[None], targets, k)
    for name in ("ndcg", "recall", "hit", "mrr", "map"):
        assert values[name][0] == pytest.approx(1)


def test_more_relevant_items_than_places_is_still_ideal():
    assert ranking(np.arange(3)[None], sp.csr_matrix(np.ones((1, 9))), 3)["ndcg"][0] == pytest.approx(1)


def test_nothing_relevant_is_no_number():
    for values in ranking(np.array([[0, 1]]), sp.csr_matrix((1, 3))).values():
        assert np.isnan(values).all()


def test_padding_is_never_a_hit():
    targets = sp.csr_matrix(np.ones((2, 3)))
    assert not find_hits(np.full((2, 4), -1), targets).any()


def test_lists_and_targets_must_match():
    with pytest.raises(DataError, match="one list a query"):
        ranking(np.zeros((2, 3), int), sp.csr_matrix((3, 3)))
