import numpy as np
import pytest

from warmstart.errors import ConfigError
from warmstart.text.whiten import Whitening

X = np.random.default_rng(1).normal(size=(200, 12)).astype(np.float32) * np.geomspace(10, 0.1, 12) + 3


def test_full_whitening_gives_equal_spread_before_the_norm():
    w = Whitening.fit(X, dim=12, relax=1.0)
    spread = np.cov((X - w.mean) @ w.components, rowvar=False)
    np.testing.assert_allclose(spread, np.eye(12), atol=1e-3)


def test_half_relaxed_has_deviations_of_power_one_half():
    w = Whitening.fit(X, dim=12, relax=0.5)
    scales = np.linalg.norm(w.components, axis=0)
    deviations = np.std((X - X.mean(0)) @ (w.components / scales), axis=0, ddof=1)
    np.testing.assert_allclose(scales, deviations**-0.5, rtol=1e-3)


def test_same_vectors_same_map_and_order_does_not_matter():
    a, b, c = Whitening.fit(X), Whitening.fit(X.copy()), Whitening.fit(X[::-1])
    np.testing.assert_array_equal(a.components, b.components)
    np.testing.assert_allclose(a.components, c.components, atol=1e-4)


def test_empty_texts_are_left_out_and_stay_zero():
    with_gaps = np.vstack([X, np.zeros((50, 12), np.float32)])
    w = Whitening.fit(with_gaps)
    np.testing.assert_allclose(w.mean, X.mean(0), rtol=1e-5)
    assert not w.apply(with_gaps)[200:].any()


def test_dim_is_bounded_by_rank():
    low = X[:, :3] @ np.random.default_rng(0).normal(size=(3, 12))
    assert Whitening.fit(low, dim=10).dim == 3
    assert Whitening.fit(X[:5], dim=10).dim == 4


@pytest.mark.parametrize("few", [X[:0], X[:1], np.zeros((3, 12)), np.ones((4, 12))])
def test_too_few_to_learn_from_passes_vectors_through(few):
    w = Whitening.fit(few, dim=5)
    z = w.apply(X)
    assert z.shape == (200, 5)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()


def test_round_trip():
    w = Whitening.fit(X, dim=5)
    np.testing.assert_array_equal(Whitening(**w.arrays()).apply(X), w.apply(X))


@pytest.mark.parametrize("wrong", [{"dim": 0}, {"relax": -0.1}, {"relax": 1.5}])
def test_wrong_settings(wrong):
    with pytest.raises(ConfigError):
        Whitening.fit(X, **wrong)
