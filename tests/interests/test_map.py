"""Maps of items: seeded, framed, near what is near; defined for few items and for items that are all alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.interests.map import MapSettings, layout, sampled


def blobs(n, kinds=3, seed=0):
    """Vectors around well separated middles, with the kind of each."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % kinds
    return (np.eye(kinds, 12)[kind] + 0.05 * rng.normal(size=(n, 12))).astype(np.float32), kind


@pytest.mark.parametrize("n", [20, 90])
def test_items_of_a_kind_lie_together(n):
    vectors, kind = blobs(n)
    xy = layout(vectors, MapSettings())
    away = ((xy[:, None] - xy[None]) ** 2).sum(2) + 9 * np.eye(n)
    assert (kind[away.argmin(1)] == kind).all()


def test_equal_seeds_give_equal_maps():
    vectors, _ = blobs(60)
    counts, keep = np.arange(60), np.array([3])
    once, again, other = (sampled(counts, keep, MapSettings(most=40, seed=s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
    np.testing.assert_array_equal(layout(vectors, MapSettings(seed=1)), layout(vectors, MapSettings(seed=1)))


@given(
    counts=st.lists(st.integers(0, 50), min_size=1, max_size=40),
    most=st.integers(1, 50),
    seed=st.integers(0, 5),
    data=st.data(),
)
def test_a_sample_has_those_to_keep_and_no_more_than_asked(counts, most, seed, data):
    keep = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=10)), np.int64)
    items = sampled(np.array(counts), keep, MapSettings(most=most, seed=seed))
    assert set(keep.tolist()) <= set(items.tolist())
    assert len(items) == max(min(most, len(counts)), len(set(keep.tolist())))
    assert (np.diff(items) > 0).all()


def test_well_known_items_are_likelier():
    counts = np.where(np.arange(400) < 40, 1000, 0)
    assert (sampled(counts, np.zeros(0, np.int64), MapSettings(most=40)) < 40).mean() > 0.9


@pytest.mark.parametrize("n", [0, 1, 2, 3, 29, 30, 40])
@pytest.mark.parametrize("alike", [False, True])
def test_every_catalogue_has_a_map_within_its_frame(n, alike):
    vectors = np.ones((n, 5), np.float32) if alike else blobs(n)[0]
    xy = layout(vectors, MapSettings())
    assert xy.shape == (n, 2)
    assert xy.dtype == np.float32
    assert np.isfinite(xy).all()
    assert ((xy >= 0) & (xy <= 1)).all()
    if alike:
        assert (xy == 0.5).all()
    elif n >= 3:
        assert xy.min() == 0
        assert xy.max() == 1


@pytest.mark.parametrize("given", [{"most": 0}, {"perplexity": 0.5}, {"perplexity": float("nan")}])
def test_senseless_settings_are_refused(given):
    with pytest.raises(ConfigError, match="both must be 1 or more"):
        MapSettings(**given)
