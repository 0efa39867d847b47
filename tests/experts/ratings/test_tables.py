"""Tables of items against the formula of a factorisation machine, and against what the sampler predicts itself."""

from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.experts.ratings import tables
from warmstart.experts.ratings.machine import Chain, FactorisationMachine, read, sampler
from warmstart.experts.ratings.posterior import Asked, Belief
from warmstart.experts.ratings.rated import Rated
from warmstart.experts.ratings.sides import PeopleFacts, how_often, item_facts
from warmstart.experts.ratings.tables import Draws, FittedMachine, Part, World, summed

LEVELS = np.arange(1.0, 6.0)
RANK = 2


def direct(x, w0, w, v):
    """``w0 + sum_a w_a x_a + sum_{a<b} <v_a, v_b> x_a x_b``, pair by pair."""
    pairs = [(v[a] @ v[b]) * x[a] * x[b] for a in range(len(x)) for b in range(a + 1, len(x))]
    return w0 + w @ x + sum(pairs)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), rank=st.integers(1, 3))
def test_sums_of_pairs_are_what_their_definition_says(seed, n, rank):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4, n)) * (rng.random((4, n)) < 0.6)
    both = rng.normal(size=(n, 1 + rank))
    expected = [[direct(row, 0.0, both[:, 0], both[:, 1:]), *(row @ both[:, 1:])] for row in x]
    np.testing.assert_allclose(summed(sp.csr_matrix(x), both), expected, atol=1e-10)


@pytest.fixture(scope="module")
def data(planted):
    """30 people of two kinds and 20 items of two, in whole steps."""
    kinds = {"genre": ["a|b", "a", "b", "b"] * 5}
    return planted(2, 30, 20, step=1.0, people={"job": ["cook", "smith", None] * 10}, items=kinds)[0]


def world_of(data, heard):
    rated, people = Rated.of(data.interactions), PeopleFacts.fit(data.user_table)
    return rated, people, World.of(data, rated, people).shown(*item_facts(data), how_often(rated), heard=heard)


def random_part(world, seed):
    rng, n, groups = np.random.default_rng(seed), sum(world.groups), len(world.groups)
    w, v = rng.normal(size=n), rng.normal(size=(n, RANK))
    hyper = [rng.uniform(0.5, 2, s) for s in ((groups,), (groups,), (groups, RANK), (groups, RANK))]
    return Part(0.3, w, v, *hyper, 2.0, np.empty(0))


@pytest.mark.parametrize("heard", [True, False])
def test_tables_and_a_persons_own_part_make_up_the_formula(data, heard):
    """On parameters at random, for every person and item."""
    _, people, world = world_of(data, heard)
    part = random_part(world, 0)
    draws = Draws.of([part], world)
    fitted = FittedMachine((draws,), people, np.empty(0), np.array([heard]))
    users = np.arange(data.n_users)
    before = fitted.before(*fitted.seen(data.histories(users)))[0]
    item = draws.item.astype(np.float64)
    person, of_item = (sp.hstack(blocks).toarray() for blocks in (world.person, world.item))
    for u in users[:8]:
        asked = Asked.of(draws.w0.astype(np.float64), before[:, u], item)
        found = asked.base[0] + asked.rows[0] @ np.append(part.w[u], part.v[u])
        exact = [direct(np.append(person[u], row), part.w0, part.w, part.v) for row in of_item]
        np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-4)


def test_a_person_comes_from_the_first_group(data):
    _, _, world = world_of(data, heard=True)
    part = random_part(world, 1)
    draws = Draws.of([part], world)
    np.testing.assert_allclose(draws.mean[0], [part.mean_w[0], *part.mean_v[0]], rtol=1e-6)
    np.testing.assert_allclose(draws.precision[0], [part.precision_w[0], *part.precision_v[0]], rtol=1e-6)
    assert world.groups == [30, 20, 2, 20, 30, 2, 1]
    assert sum(world.groups) == len(part.w) == sum(b.shape[1] for b in (*world.person, *world.item))


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("ordered", [True, False])
def test_with_a_persons_own_draws_it_predicts_what_the_sampler_predicts(data, monkeypatch, ordered, heard):
    """The belief of each person is put in by hand: the weight and the factors that were drawn."""
    rated, people, world = world_of(data, heard)
    myfm, n = sampler(), 6
    blocks = [[data_of(side) for side in (world.person, world.item)][k] for k in (0, 1)]
    model = (myfm.MyFMOrderedProbit if ordered else myfm.MyFMGibbsRegressor)(rank=RANK, random_seed=0)
    relations = [myfm.RelationBlock(c.tolist(), b) for c, b in zip((rated.user, rated.item), blocks, strict=True)]
    values = (rated.value - 1).astype(int) if ordered else rated.value
    with redirect_stderr(StringIO()):
        model.fit(sp.csr_matrix((len(values), 0)), values, X_rel=relations, n_iter=20, n_kept_samples=n,
                  group_shapes=world.groups, callback=lambda *_: (False, None))  # fmt: skip
    parts = [read(model, at, ordered) for at in range(n)]
    fitted = FittedMachine((Draws.of(parts, world),), people, LEVELS if ordered else np.empty(0), np.array([heard]))
    query, item = np.divmod(np.arange(data.n_users * data.n_items), data.n_items)
    asked = [myfm.RelationBlock(c.tolist(), b) for c, b in zip((query, item), blocks, strict=True)]
    own = iter(range(data.n_users))

    def drawn(*_):
        u = next(own)
        mean = np.array([[part.w[u], *part.v[u]] for part in parts])
        return Belief(mean, np.zeros((n, 1 + RANK, 1 + RANK)))

    monkeypatch.setattr(tables, "believed", drawn)
    found, variance, _ = fitted.distribution(data.histories(np.arange(data.n_users)), query, item)
    if ordered:
        share = model.predict_proba(None, X_rel=asked)
        np.testing.assert_allclose(found, share @ LEVELS, atol=1e-4)
        np.testing.assert_allclose(variance, share @ LEVELS**2 - (share @ LEVELS) ** 2, atol=1e-3)
    else:
        np.testing.assert_allclose(found, model.predict(None, X_rel=asked), atol=1e-4)
        alphas = [hyper.alpha for hyper in model.history_.hypers][-n:]
        assert [part.noise for part in parts] == alphas  # of the same step as the draw
        assert variance.min() >= np.mean(1 / np.array(alphas)) - 1e-6


def data_of(side):
    return sp.csr_matrix(sp.hstack(side))


@pytest.fixture(scope="module")
def fitted(data):
    chains = (Chain(), Chain(ordered=False, heard=False))
    machine = FactorisationMachine(chains, rank=RANK, steps=30, dropped=10, kept=5)
    return machine.fit(data, Rated.of(data.interactions), LEVELS)


def every_pair(data, n_people=None):
    return np.divmod(np.arange((n_people or data.n_users) * data.n_items), data.n_items)


def test_the_mean_and_the_variance_are_those_of_all_draws(data, fitted):
    """Law of total variance, of runs that look at what was rated; the third is the mean of those that do not."""
    histories, (query, item) = data.histories(np.arange(5)), every_pair(data, 5)
    found = fitted.distribution(histories, query, item)
    single = [
        FittedMachine((type(run)(*(v[s : s + 1] for v in vars(run).values())),), fitted.people, LEVELS, heard)
        for run, heard in zip(fitted.draws, np.array([[True], [False]]), strict=True)
        for s in range(5)
    ]
    each = np.stack([one.distribution(histories, query, item)[:2] for one in single])
    np.testing.assert_allclose(found[0], each[:5, 0].mean(0))
    np.testing.assert_allclose(found[1], each[:5, 1].mean(0) + each[:5, 0].var(0))
    np.testing.assert_allclose(found[2], each[5:, 0].mean(0))
    for kind in (True, False):  # all of one kind: all of them
        alike = replace(fitted, heard=np.array([kind, kind])).distribution(histories, query, item)
        whole = [each[:, 0].mean(0), each[:, 1].mean(0) + each[:, 0].var(0), each[:, 0].mean(0)]
        np.testing.assert_allclose(alike, whole)
    np.testing.assert_array_equal(fitted.predict(histories, query, item), found[0])


def test_the_order_of_the_pairs_is_that_of_the_answer(data, fitted):
    histories, (query, item) = data.histories(np.arange(data.n_users)), every_pair(data)
    order = np.random.default_rng(0).permutation(len(query))
    found = fitted.distribution(histories, query, item)
    for whole, mixed in zip(found, fitted.distribution(histories, query[order], item[order]), strict=True):
        np.testing.assert_allclose(mixed, whole[order])


def test_people_are_looked_at_in_parts_of_any_size(data, fitted, monkeypatch):
    histories, (query, item) = data.histories(np.arange(data.n_users)), every_pair(data)
    whole = fitted.distribution(histories, query, item)
    monkeypatch.setattr(tables, "PEOPLE", 2)
    np.testing.assert_allclose(fitted.distribution(histories, query, item), whole, rtol=1e-12)
    odd = query % 3 == 1  # some people are not asked about
    np.testing.assert_allclose(fitted.distribution(histories, query[odd], item[odd]), np.stack(whole)[:, odd])


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_events_does_not_matter(data, fitted, seed):
    rng, histories, (query, item) = np.random.default_rng(seed), data.histories(np.arange(9)), every_pair(data, 9)
    rows = np.concatenate([rng.permutation(np.arange(*histories.indptr[q : q + 2])) for q in range(9)])
    mixed = replace(histories, item=histories.item[rows], rating=histories.rating[rows])
    expected = fitted.distribution(histories, query, item)
    np.testing.assert_allclose(fitted.distribution(mixed, query, item), expected, rtol=1e-9)


def test_what_is_not_known_of_a_person_is_as_if_not_told(data, fitted):
    (query, item), histories = every_pair(data, 4), replace(data.histories(np.arange(4)), attributes=None)
    bare = fitted.predict(histories, query, item)
    for odd in ({"job": ["king"] * 4}, {"height": [1.0] * 4}, {"job": [None] * 4}):
        told = replace(
            histories, attributes=pl.DataFrame(odd, schema_overrides={"job": pl.String} if "job" in odd else None)
        )
        np.testing.assert_array_equal(fitted.predict(told, query, item), bare)
    cooks = fitted.predict(replace(histories, attributes=pl.DataFrame({"job": ["cook"] * 4})), query, item)
    assert np.abs(cooks - bare).max() > 1e-3


def test_of_nobody_an_item_is_told_by_what_it_is(data, fitted):
    """Without a history there is one answer for all; with one it differs."""
    query, item = every_pair(data, 2)
    found = fitted.predict(Histories.of([[], []], data.n_items), query, item)
    np.testing.assert_array_equal(found[: data.n_items], found[data.n_items :])
    assert np.ptp(found[: data.n_items]) > 0.3
    known = fitted.predict(data.histories(np.arange(2)), query, item)
    assert np.abs(known - found).max() > 0.1


def test_new_items_are_the_mean_of_the_others_and_change_nothing_else(data, fitted):
    more, (query, item) = fitted.grow(3), every_pair(data, 6)
    histories = data.histories(np.arange(6))
    wider = replace(histories, n_items=data.n_items + 3)
    np.testing.assert_allclose(more.predict(wider, query, item), fitted.predict(histories, query, item))
    for old, new in zip(fitted.draws, more.draws, strict=True):
        np.testing.assert_allclose(new.item[:, -1], old.item.mean(1), atol=1e-6)
        assert new.item.dtype == np.float32
    mine = more.predict(wider, np.zeros(3, int), np.arange(data.n_items, data.n_items + 3))
    assert ((mine > 1) & (mine < 5)).all()
    assert np.ptp(mine) == 0
    by_history = replace(Histories.of([[data.n_items]], data.n_items + 3), rating=np.array([5.0], np.float32))
    assert np.isfinite(more.predict(by_history, np.zeros(5, int), np.arange(5))).all()


def test_the_first_draws_alone(fitted):
    few = fitted.draws[0].few(2)
    np.testing.assert_array_equal(few.item, fitted.draws[0].item[:2])
    assert {len(getattr(few, name)) for name in few.__dataclass_fields__} == {2}
