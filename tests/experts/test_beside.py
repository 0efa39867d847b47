"""What stands beside a projection: entries say what whole rows say."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts.base import Sparing
from warmstart.experts.beside import FEW, Entries, Rows, entry_sums
from warmstart.experts.columns import prune
from warmstart.experts.linear import PriorMeanEASE, places
from warmstart.experts.transitions import Transitions

some = settings(max_examples=60, deadline=None, derandomize=True)
ITEMS = 12


def table(rng, rows, n):
    return sp.csr_matrix((rng.normal(size=(rows, n)) * (rng.random((rows, n)) < 0.4)).astype(np.float32))


@some
@given(seed=st.integers(0, 10_000), queries=st.sampled_from([0, 1, 2, FEW, FEW + 1]))
@pytest.mark.parametrize("known", [False, True])
def test_entries_sum_to_the_product(known, seed, queries):
    rng = np.random.default_rng(seed)
    sets, columns = table(rng, queries, ITEMS), np.sort(rng.permutation(ITEMS)[:7]).astype(np.int32)
    weights = sp.lil_matrix((ITEMS, ITEMS), dtype=np.float32)
    weights[:, columns] = table(rng, ITEMS, 7)
    among = (columns, places(columns, ITEMS + 2)) if known else None
    found = entry_sums(sets, sp.csr_matrix(weights), ITEMS + 2, among).rows
    assert (found.shape, found.dtype) == ((queries, ITEMS + 2), np.float32)
    assert all((np.diff(found.indices[a:b]) > 0).all() for a, b in zip(found.indptr, found.indptr[1:], strict=False))
    np.testing.assert_allclose(found.toarray()[:, :ITEMS], (sets @ sp.csr_matrix(weights)).toarray(), atol=1e-5)


@some
@given(seed=st.integers(0, 10_000), queries=st.integers(1, 4), top=st.integers(1, ITEMS))
def test_entries_answer_as_rows_do(seed, queries, top):
    rng = np.random.default_rng(seed)
    few = table(rng, queries, ITEMS)
    few.sort_indices()
    rows, entries = Rows(few.toarray()), Entries(few)
    items = rng.integers(0, ITEMS, (queries, 5))
    np.testing.assert_array_equal(entries.at(items), rows.at(items))
    sums = [np.ones((queries, ITEMS), np.float32) for _ in range(2)]
    entries.add_to(sums[0])
    rows.add_to(sums[1])
    np.testing.assert_array_equal(*sums)
    allowed = rng.random((queries, ITEMS)) < 0.8
    found = [
        {*zip(*(part.tolist() for part in one.best(allowed, top, np.arange(ITEMS))), strict=True)}
        for one in (entries, rows)
    ]
    assert found[0] == found[1]


def test_of_no_entries_nothing_is_found():
    nothing = Entries(sp.csr_matrix((2, 3), dtype=np.float32))
    assert [len(part) for part in nothing.best(np.ones((2, 3), bool), 2, np.arange(3))] == [0, 0]
    assert not nothing.at(np.zeros((2, 2), int)).any()


@pytest.mark.parametrize("expert", [PriorMeanEASE(kappa=0.0), Transitions()])
def test_experts_give_their_entries(expert):
    data = clusters(60, 30, 3, seed=1)
    fitted = expert.fit(data)
    if isinstance(expert, PriorMeanEASE):
        assert fitted.entries(data.histories(np.arange(2))) is None  # a dense table has its zeros
        pruned = prune(fitted.data, np.arange(30), keep=9)
        fitted = type(fitted)(
            sp.csr_matrix(pruned), *(getattr(fitted, n) for n in ("solved", "semantic", "z", "w", "bucket"))
        )
    assert isinstance(fitted, Sparing)
    for grown in (fitted, fitted.grow(np.ones((2, fitted.z.shape[1]), np.float32))):
        h = Histories.of([[0, 4, 9], [], [7]], len(grown.z))
        np.testing.assert_allclose(grown.entries(h).rows.toarray(), grown.beside(h), atol=1e-5)
