"""Items that lie close in a graph are held alike."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.experts.factors import Factors
from warmstart.experts.graph_laplacian import NEIGHBOURS, held_alike, laplacian

some = settings(max_examples=25, deadline=None, derandomize=True)


def world(facts, items=60, seed=0):
    """Clusters, and random facts about items that hold no entity together by chance alone."""
    data, rng = clusters(30, items, 3, seed=seed), np.random.default_rng(seed)
    rows = [(data.catalog.items.ids[rng.integers(items)], "by", f"e{rng.integers(5)}") for _ in range(facts)]
    graph = KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    return replace(data, graph=graph)


@some
@given(seed=st.integers(0, 1000), facts=st.integers(2, 300))
def test_it_is_a_laplacian(seed, facts):
    data = world(facts, seed=seed)
    found = laplacian(data).toarray()
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found.sum(1), 0, atol=1e-9)
    assert np.linalg.eigvalsh(found).min() > -1e-9
    assert (found - np.diag(found.diagonal()) <= 0).all()
    silent = np.setdiff1d(np.arange(data.n_items), data.catalog.items.codes(data.graph.triples["head"].to_list()))
    assert not found[silent].any()
    assert not found[data.interactions.item_counts() == 0].any()
    degree = found.diagonal()
    assert not degree.any() or degree[degree > 0].mean() == pytest.approx(1)


def test_few_neighbours_are_kept():
    rows = laplacian(world(900, items=200)).tocsr()
    assert np.median(np.diff(rows.indptr)) <= 2 * NEIGHBOURS + 1


def test_none_without_facts_about_items():
    data = replace(clusters(10, 10, 2), graph=None)
    assert laplacian(data) is None
    graph = KnowledgeGraph(pl.DataFrame({"head": ["x"], "relation": ["by"], "tail": ["y"]}))
    assert laplacian(replace(data, graph=graph)) is None


@some
@given(seed=st.integers(0, 1000), strength=st.sampled_from([0.01, 1.0, 100.0]))
def test_held_alike_minimises_its_objective(seed, strength):
    rng = np.random.default_rng(seed)
    side, v, weight = rng.random((7, 7)), rng.normal(size=(7, 3)).astype(np.float32), rng.uniform(0.1, 3, 7)
    graph = strength * (np.diag((side + side.T).sum(1)) - side - side.T)

    def cost(u):
        return float((weight[:, None] * (u - v) ** 2).sum() + np.trace(u.T @ graph @ u))

    found = held_alike(v, weight, sp.csr_matrix(graph)).astype(np.float64)
    best = cost(found)
    for _ in range(5):
        assert cost(found + 0.01 * rng.normal(size=v.shape)) >= best


def test_factors_of_neighbours_come_closer_and_without_a_graph_they_stay():
    data = world(200)
    plain, held = Factors(dim=4).fit(data), Factors(dim=4, laplacian=3.0).fit(data)
    near, met = laplacian(data), data.interactions.item_counts() > 0

    def apart(v):
        return float(np.einsum("ij,ij->", v[met], near[met][:, met] @ v[met]))

    assert apart(held.v) < 0.5 * apart(plain.v)
    alone = replace(data, graph=None)
    np.testing.assert_array_equal(Factors(dim=4, laplacian=3.0).fit(alone).v, Factors(dim=4).fit(alone).v)
    with pytest.raises(ConfigError, match="laplacian=nan"):
        Factors(laplacian=float("nan"))
