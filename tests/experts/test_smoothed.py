"""Smoothed EASE: the ridge by hand; unmet items follow their content; growth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.errors import NotFitted
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.smoothed import SmoothedEASE


def columns(fitted, n):
    return fitted.score(Histories.of([[i] for i in range(n)], n))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), buckets=st.sampled_from([1, 2]), kappa=st.sampled_from([0.0, 0.7]))
def test_it_is_a_ridge_from_features_to_columns(draw_world, seed, buckets, kappa):
    data = draw_world(seed=seed, n_users=9, n_items=7)
    people = PriorMeanEASE(buckets=buckets, kappa=kappa)
    met = data.interactions.item_counts() > 0
    b, z = columns(people.fit(data), data.n_items), data.features.astype(float)
    zm = z[met]
    expected = b[:, met] @ zm @ np.linalg.inv(zm.T @ zm + 2.0 * np.eye(z.shape[1])) @ z.T
    found = columns(SmoothedEASE(ridge=2.0, people=people).fit(data), data.n_items)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kappa", [0.0, 0.7])
def test_growth_is_exact(make_data, kappa):
    """Growing by items equals fitting with them in the catalogue and without events."""
    rng = np.random.default_rng(0)
    x, z = (rng.random((12, 6)) < 0.4).astype(int), rng.normal(size=(8, 3)).astype(np.float32)
    model = SmoothedEASE(people=PriorMeanEASE(kappa=kappa))
    grown = model.fit(make_data(x, z[:6])).grow(z[6:])
    whole = model.fit(make_data(np.pad(x, ((0, 0), (0, 2))), z))
    np.testing.assert_allclose(columns(grown, 8), columns(whole, 8), atol=1e-4)


def test_without_features_it_says_what_is_missing(make_data):
    with pytest.raises(NotFitted, match="with_features"):
        SmoothedEASE().fit(make_data(np.ones((3, 2), int)))
