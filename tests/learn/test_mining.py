import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.learn import mining


@pytest.fixture(scope="module")
def seen():
    """Two groups of items with people of their own, and some noise."""
    rng = np.random.default_rng(3)
    group = np.arange(24) % 2
    chance = np.where(rng.integers(0, 2, 200)[:, None] == group, 0.4, 0.05)
    return sp.csr_matrix((rng.random((200, 24)) < chance).astype(np.float32)), group


def ease(x, strength):
    gram = (x.T @ x).toarray().astype(np.float64)
    counts = gram.diagonal()
    p = np.linalg.inv(gram + strength * (counts**2).sum() / counts.sum() * np.eye(len(gram)))
    b = -p / p.diagonal()
    np.fill_diagonal(b, 0)
    return b


def test_positives_are_the_best_weights_of_ease(seen, monkeypatch):
    monkeypatch.setattr(mining, "_BLOCK", 7)  # more than one block
    x, _ = seen
    b, n = np.maximum(ease(x, 0.5), 0), 4
    best = np.where(np.sort(b.T, axis=1)[:, [-n]] <= b.T, b.T, 0)
    np.testing.assert_allclose(mining.positives(x, n, 0.5).toarray(), np.maximum(best, best.T), atol=1e-5)


def test_of_a_large_catalogue_the_cosine_of_pairs_above_chance(seen, monkeypatch):
    x, _ = seen
    monkeypatch.setattr(mining, "DENSE_LIMIT", 10)
    monkeypatch.setattr(mining, "_BLOCK", 7)
    gram = (x.T @ x).toarray()
    size = np.outer(gram.diagonal(), gram.diagonal())
    expected = np.where(gram * x.shape[0] > size, gram / np.sqrt(size), 0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(mining.positives(x, 24).toarray(), expected, rtol=1e-5)


@pytest.mark.parametrize("limit", [0, 1000])
def test_partners_are_symmetric_positive_and_of_the_own_group(seen, monkeypatch, limit):
    x, group = seen
    monkeypatch.setattr(mining, "DENSE_LIMIT", limit)
    found = mining.positives(x, 3)
    assert (found != found.T).nnz == 0
    assert found.data.min() > 0
    assert found.diagonal().sum() == 0
    assert found.getnnz(axis=1).min() >= 3
    coo = found.tocoo()
    assert (group[coo.row] == group[coo.col]).mean() > 0.95


def test_hard_negatives_are_alike_and_apart(seen, monkeypatch):
    monkeypatch.setattr(mining, "_BLOCK", 7)
    x, group = seen
    genre = np.arange(24) // 12
    kinds = sp.csr_matrix(np.eye(2, dtype=np.float32)[genre])
    found = mining.hard_negatives(x, kinds, 3).tocoo()
    assert len(found.row) == 24 * 3
    assert (genre[found.row] == genre[found.col]).all()
    assert (group[found.row] != group[found.col]).all()
    gram = (x.T @ x).toarray()
    expected = np.outer(gram.diagonal(), gram.diagonal()) / x.shape[0]
    weight = (expected - gram) / np.sqrt(expected)
    np.testing.assert_allclose(found.data, weight[found.row, found.col], rtol=1e-4)


def test_an_item_that_nobody_met_is_no_negative_and_no_positive(seen):
    x, _ = seen
    more = sp.csr_matrix(sp.hstack([x, sp.csr_matrix((x.shape[0], 1), dtype=np.float32)]))
    kinds = sp.csr_matrix(np.ones((25, 1), np.float32))
    for found in (mining.positives(more, 24), mining.hard_negatives(more, kinds, 24)):
        assert found[:, 24].nnz == 0
        assert found[24].nnz == 0


def test_without_categories_there_are_no_hard_negatives(seen):
    x, _ = seen
    assert mining.hard_negatives(x, sp.csr_matrix((24, 0), dtype=np.float32)).nnz == 0


def test_categories_come_from_the_first_list_column():
    table = {"item_id": ["a", "b"], "title": ["A", "B"], "Brand": ["x", "y"], "Genre": ["剧情 / 犯罪", "剧情"]}
    assert mining.categories_of(Catalog(pl.DataFrame(table))).toarray().tolist() == [[1, 1], [1, 0]]
    assert mining.categories_of(Catalog(pl.DataFrame({"item_id": ["a"], "title": ["A"]}))) is None
