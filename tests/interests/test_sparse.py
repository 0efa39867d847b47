"""A dictionary of overlapping concepts."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.interests import sparse as module
from warmstart.interests.sparse import SparseCoder, SparseSettings, build_dictionary


def mixtures(n=300, concepts=6, d=12, each=2, seed=0):
    """Vectors that are sums of two of a few directions, and which."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(d, concepts)))[0].T
    truth = np.argsort(rng.random((n, concepts)), axis=1)[:, :each]
    weight = rng.uniform(0.5, 1.5, (n, each))
    return np.einsum("nk,nkd->nd", weight, directions[truth]).astype(np.float32), truth


def error(coder, vectors):
    """Part of the variance that the dictionary does not make again."""
    left = coder.decode(coder.encode(vectors)) - vectors
    return float((left**2).sum() / ((vectors - vectors.mean(0)) ** 2).sum())


def test_directions_that_items_share_are_found():
    vectors, truth = mixtures()
    members, coder = build_dictionary(vectors, SparseSettings(size=8, active=3, steps=600))
    assert error(coder, vectors) < 0.05
    for direction in range(6):  # some concept holds nearly all items of each, and few others
        mine = set(np.flatnonzero((truth == direction).any(1)).tolist())
        found = [set(members.items(c).tolist()) for c in range(len(members))]
        assert max(len(mine & items) / len(mine | items) for items in found) > 0.8


def test_learning_makes_the_error_smaller():
    vectors, _ = mixtures(seed=1)
    before, after = (build_dictionary(vectors, SparseSettings(size=8, active=2, steps=s))[1] for s in (0, 400))
    assert error(after, vectors) < 0.5 * error(before, vectors)
    np.testing.assert_allclose(np.linalg.norm(after.decoder, axis=1), 1.0, atol=1e-5)


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 3))
def test_every_item_has_a_few_concepts_and_every_concept_an_item(n, active, seed):
    vectors = np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)
    members, coder = build_dictionary(vectors, SparseSettings(active=active, steps=20))
    held = np.diff(members.weights.indptr)
    assert 1 <= held.min() <= held.max() <= active
    assert members.weights.data.min() > 0
    np.testing.assert_allclose(members.weights.sum(1), 1, atol=1e-5)
    mass = np.asarray(members.weights.sum(0)).ravel()
    assert mass.min() > 0
    assert (np.diff(mass) <= 1e-4).all()
    assert members.parent.tolist() == [-1] * len(coder.encoder)
    assert members.level.tolist() == [0] * len(coder.encoder)


def test_the_same_seed_learns_the_same_and_others_agree():
    vectors, _ = mixtures()
    one, again, other = (
        build_dictionary(vectors, SparseSettings(size=12, active=2, steps=200, seed=s))[0].weights for s in (0, 0, 1)
    )
    assert (one != again).nnz == 0
    assert (one != other).nnz > 0
    alike = (one.T @ other).toarray()
    length = np.sqrt(np.outer(one.power(2).sum(0), other.power(2).sum(0)))
    assert np.median((alike / length).max(1)) > 0.8


def test_further_items_are_placed_by_the_encoder():
    vectors, _ = mixtures()
    members, coder = build_dictionary(vectors, SparseSettings(size=12, active=2, steps=100))
    grown = members.grow(coder.place(vectors[:3]))
    np.testing.assert_allclose(grown.weights[-3:].toarray(), members.weights[:3].toarray(), atol=1e-6)
    assert set(grown.items(0)) >= set(members.items(0))


def test_what_no_concept_reaches_joins_the_nearest():
    coder = SparseCoder(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), np.zeros(2, np.float32), 1)
    placed = coder.place(np.array([[3, 1], [-2, -1], [0, 0]], np.float32))
    np.testing.assert_array_equal(placed.toarray(), [[1, 0], [0, 1], [1, 0]])


def test_gradients_are_those_of_the_error():
    rng = np.random.default_rng(0)
    x, encoder, decoder = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))

    def half_error(e, d):
        at, h = module._strongest(x @ e.T, 2)
        left = sp.csr_matrix(module._sparse(at, h, 4)) @ d - x
        return at, h, left, (left**2).sum() / (2 * len(x))

    at, h, left, value = half_error(encoder, decoder)
    by_encoder, by_decoder = module._gradients(x, left, at, h, decoder)
    step = np.zeros((4, 3))
    step[at[0, -1], 1] = 1e-6
    assert (half_error(encoder + step, decoder)[3] - value) / 1e-6 == pytest.approx((by_encoder * step).sum() * 1e6)
    assert (half_error(encoder, decoder + step)[3] - value) / 1e-6 == pytest.approx((by_decoder * step).sum() * 1e6)


def test_dead_latents_are_revived(monkeypatch):
    vectors, _ = mixtures()
    centred = vectors - vectors.mean(0)
    faint = 0.01 * np.random.default_rng(0).normal(size=(6, 12)).astype(np.float32)  # never among the strongest
    start = np.vstack([centred[:6], faint])

    def alive(idle):
        monkeypatch.setattr(module, "IDLE", idle)
        encoder, decoder = module._learn(centred, start, SparseSettings(active=2, steps=300))
        return len(np.unique(SparseCoder(encoder, decoder, np.zeros(12, np.float32), 2).encode(centred).indices))

    assert alive(500) > alive(10**9)


@pytest.mark.parametrize("n", [1, 12])
def test_alike_items_are_one_concept(n):
    members, coder = build_dictionary(np.ones((n, 4), np.float32), SparseSettings(steps=50))
    assert len(members) == 1
    assert members.items(0).tolist() == list(range(n))
    assert coder.place(np.zeros((2, 4), np.float32)).toarray().tolist() == [[1], [1]]


def test_one_concept_may_be_asked_for():
    vectors, _ = mixtures(n=40)
    members, _ = build_dictionary(vectors, SparseSettings(size=1, steps=10))
    assert len(members) == 1
    assert len(members.items(0)) == 40


@pytest.mark.parametrize("wrong", [{"size": -1}, {"active": 0}, {"steps": -1}, {"seed": -1}])
def test_mistakes_are_told(wrong):
    with pytest.raises(ConfigError, match="are usual"):
        SparseSettings(**wrong)
