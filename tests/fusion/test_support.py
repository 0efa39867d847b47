"""What is known of items, by hand and by a loop."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.fusion.evidence import SUPPORT
from warmstart.fusion.support import Support, ages, people_cosine

AT = {name: i for i, name in enumerate(SUPPORT)}
some = settings(max_examples=40, deadline=None, derandomize=True)


def test_what_is_known_of_items(data, support):
    counts = data.interactions.item_counts()
    assert support.item.dtype == np.float32
    np.testing.assert_allclose(support.item[:, AT["events"]], np.log1p(counts), atol=1e-6)
    np.testing.assert_array_equal(support.item[:, AT["unmet"]], counts == 0)
    assert (support.item[:, AT["recent_05"]] <= support.item[:, AT["recent_20"]] + 1e-6).all()
    assert (support.item[:, AT["recent_20"]] <= support.item[:, AT["events"]] + 1e-6).all()
    np.testing.assert_array_equal(np.isnan(support.item[:, AT["age"]]), counts == 0)
    np.testing.assert_allclose(np.linalg.norm(support.directions.rows(np.arange(data.n_items)), axis=1), 1, atol=1e-5)


def test_age_and_idleness_are_shares_of_the_clock(data):
    x = data.interactions
    age, idle = ages(data)
    span = x.time.max() - x.time.min()
    for i in (0, 5, 50):
        mine = x.time[x.item == i]
        assert age[i] == pytest.approx((x.time.max() - mine.min()) / span)
        assert idle[i] == pytest.approx((x.time.max() - mine.max()) / span)
    assert np.nanmin(idle) == 0.0
    assert np.nanmax(age) == 1.0


def test_without_times_nothing_has_an_age(data):
    x = replace(data.interactions, time=np.full(len(data.interactions), -1, np.int64))
    for column in ages(data.with_interactions(x)):
        assert np.isnan(column).all()


def test_the_expected_count_follows_content(data):
    """Features that are the log count itself predict it."""
    counts = data.interactions.item_counts()
    z = np.log1p(counts)[:, None].astype(np.float32) * 10
    expected = Support.fit(data.with_features(z)).item[:, AT["expected"]]
    met = counts > 0
    assert np.corrcoef(expected[met], np.log1p(counts[met]))[0, 1] > 0.999


def test_support_without_features_or_events(data):
    bare = Support.fit(replace(data, features=None))
    assert not bare.directions.rows(np.arange(len(bare.item))).any()
    assert not bare.item[:, AT["expected"]].any()
    idle = Support.fit(data.with_interactions(data.interactions.select(np.zeros(len(data.interactions), bool))))
    assert idle.item[:, AT["unmet"]].all()
    assert idle.people.nnz == 0


@some
@given(seed=st.integers(0, 10_000), keep=st.integers(1, 12))
def test_cosine_of_who_took_the_items(seed, keep):
    x = (np.random.default_rng(seed).random((9, 8)) < 0.4).astype(np.float32)
    g = x.T @ x
    norm = np.sqrt(np.maximum(x.sum(0), 1) + 5)
    expected = g / np.outer(norm, norm)
    np.fill_diagonal(expected, 0)
    found = people_cosine(sp.csr_matrix(x), keep).toarray()
    assert ((found > 0).sum(1) == np.minimum((expected > 0).sum(1), keep)).all()
    np.testing.assert_allclose(found[found > 0], expected[found > 0], atol=1e-6)
    np.testing.assert_allclose(np.sort(found)[:, -keep:], np.sort(expected)[:, -keep:], atol=1e-6)


def test_new_items_are_unmet_undated_and_placed_by_content(data, support):
    grown = support.grow(data.features[:2])
    n = data.n_items
    np.testing.assert_array_equal(grown.item[:n], support.item)
    np.testing.assert_allclose(
        grown.directions.rows(np.array([n, n + 1])), support.directions.rows(np.array([0, 1])), atol=1e-5
    )
    np.testing.assert_allclose(grown.item[n:, AT["expected"]], support.item[:2, AT["expected"]], atol=1e-4)
    assert grown.item[n:, AT["unmet"]].tolist() == [1.0, 1.0]
    assert not grown.item[n:, [AT["events"], AT["recent_20"], AT["recent_05"]]].any()
    assert np.isnan(grown.item[n:, [AT["age"], AT["idle"]]]).all()
    assert grown.people.shape == (n + 2, n + 2)
    assert (grown.people[:n, :n] != support.people).nnz == 0


def test_the_graph_can_be_left_out(data):
    assert Support.fit(data).paths is not None
    assert Support.fit(data, graph=False).paths is None


def test_of_new_items_the_graph_says_nothing(data, support):
    paths, n = support.grow(data.features[:2]).paths, data.n_items
    assert paths.degree.tolist() == [*support.paths.degree.tolist(), 0, 0]
    count, _ = paths(Histories.of([[0, n]], n + 2).sets)
    np.testing.assert_array_equal(count[:, :n], support.paths(Histories.of([[0]], n).sets)[0])
    assert not count[:, n:].any()


def test_met_is_who_was_taken_by_somebody(data, support):
    np.testing.assert_array_equal(support.met, data.interactions.item_counts() > 0)
    assert not support.grow(data.features[:2]).met[-2:].any()
