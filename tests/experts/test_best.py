"""The best items of rows of scores, with and without a sample that tells how high they stand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.experts.best import best, first_allowed

some = settings(max_examples=40, deadline=None)


def sets(found, n):
    row, column = found
    return [set(column[row == r].tolist()) for r in range(n)]


@some
@given(seed=st.integers(0, 10_000), top=st.integers(1, 30), ties=st.booleans(), floor=st.sampled_from([-np.inf, 0.0]))
@pytest.mark.parametrize("sampled", [False, True])
def test_no_entry_left_out_is_above_one_taken(sampled, seed, top, ties, floor):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(4, 200)).astype(np.float32)
    if ties:
        rows = np.maximum(rows.round(), 0.0)
    rows[rng.random(rows.shape) < 0.3] = np.nan
    rows[0], allowed = np.nan, rng.random(rows.shape) < 0.8
    found = sets(best(rows, allowed, top, rng.choice(200, 25, replace=False) if sampled else None, floor), 4)
    assert not found[0]
    for r in range(1, 4):
        known = np.flatnonzero(allowed[r] & (np.nan_to_num(rows[r], nan=-np.inf) > floor))
        taken = sorted(found[r])
        assert len(taken) == min(top, len(known))
        left = np.setdiff1d(known, taken)
        assert not len(left) or rows[r, taken].min() >= rows[r, left].max()


@some
@given(seed=st.integers(0, 10_000), top=st.integers(1, 30), share=st.sampled_from([0.02, 0.5, 1.0]))
@pytest.mark.parametrize("reach", [50_000, 40])
def test_the_same_scores_for_everybody(reach, seed, top, share):
    rng = np.random.default_rng(seed)
    scores, allowed = rng.normal(size=300).astype(np.float32), rng.random((3, 300)) < share
    scores[::7] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warmstart.experts.best.REACH", reach)
        found = sets(first_allowed(scores, allowed, top), 3)
    for r in range(3):
        may = [i for i in np.argsort(-scores) if allowed[r, i] and not np.isnan(scores[i])]
        assert found[r] == set(may[:top])


def test_nobody_and_nothing():
    nothing = np.empty((0, 50), np.float32)
    assert [len(part) for part in best(nothing, nothing > 0, 5)] == [0, 0]
    assert [len(part) for part in best(nothing, nothing > 0, 5, np.arange(5))] == [0, 0]
    assert [len(part) for part in first_allowed(np.zeros(3), np.zeros((0, 3), bool), 2)] == [0, 0]
