"""Vectors of what items are about and who takes them."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.toy import checkerboard, clusters
from warmstart.errors import NotFitted
from warmstart.interests.vectors import FusedSpace, people_vectors


def fused_vectors(data, people=0.5):
    return FusedSpace.fit(data, people)[1]


@pytest.fixture(scope="module")
def data():
    made = clusters(80, 40, 4, seed=0)
    rng = np.random.default_rng(0)
    return made.with_features(rng.normal(size=(40, 6)).astype(np.float32))


def test_equal_data_give_equal_vectors(data):
    one, two = fused_vectors(data), fused_vectors(data)
    np.testing.assert_array_equal(one, two)
    assert one.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1.0, atol=1e-5)


def test_data_of_fewer_directions_than_are_asked_for_give_equal_vectors():
    one, two = people_vectors(checkerboard(), 16), people_vectors(checkerboard(), 16)
    np.testing.assert_array_equal(one, two)


def test_large_and_small_matrices_have_the_same_directions(data, monkeypatch):
    dense = people_vectors(data, 8)
    monkeypatch.setattr("warmstart.experts.people_vectors.SMALL", 0)
    np.testing.assert_allclose(people_vectors(data, 8), dense, atol=1e-5)


def test_people_bring_together_what_they_take_together(data):
    v = people_vectors(data, 8)
    v = v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-9)
    taken = data.interactions.matrix()
    both = np.asarray((taken.T @ taken).todense())
    np.fill_diagonal(both, 0)
    near = (v @ v.T)[both > np.quantile(both, 0.9)].mean()
    assert near > (v @ v.T)[both < np.quantile(both, 0.5)].mean() + 0.2


@pytest.mark.parametrize("people", [0.0, 0.5, 1.0])
def test_the_share_of_people(data, people):
    fused = fused_vectors(data, people)
    content = (fused[:, :6] ** 2).sum(1)
    np.testing.assert_allclose(content, 1 - people, atol=1e-5)


def test_an_item_nobody_met_lies_where_its_like_lie(data):
    x = data.interactions
    z = data.features.copy()
    z[39] = z[3]
    alone = data.with_interactions(x.select(x.item != 39)).with_features(z)
    space, vectors = FusedSpace.fit(alone)
    np.testing.assert_allclose(space.place(z[39:]), vectors[39:], atol=1e-5)
    assert (vectors @ vectors[39])[3] > np.median(vectors @ vectors[39])


def test_without_events_content_stands_alone(data):
    x = data.interactions
    fused = fused_vectors(data.with_interactions(x.select(x.user < 0)))
    assert np.isfinite(fused).all()
    assert fused.shape[0] == 40


def test_without_features_it_is_refused(data):
    with pytest.raises(NotFitted, match="encode their texts first"):
        fused_vectors(replace(data, features=None))
