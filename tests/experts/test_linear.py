"""SPR against its definition, solved column by column."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.experts import columns as kept_columns
from warmstart.experts import linear
from warmstart.experts.columns import assemble, prune
from warmstart.experts.graph_laplacian import laplacian
from warmstart.experts.linear import PriorMeanEASE, buckets_of, most_met

worlds = st.fixed_dictionaries(
    {"seed": st.integers(0, 10_000), "n_users": st.integers(2, 14), "n_items": st.integers(3, 9)}
)
models = st.builds(
    PriorMeanEASE,
    strength=st.sampled_from([0.1, 1.0, 10.0]),
    dropout=st.sampled_from([0.0, 0.33]),
    tau=st.sampled_from([0.0, 10.0]),
    kappa=st.sampled_from([0.0, 0.7, 1.0]),
    buckets=st.integers(1, 3),
    head=st.sampled_from([2, 4, 20_000]),
)
some = settings(max_examples=40, deadline=None, derandomize=True)


def again(data):
    """The same events in another object: nothing is remembered of them."""
    return data.with_interactions(data.interactions.select(np.ones(len(data.interactions), bool)))


def columns(fitted):
    """B as the fitted expert holds it: what each item of a history adds to each item."""
    n = len(fitted.z)
    return fitted.score(Histories.of([[i] for i in range(n)], n)).astype(np.float64)


def naive(model, data):
    """Each column as its constrained ridge: solve without item j in the equations, because ``b_j = 0``."""
    x = data.interactions.matrix().toarray().astype(np.float64)
    counts = x.sum(0)
    z = data.features.astype(np.float64)
    w = model.content.fit(data).w.astype(np.float64) if model.kappa else np.zeros((z.shape[1],) * 2)
    prior = model.kappa * z @ w @ z.T
    gram, met = x.T @ x, most_met(counts, model.head)
    scale = (counts[met] ** 2).sum() / counts[met].sum()
    group, out = buckets_of(counts[met], model.buckets), prior.copy()
    for at, j in enumerate(met):
        alike = counts[met[group == group[at]]].mean()
        ridge = model.strength * scale * (1 + model.tau / alike) + model.dropout / (1 - model.dropout) * counts
        rest = met[met != j]
        left = gram[np.ix_(rest, rest)] + np.diag(ridge[rest])
        out[rest, j] = np.linalg.solve(left, gram[rest, j] + ridge[rest] * prior[rest, j])
        out[j, j] = 0.0
    return out


@some
@given(world=worlds, model=models)
def test_every_column_is_its_constrained_ridge(draw_world, world, model):
    data = draw_world(**world)
    np.testing.assert_allclose(columns(model.fit(data)), naive(model, data), atol=2e-4)


@some
@given(world=worlds, strength=st.sampled_from([0.1, 1.0, 10.0]))
def test_without_prior_it_is_ease(draw_world, world, strength):
    data = draw_world(**world)
    x = data.interactions.matrix().toarray().astype(np.float64)
    counts = x.sum(0)
    p = np.linalg.inv(x.T @ x + strength * (counts**2).sum() / counts.sum() * np.eye(data.n_items))
    ease = -p / np.diag(p)
    np.fill_diagonal(ease, 0.0)
    fitted = PriorMeanEASE(strength=strength, dropout=0.0, tau=0.0, kappa=0.0).fit(data)
    np.testing.assert_allclose(columns(fitted), ease, atol=2e-4)


@some
@given(world=worlds, model=models)
def test_an_item_without_events_keeps_its_content_column(draw_world, world, model):
    data = draw_world(**world)
    expected = np.zeros(data.n_items)
    if model.kappa:
        expected = model.kappa * data.features @ model.content.fit(data).w @ data.features[-1]
    np.testing.assert_allclose(columns(model.fit(data))[:, -1], expected, atol=1e-5)


@some
@given(world=worlds, model=models, limit=st.sampled_from([0, 4000]))
def test_contributions_add_up_to_the_score(draw_world, world, model, limit):
    data = draw_world(**world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear, "DENSE_LIMIT", limit)
        fitted = model.fit(again(data))
    rows = np.arange(0, data.n_items, 2)
    score = fitted.score(Histories.of([rows], data.n_items))[0]
    for j in range(data.n_items):
        from_data, from_content = fitted.weights(rows, j)
        assert from_data.shape == from_content.shape == rows.shape
        assert (from_data + from_content).sum() == pytest.approx(score[j], abs=1e-4)


@some
@given(world=worlds, model=models)
def test_nothing_pruned_equals_the_dense_path(draw_world, world, model):
    data = draw_world(**world)
    dense = model.fit(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear, "DENSE_LIMIT", 0)
        pruned = model.fit(again(data))
    assert sp.issparse(pruned.data)
    assert isinstance(dense.data, np.ndarray)
    np.testing.assert_allclose(columns(pruned), columns(dense), atol=1e-5)


@some
@given(world=worlds, model=models, m=st.integers(1, 3))
def test_growth_is_exact(make_data, draw_world, world, model, m):
    """Growing by items equals fitting with them in the catalogue and without events."""
    data = draw_world(**world)
    more = np.random.default_rng(m).normal(size=(m, 3)).astype(np.float32)
    wide = np.pad(data.interactions.matrix().toarray(), ((0, 0), (0, m)))
    whole = make_data(wide, np.vstack([data.features, more]))
    np.testing.assert_allclose(columns(model.fit(data).grow(more)), columns(model.fit(whole)), atol=1e-4)


def test_pruning_keeps_the_largest_and_the_diagonal():
    a = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    mine = np.arange(3, 9)
    a[mine, np.arange(6)] = 1e-3
    kept = prune(a, mine, keep=4).toarray()
    assert ((kept != 0).sum(0) == 4).all()
    np.testing.assert_array_equal(kept[mine, np.arange(6)], a[mine, np.arange(6)])
    for j in range(6):
        others = np.delete(np.arange(20), mine[j])
        top = others[np.argsort(-np.abs(a[others, j]))[:3]]
        np.testing.assert_array_equal(kept[top, j], a[top, j])


def test_pruning_keeps_the_ranking_of_planted_themes(monkeypatch):
    data = clusters(seed=0)
    z = np.random.default_rng(0).normal(size=(data.n_items, 3)).astype(np.float32)
    model = PriorMeanEASE(keep=40)
    dense = columns(model.fit(data.with_features(z)))
    monkeypatch.setattr(linear, "DENSE_LIMIT", 10)
    pruned = model.fit(again(data.with_features(z)))
    assert pruned.data.nnz <= 40 * data.n_items
    same = [
        np.intersect1d(a, b).size
        for a, b in zip(*(np.argsort(-s)[:, :10] for s in (columns(pruned), dense)), strict=True)
    ]
    assert np.mean(same) > 9


def test_buckets_hold_about_equally_many_rare_ones_first():
    counts = np.random.default_rng(0).permutation(90) + 1
    bucket = buckets_of(counts, 3)
    assert bucket.dtype == np.int8
    assert np.bincount(bucket).tolist() == [30, 30, 30]
    assert counts[bucket == 0].max() < counts[bucket == 1].min() < counts[bucket == 2].min()
    assert not buckets_of(counts, 1).any()


def test_rare_items_lean_on_content_more_than_common_ones(make_data):
    """Content says that 0 and 1 go with 3; the data do not. The rare one believes content more."""
    rng = np.random.default_rng(0)
    x = np.zeros((60, 6), bool)
    x[:, 2:] = rng.random((60, 4)) < 0.5
    x[:40, 0], x[40:42, 1] = True, True
    z = np.eye(6, dtype=np.float32)
    z[0] = z[1] = z[3]
    model = PriorMeanEASE(strength=0.1, buckets=3, tau=10.0, kappa=1.0)
    data = make_data(x, z)
    fitted, prior = model.fit(data), z @ model.content.fit(data).w @ z.T
    far = np.abs(columns(fitted) - prior)
    assert far[2:, 1].mean() < far[2:, 0].mean()


def with_graph(data, seed):
    """The same world with random facts about most of its items."""
    rng = np.random.default_rng(seed)
    rows = [(i, "by", f"e{rng.integers(3)}") for i in data.catalog.items.ids[1:]]
    graph = KnowledgeGraph(pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row"))
    return replace(data, graph=graph)


@some
@given(world=worlds, weight=st.sampled_from([0.1, 1.0]), dropout=st.sampled_from([0.0, 0.33]))
def test_with_a_laplacian_columns_minimise_their_objective(draw_world, world, weight, dropout):
    """Of ``||x_j - X b||^2 + (b - kappa m)' (lam (I + g Lap) + p/(1-p) diag(G)) (b - kappa m)`` with ``b_j = 0``."""
    data = with_graph(draw_world(**world), world["seed"])
    model = PriorMeanEASE(dropout=dropout, laplacian=weight)
    fitted = model.fit(data)
    x, counts = data.interactions.matrix().toarray().astype(np.float64), data.interactions.item_counts()
    met = np.flatnonzero(counts)
    gram, n = (x.T @ x)[np.ix_(met, met)], counts[met]
    lam = float((n**2).sum() / n.sum()) * (1 + model.tau / n.mean())
    near = laplacian(data).toarray()[np.ix_(met, met)]
    penalty = np.diag(lam + dropout / (1 - dropout) * n) + weight * lam * near
    prior = (fitted.z @ fitted.w @ fitted.z.T)[np.ix_(met, met)].astype(np.float64)
    found = columns(fitted)[np.ix_(met, met)]
    for j in range(len(met)):
        others = np.delete(np.arange(len(met)), j)
        left = (gram + penalty)[np.ix_(others, others)]
        right = gram[others, j] + penalty[others] @ prior[:, j]
        np.testing.assert_allclose(found[others, j], np.linalg.solve(left, right), atol=1e-3)


def test_a_laplacian_needs_a_graph_and_a_weight(draw_world):
    data = draw_world(3, 10, 6)
    plain = columns(PriorMeanEASE().fit(data))
    np.testing.assert_array_equal(columns(PriorMeanEASE(laplacian=1.0).fit(again(data))), plain)
    np.testing.assert_array_equal(columns(PriorMeanEASE().fit(with_graph(data, 3))), plain)
    assert np.abs(columns(PriorMeanEASE(laplacian=1.0).fit(with_graph(data, 3))) - plain).max() > 1e-3
    with pytest.raises(ConfigError, match="laplacian=-1"):
        PriorMeanEASE(laplacian=-1.0)


def test_a_small_block_in_a_large_catalogue_is_no_dense_table(monkeypatch):
    block, n = np.arange(9, dtype=np.float32).reshape(3, 3), 1_000_000
    whole = assemble([(np.array([5, 7, n - 1]), block)], np.array([5, 7, n - 1]), n)
    assert sp.issparse(whole)
    assert whole.shape == (n, n)
    np.testing.assert_array_equal(whole[[5, 7, n - 1]][:, [5, 7, n - 1]].toarray(), block)
    monkeypatch.setattr(kept_columns, "DENSE_TABLE", 4)
    small = assemble([(np.array([0, 1, 4]), block)], np.array([0, 1, 4]), 5)
    monkeypatch.setattr(kept_columns, "DENSE_TABLE", 5)
    np.testing.assert_array_equal(small.toarray(), assemble([(np.array([0, 1, 4]), block)], np.array([0, 1, 4]), 5))


def test_no_item_solved_is_refused():
    with pytest.raises(ConfigError, match="head=0"):
        PriorMeanEASE(head=0)


def test_a_few_people_and_the_gram_matrix_of_all_teach_as_much_as_all():
    whole = clusters(200, 60, 4, seed=7)
    x = whole.interactions
    few = whole.with_interactions(x.select(x.user < 20))
    told = replace(few, gram=sp.csr_matrix(x.matrix().T @ x.matrix()))
    model = PriorMeanEASE(kappa=0.0)
    assert np.allclose(model.fit(told).data, model.fit(whole).data, atol=1e-5)
    assert not np.allclose(model.fit(few).data, model.fit(whole).data, atol=1e-2)
    assert told.with_interactions(few.interactions).gram is None  # else what a simulation hides would be known


def test_two_heads_on_the_same_data_do_not_share_sums():
    data = clusters(60, 40, 2, seed=1)
    few, alone = PriorMeanEASE(head=10), PriorMeanEASE(head=20)
    for expert in (few, alone):
        fitted = expert.fit(data)
        again = expert.fit(clusters(60, 40, 2, seed=1))
        np.testing.assert_array_equal(fitted.solved, again.solved)
        np.testing.assert_allclose(
            fitted.score(data.histories(np.arange(3))), again.score(data.histories(np.arange(3)))
        )
