"""Coverage, evenness, novelty, tail recall and miscalibration on lists small enough to check by hand."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.errors import DataError
from warmstart.evaluate.beyond import (
    coverage,
    exposure,
    gini,
    miscalibration,
    novelty,
    popularity_percentile,
    tail_recall,
)
from warmstart.evaluate.categories import category_matrix


def test_coverage_counts_distinct_items():
    assert coverage(exposure(np.array([[0, 1], [1, -1]]), 5)) == pytest.approx(2 / 5)


def test_gini_of_even_and_uneven_exposure():
    assert gini(np.full(10, 3)) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 0, 5])) == pytest.approx(4 / 5)
    assert np.isnan(gini(np.zeros(4, int)))


def test_unknown_items_are_the_most_novel():
    bits = novelty(np.array([[0], [1], [2], [-1]]), np.array([100, 3, 0]))
    assert bits[0] < bits[1] < bits[2]
    assert np.isnan(bits[3])


def test_percentile_of_equally_popular_items_is_a_half():
    assert popularity_percentile(np.array([[0, 1]]), np.array([4, 4, 4])).tolist() == [0.5]


def test_tail_recall_leaves_the_head_out():
    tail = np.array([False, True, True, True])
    got = tail_recall(np.array([[0, 1], [0, 1]]), sp.csr_matrix([[1, 1, 0, 1], [1, 0, 0, 0]]), tail)
    assert got[0] == pytest.approx(1 / 2)
    assert np.isnan(got[1])


def test_miscalibration_by_hand():
    categories = sp.csr_matrix([[1, 0], [0, 1], [1, 1], [0, 0]])
    history = sp.csr_matrix([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    got = miscalibration(np.array([[2], [0], [-1], [0]]), history, categories)
    q = 0.99 * np.array([1, 0]) + 0.01 * np.array([0.5, 0.5])
    assert got[0] == pytest.approx(0)
    assert got[1] == pytest.approx(0.5 * np.log(0.5 / q[0]) + 0.5 * np.log(0.5 / q[1]))
    assert np.isnan(got[2:]).all()


def test_categories_from_strings_and_lists():
    table = pl.DataFrame({"item_id": ["a", "b", "c"], "genres": ["X| Y", None, ""], "tags": [["p"], [], None]})
    assert category_matrix(Catalog(table)).toarray().tolist() == [[1, 1], [0, 0], [0, 0]]
    assert category_matrix(Catalog(table), "tags").toarray().tolist() == [[1], [0], [0]]


def test_no_categories_is_none_and_a_wrong_name_an_error():
    catalog = Catalog(pl.DataFrame({"item_id": ["a"]}))
    assert category_matrix(catalog) is None
    with pytest.raises(DataError, match="no column 'mood'"):
        category_matrix(catalog, "mood")
