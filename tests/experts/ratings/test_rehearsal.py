"""What is hidden in a rehearsal is told by nothing that is left."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.interactions import Interactions
from warmstart.experts.ratings.rated import Known, Rated
from warmstart.experts.ratings.rehearsal import ASKED, SHOWN, Rehearsal, once, unmet_items

some = settings(max_examples=25, deadline=None, derandomize=True)


def pairs(user, item, n_items=1000):
    return set((np.asarray(user, np.int64) * n_items + item).tolist())


def told(one):
    """Rows and items that the histories hold a rating of."""
    known = Known.of(one.histories)
    return pairs(known.query, known.item)


def people_of(one, n):
    """Whether each of n user codes is new."""
    return ~np.isin(np.arange(n), one.train.interactions.user)


@pytest.fixture(scope="module")
def data(rated_data):
    """40 people with 1 to 60 ratings, five without any event, five with events that carry none; some rate twice."""
    rng, n_items = np.random.default_rng(0), 60
    user = np.concatenate([np.full(n, u) for u, n in enumerate(rng.integers(1, 61, 40))])
    item = np.concatenate([rng.permutation(n_items)[: (user == u).sum()] for u in range(40)])
    rating = rng.integers(1, 6, len(user)).astype(float)
    again = rng.permutation(len(user))[:150]
    viewed = np.repeat(np.arange(40, 45), 3)
    user, item = np.concatenate([user, user[again], viewed]), np.concatenate([item, item[again], np.arange(15)])
    rating = np.concatenate([rating, rng.integers(1, 6, 150), np.full(15, np.nan)])
    people = {"job": rng.choice(["cook", "smith"], 50)}
    return rated_data(user, item, rating, 50, n_items, people=people, time=np.arange(len(user)))


@some
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.05, 0.25, 0.6]))
def test_hidden_ratings_are_told_nowhere(data, seed, share):
    """Neither to the models nor by histories, and not by an earlier rating of the same item either."""
    one = Rehearsal.of(data, share, seed)
    hidden = pairs(one.query, one.item)
    assert len(hidden) == len(one.query) == len(one.item) == len(one.value)
    learned = Rated.of(one.train.interactions)
    assert not pairs(one.person[one.query], one.item) & pairs(learned.user, learned.item)
    assert not hidden & told(one)


@some
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.05, 0.25, 0.6]))
def test_new_people_are_met_with_few_ratings_and_never_learned_from(data, seed, share):
    one = Rehearsal.of(data, share, seed)
    rated, shown = Rated.of(data.interactions), Known.of(one.histories).lengths
    n_rated, asked = np.bincount(rated.user, minlength=50), np.bincount(one.query, minlength=len(shown))
    n_met = np.bincount(rated.user[~unmet_items(60, share, seed)[rated.item]], minlength=50)
    events, new = data.interactions.user_counts(), people_of(one, 50)
    for user in np.flatnonzero(new & (events > 0)):
        met, n = one.person == user, n_met[user]
        if n == 0 and not met.any():
            continue
        if met.sum() == 1 and asked[met].sum() == n_rated[user] > min(n, 1):  # known, all happened to be hidden
            new[user] = False
            continue
        assert shown[met].tolist() == [k for k in SHOWN if k < n]
        assert set(asked[met].tolist()) <= {min(n - max(shown[met], default=0), ASKED)}
        items = [frozenset(one.item[one.query == row].tolist()) for row in np.flatnonzero(met)]
        assert len(set(items)) <= 1  # the same questions each time
    old = np.isin(one.person, np.flatnonzero(~new))
    np.testing.assert_array_equal(one.person[old], np.flatnonzero(~new))
    np.testing.assert_array_equal((asked + shown)[old], n_rated[~new])  # nothing else is lost


def test_about_the_share_is_hidden_and_about_the_share_is_new(planted):
    data, *_ = planted(0, n_users=400, density=0.5, hidden=0.0)
    one = Rehearsal.of(data, 0.2)
    new = people_of(one, 400)
    assert 50 < new.sum() < 110
    met, x = ~unmet_items(data.n_items, 0.2), data.interactions
    hidden, old = ~new[one.person[one.query]] & met[one.item], ~new[x.user] & met[x.item]
    assert hidden.sum() / old.sum() == pytest.approx(0.2, abs=0.03)
    assert 0.05 < (~met).mean() < 0.35
    assert set(Known.of(one.histories).lengths[new[one.person]].tolist()) >= {0, 1, 2, 4, 8}


def test_the_answers_are_the_last_ratings(data):
    one, rated = Rehearsal.of(data, 0.3), Rated.of(data.interactions)
    last = {(u, i): v for u, i, v in zip(rated.user, rated.item, rated.value, strict=True)}
    assert one.value.tolist() == [last[pair] for pair in zip(one.person[one.query], one.item, strict=True)]
    assert (one.query.dtype, one.item.dtype, one.value.dtype) == (np.int64, np.int64, np.float64)


def test_the_same_seed_hides_the_same(data):
    one, same, other = (Rehearsal.of(data, 0.3, seed) for seed in (1, 1, 2))
    assert pairs(one.query, one.item) == pairs(same.query, same.item) != pairs(other.query, other.item)
    np.testing.assert_array_equal(one.value, same.value)
    assert one.train.fingerprint() == same.train.fingerprint()
    np.testing.assert_array_equal(one.histories.item, same.histories.item)


def test_what_is_known_of_people_and_items_stays(data):
    one = Rehearsal.of(data, 0.3)
    assert one.histories.attributes.equals(data.attributes(one.person))
    assert len(one.histories) == len(one.person)
    assert one.train.n_users == data.n_users
    assert one.histories.n_items == one.train.n_items == data.n_items
    assert one.train.user_table is data.user_table
    assert Rehearsal.of(replace(data, user_table=None), 0.3).histories.attributes is None


def test_people_without_ratings_are_asked_nothing(data):
    one = Rehearsal.of(data, 0.9)
    assert one.person[one.query].max() < 40
    views = one.train.interactions.select(one.train.interactions.user >= 40)
    assert np.isnan(views.rating).all()


def test_nothing_is_hidden_where_no_share_is(data):
    one = Rehearsal.of(data, 0.0)
    assert len(one.value) == 0
    assert len(one.train.interactions) == len(once(data.interactions))


@some
@given(seed=st.integers(0, 10_000), timed=st.booleans())
def test_of_repeated_ratings_those_stay_that_count(seed, timed):
    rng = np.random.default_rng(seed)
    rating = np.where(rng.random(40) < 0.3, np.nan, rng.integers(1, 6, 40))
    time = rng.integers(0, 9, 40) if timed else None
    x = Interactions.of(rng.integers(0, 4, 40), rng.integers(0, 5, 40), 4, 5, rating=rating, time=time)
    before, after = Rated.of(x), Rated.of(once(x))
    for name in ("user", "item", "value", "time"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert (after.repeated, after.left_out) == (0, before.left_out)


def test_of_some_items_nobody_who_is_learned_from_has_a_rating(data):
    """And new people are neither met with nor asked about them."""
    one, unmet = Rehearsal.of(data, 0.25), unmet_items(60, 0.25)
    assert 0 < unmet.sum() < 30
    x = one.train.interactions
    assert not unmet[x.item[np.isfinite(x.rating)]].any()
    new = people_of(one, 50)[one.person]
    known = Known.of(one.histories)
    assert not unmet[known.item].any()
    assert not (unmet[one.item] & new[one.query]).any()
    old = x.user_counts() > 0
    rated = Rated.of(data.interactions)
    assert (unmet[one.item]).sum() == (unmet[rated.item] & old[rated.user]).sum() > 0
