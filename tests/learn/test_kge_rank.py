"""Filtered ranks."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from warmstart.learn.kge_rank import both_ends, figures, rank, ranks

TABLE = np.array([[0.1, 0.9, 0.5, 0.7], [0.4, 0.4, 0.4, 0.4]])


def scores(entities, relations):
    return TABLE[relations]


def test_other_right_answers_are_left_out():
    asked = np.array([[0, 0, 2]])
    assert ranks(asked, asked, 4, scores).tolist() == [3]  # behind 1 and 3
    known = np.array([[0, 0, 2], [0, 0, 1]])
    assert ranks(asked, known, 4, scores).tolist() == [2]  # 1 is right, too
    other = np.array([[0, 0, 2], [3, 0, 1], [0, 1, 3]])
    assert ranks(asked, other, 4, scores).tolist() == [3]  # another entity's and another relation's facts


def test_ties_are_the_mean_of_best_and_worst():
    asked = np.array([[0, 1, 2]])
    assert ranks(asked, asked, 4, scores).tolist() == [2.5]  # 1 to 4
    assert ranks(asked, np.array([[0, 1, 2], [0, 1, 0]]), 4, scores).tolist() == [2]  # 1 to 3


def test_a_model_that_broke_down_is_last():
    assert rank(np.full((1, 5), np.nan), np.array([2]), sp.csr_matrix((1, 5))).tolist() == [5]
    assert rank(np.array([[np.nan, 3.0, 1.0]]), np.array([1]), sp.csr_matrix((1, 3))).tolist() == [2]


def test_questions_beyond_a_block_and_progress(monkeypatch):
    monkeypatch.setattr("warmstart.learn.kge_rank.BLOCK", 2)
    asked = np.array([[0, 0, e] for e in (0, 1, 2, 3, 1)])
    told = []
    assert ranks(asked, asked[:1], 4, scores, lambda *now: told.append(now)).tolist() == [4, 1, 3, 2, 1]
    assert told[-1] == ("ranking", 5, 5)


def test_both_ends_use_the_reciprocal():
    assert both_ends(np.array([[5, 0, 7], [1, 1, 2]]), 2).tolist() == [[5, 0, 7], [1, 1, 2], [7, 2, 5], [2, 3, 1]]


def test_figures():
    assert figures(np.array([1.0, 2, 20])) == pytest.approx(
        {"mrr": (1 + 0.5 + 0.05) / 3, "hits@1": 1 / 3, "hits@3": 2 / 3, "hits@10": 2 / 3}
    )
    assert np.isnan(figures(np.zeros(0))["mrr"])


@given(st.lists(st.integers(0, 4), min_size=2, max_size=30), st.data())
def test_ranks_lie_between_sorted_ends(values, data):
    row = np.array([values], float)
    answer = data.draw(st.integers(0, len(values) - 1))
    found = rank(row, np.array([answer]), sp.csr_matrix(row.shape))[0]
    above = sum(v > values[answer] for v in values)
    equal = sum(v == values[answer] for v in values)
    assert found == (above + 1 + above + equal) / 2
