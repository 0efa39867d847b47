"""Ratings as arrays: one a user and item, the last of them, and none where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import DataError
from warmstart.experts.ratings.rated import Known, Rated, check_pairs, of_items

NAN = np.nan


def events(user, item, rating, time=None, n_users=2, n_items=4):
    time = None if time is None else np.asarray(time)
    return Interactions.of(np.array(user), np.array(item), n_users, n_items, rating=np.array(rating, float), time=time)


def test_the_last_by_time_is_kept():
    rated = Rated.of(events([0, 0, 0, 1], [2, 2, 1, 2], [5, 1, 3, 4], time=[30, 10, 20, 5]))
    assert list(zip(rated.user, rated.item, rated.value, rated.time, strict=True)) == [
        (0, 1, 3.0, 20),
        (0, 2, 5.0, 30),
        (1, 2, 4.0, 5),
    ]
    assert (rated.left_out, rated.repeated) == (0, 1)
    assert [a.dtype.name for a in (rated.user, rated.item, rated.value, rated.time)] == [
        "int32",
        "int32",
        "float64",
        "int64",
    ]


@pytest.mark.parametrize("time", [None, [7, 7, 7]])
def test_without_a_clock_the_last_row_is_kept(time):
    rated = Rated.of(events([0, 0, 0], [1, 1, 1], [2, 4, 3], time=time))
    assert rated.value.tolist() == [3.0]
    assert rated.repeated == 2


def test_rows_that_are_out_of_order_are_sorted_by_time_all_the_same():
    x = events([0, 0], [1, 1], [2, 4], time=[10, 20])
    assert Rated.of(x.select(np.array([1, 0]))).value.tolist() == [4.0]


def test_a_later_event_without_rating_does_not_take_the_rating_away():
    x = events([0, 0, 1], [1, 1, 0], [4, NAN, np.inf], time=[10, 20, 30])
    rated = Rated.of(x)
    assert (rated.value.tolist(), rated.left_out, rated.repeated) == ([4.0], 2, 0)
    known = Known.of(Histories.of_users(x, np.array([0, 1])))
    assert (known.indptr.tolist(), known.item.tolist(), known.value.tolist()) == ([0, 1, 1], [1], [4.0])


def test_nothing_rated_is_empty_not_an_error():
    rated = Rated.of(events([0], [1], [NAN]))
    assert (len(rated), rated.left_out, rated.known().lengths.tolist()) == (0, 1, [0, 0])


def test_histories_that_carry_no_ratings_say_nothing():
    known = Known.of(Histories.of([[0, 1], []], 3))
    assert (len(known), known.lengths.tolist(), known.value.tolist()) == (2, [0, 0], [])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), timed=st.booleans())
def test_stored_histories_say_what_the_training_ratings_say(seed, timed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    rating = np.where(rng.random(n) < 0.3, NAN, rng.integers(1, 6, n))
    x = events(rng.integers(0, 2, n), rng.integers(0, 4, n), rating, rng.integers(0, 9, n) if timed else None)
    rated, known = Rated.of(x), Known.of(Histories.of_users(x, np.arange(2)))
    assert rated.left_out + rated.repeated + len(rated) == n
    of_users = rated.known()
    for field in ("indptr", "item", "value"):
        np.testing.assert_array_equal(getattr(of_users, field), getattr(known, field))
    seen = {
        (u, i): r for u, i, r in zip(x.user, x.item, x.rating, strict=True) if not np.isnan(r)
    }  # the last one stays
    assert seen == {(u, i): v for u, i, v in zip(rated.user, rated.item, rated.value, strict=True)}


def test_selected_ratings_keep_the_sizes():
    rated = Rated.of(events([0, 1, 1], [0, 1, 2], [1, 2, 3])).select(np.array([0, 2]))
    assert (rated.value.tolist(), rated.n_users, rated.n_items) == ([1.0, 3.0], 2, 4)


@pytest.mark.parametrize("n_items", [2, 4, 6])
def test_a_matrix_is_cut_or_widened_to_the_items_asked_for(n_items):
    known = Rated.of(events([0, 0, 1], [3, 1, 0], [1, 2, 3])).known()
    whole = np.array([[0, 2, 0, 1, 0, 0], [3, 0, 0, 0, 0, 0]], float)
    np.testing.assert_array_equal(known.matrix(known.value, n_items).toarray(), whole[:, :n_items])
    assert known.sums(known.value).tolist() == [3.0, 3.0]


def test_items_added_later_count_nothing():
    assert of_items(np.array([1.0, 2.0]), np.array([0, 1, 2])).tolist() == [1.0, 2.0, 0.0]
    assert of_items(np.empty(0), np.array([3])).tolist() == [0.0]


@pytest.mark.parametrize(
    ("query", "item", "message"),
    [
        ([0, 1], [0], "query has shape (2,) and item (1,); give one"),
        ([[0]], [[0]], "query has shape (1, 1)"),
        ([2], [0], "query holds 2, outside 0 to 1; give rows"),
        ([-1], [0], "query holds -1"),
        ([0], [3], "item holds 3, outside 0 to 2; give codes of the catalogue"),
    ],
)
def test_pairs_that_are_not_there_are_refused(query, item, message):
    with pytest.raises(DataError) as refused:
        check_pairs(Histories.of([[0], []], 3), np.array(query), np.array(item))
    assert message in str(refused.value)
