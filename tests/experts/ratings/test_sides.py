"""Blocks of features of people and items."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.experts.ratings.rated import Rated
from warmstart.experts.ratings.sides import (
    PeopleFacts,
    described,
    even,
    how_often,
    item_facts,
    one_hot,
    taken_by,
    tokens_block,
)

some = settings(max_examples=40, deadline=None, derandomize=True)


def table(n=60):
    rng = np.random.default_rng(0)
    return pl.DataFrame({"age": rng.normal(40, 10, n), "job": rng.choice(["cook", "nurse", "smith"], n)})


@some
@given(seed=st.integers(0, 10_000), widths=st.lists(st.integers(1, 4), min_size=1, max_size=4), n=st.integers(0, 6))
def test_every_group_holds_one_at_its_code_and_nothing_where_there_is_none(seed, widths, n):
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(-1, width, n) for width in widths])
    found = one_hot(codes, tuple(widths)).toarray()
    expected = [np.vstack([np.zeros(width), np.eye(width)])[c + 1] for width, c in zip(widths, codes.T, strict=True)]
    np.testing.assert_array_equal(found, np.hstack(expected))


def test_people_hold_one_of_each_attribute():
    people = PeopleFacts.fit(table())
    rows = people.rows(table(), 60).toarray()
    assert people.widths == (8, 3)
    assert set(np.unique(rows)) == {0.0, 1.0}
    assert (rows[:, :8].sum(1) == 1).all()
    jobs = table()["job"].to_numpy()
    for job in np.unique(jobs):
        assert len(np.unique(rows[jobs == job, 8:], axis=0)) == 1
    assert len(np.unique(rows[:, 8:], axis=0)) == 3


def test_numbers_fall_into_bins_of_half_a_spread():
    people, age = PeopleFacts.fit(table()), table()["age"].to_numpy()
    far = np.array([-9.0, -1.6, -1.4, -0.1, 0.1, 1.4, 1.6, 9.0]) * age.std() + age.mean()
    bins = people.rows(pl.DataFrame({"age": far, "job": ["cook"] * 8}), 8).toarray()[:, :8].argmax(1)
    assert bins.tolist() == [0, 0, 1, 3, 4, 6, 7, 7]


def test_what_is_not_known_of_a_person_is_empty():
    people = PeopleFacts.fit(table())
    odd = pl.DataFrame({"age": [None, np.inf, 40.0, None], "job": ["cook", None, "king", None]}, strict=False)
    assert people.rows(odd, 4).sum(axis=1).ravel().tolist()[0] == [1.0, 0.0, 1.0, 0.0]
    assert people.rows(pl.DataFrame({"height": [1.0, 2.0]}), 2).nnz == 0
    assert people.rows(None, 5).shape == (5, 11)
    assert people.rows(None, 5).nnz == 0


def test_without_a_table_there_are_no_columns():
    people = PeopleFacts.fit(None)
    assert people.widths == ()
    assert people.rows(None, 3).shape == people.rows(table(3), 3).shape == (3, 0)


def test_items_are_told_by_the_values_that_some_share(rated_data):
    items = {"genre": ["a|b", "a", "a|b", "b", "b|c", None], "maker": [f"m{i}" for i in range(6)]}
    (genre,) = item_facts(rated_data([0], [0], np.ones(1), 1, 6, items=items))
    half = np.sqrt(0.5)  # c is met once, and no maker makes two
    np.testing.assert_allclose(genre.toarray(), [[half, half], [1, 0], [half, half], [0, 1], [0, 1], [0, 0]])


def test_years_are_a_block_of_their_own_by_decade_where_they_are_old(rated_data):
    items = {"year": [1951, 1955, 1959, 1995, 1995, 1995, 2001, None]}
    (years,) = item_facts(rated_data([0], [0], np.ones(1), 1, 8, items=items))
    assert years.toarray().tolist() == [[1, 0]] * 3 + [[0, 1]] * 3 + [[0, 0]] * 2


def test_a_catalogue_that_tells_nothing_has_no_blocks(rated_data):
    assert item_facts(rated_data([0], [0], np.ones(1), 1, 6)) == []
    assert item_facts(rated_data([0], [0], np.ones(1), 1, 6, items={"genre": ["a"] * 6})) == []  # all are alike


def test_a_value_named_twice_counts_once():
    once, twice = ([[*row], ["a"], ["b"]] for row in (["a", "b"], ["a", "b", "a"]))
    np.testing.assert_array_equal(tokens_block(twice, 1).toarray(), tokens_block(once, 1).toarray())
    assert tokens_block(twice, 3).shape == (3, 0)


@some
@given(seed=st.integers(0, 10_000))
def test_rows_of_ones_are_brought_to_length_one(seed):
    rng = np.random.default_rng(seed)
    ones = (rng.random((6, 5)) < 0.4).astype(float)
    found = even(taken_by_of(ones)).toarray()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), ones.any(1))
    np.testing.assert_array_equal(found > 0, ones > 0)


def taken_by_of(ones):
    user, item = np.nonzero(ones)
    return taken_by(Rated(user, item, np.ones(len(user)), np.full(len(user), -1), *ones.shape))


def test_features_become_their_leading_directions(rated_data):
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(30, 5)) * [1, 5, 2, 0.5, 3] + 7).astype(np.float32)
    data = rated_data([0], [0], np.ones(1), 1, 30, features=z)
    (found,) = described(data, 2)
    u, s, _ = np.linalg.svd(z - z.mean(0), full_matrices=False)
    exact = u[:, :2] * s[:2]
    exact /= np.sqrt((exact**2).mean())
    np.testing.assert_allclose(np.abs(found.toarray().T @ exact), exact.T @ exact, atol=1e-3)
    assert (found.toarray() ** 2).mean() == pytest.approx(1.0, abs=1e-5)
    assert described(data, 9)[0].shape == (30, 5)  # there are no more
    assert described(data, 0) == described(replace(data, features=None), 2) == []


def test_features_that_are_all_alike_say_nothing(rated_data):
    (found,) = described(rated_data([0], [0], np.ones(1), 1, 4, features=np.ones((4, 3), np.float32)), 2)
    assert np.abs(found.toarray()).max() == 0


def test_how_often_an_item_is_rated_is_told_by_its_log(rated_data):
    data = rated_data([0, 1, 2, 0], [0, 0, 0, 1], np.ones(4), 3, 3)
    found = how_often(Rated.of(data.interactions)).toarray().ravel()
    assert (found**2).mean() == pytest.approx(1.0)
    assert found[0] / found[1] == pytest.approx(2.0)  # log 4 and log 2
    assert found[2] == 0
    assert taken_by(Rated.of(data.interactions)).toarray().tolist() == [[1, 1, 0], [1, 0, 0], [1, 0, 0]]
