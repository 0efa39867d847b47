"""Simulated worlds: nothing asked is known there, and their shares are those of the data."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.data.vocab import Vocabulary
from warmstart.fusion import worlds
from warmstart.fusion.simulate import (
    LENGTHS,
    LONG,
    NEW,
    SHORT,
    TYPED,
    UNMET,
    at_queries,
    balanced,
    people_episode,
    state_of,
    tail_episode,
    time_episode,
)
from warmstart.fusion.unmet import exposed, like_all, random_unmet_share
from warmstart.fusion.worlds import episodes


def world(user, item, n_users, n_items, features=None, time=None):
    items = pl.DataFrame({"item_id": [f"i{i}" for i in range(n_items)], "title": ["x"] * n_items})
    x = Interactions.of(np.asarray(user), np.asarray(item), n_users, n_items, time=time)
    users = Vocabulary(f"u{u}" for u in range(n_users))
    return Dataset(x, Catalog(items), users, features=None if features is None else features.astype(np.float32))


@pytest.fixture(scope="module")
def data():
    toy = clusters(seed=0)
    rng = np.random.default_rng(0)
    return toy.with_features(rng.normal(size=(toy.n_items, 4)).astype(np.float32))


@pytest.fixture(scope="module")
def everything(data):
    return np.ones(data.n_items, bool)


@pytest.fixture(scope="module")
def nothing(data):
    return np.zeros(data.n_items, bool)


def known(episode):
    """Which pairs of user and item the world's training shows."""
    return episode.train.interactions.matrix().toarray() > 0


def check(episode, data):
    """What holds in every world."""
    train, true = known(episode), data.interactions.matrix().toarray() > 0
    n = len(episode.queries)
    assert len(episode.targets) == len(episode.state) == len(episode.user) == n > 0
    assert not (train & ~true).any()
    for q in range(n):
        target, history, state = episode.targets[q], episode.queries.row(q), episode.state[q]
        user = episode.user[q]
        assert len(target)
        assert np.array_equal(target, np.unique(target))
        assert true[user, target].all()
        assert not train[user, target].any()
        assert true[user, history].all()
        assert not np.isin(target, history).any()
        assert episode.pools[state][target].all()
        assert state in {UNMET, TYPED} or state == state_of(len(history))


def draw(seed, n, share):
    return np.random.default_rng(seed).random(n) < share


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    window=st.sampled_from([(0.64, 0.8), (0.8, 1.0), (1.0, 1.0)]),
    shown=st.booleans(),
    held=st.sampled_from([0.0, 0.3]),
)
def test_no_target_of_a_tail_world_is_in_its_training(data, seed, window, shown, held):
    met = data.interactions.item_counts() > 0
    hidden, people = met & draw(seed, data.n_items, 0.2), draw(seed, data.n_users, held)
    pool = exposed(data, 0.05, seed)
    episode = tail_episode(data, *window, pool, hidden, hidden if shown else np.zeros_like(hidden), people)
    check(episode, data)
    train = known(episode)
    assert not train[:, hidden].any()
    assert not train[people].any()
    for q in np.flatnonzero(~people[episode.user]):
        assert np.array_equal(np.unique(episode.queries.row(q)), np.flatnonzero(train[episode.user[q]]))
    unmet = [t for t, s in zip(episode.targets, episode.state, strict=True) if s == UNMET]
    assert hidden[np.concatenate(unmet)].all()
    assert (episode.pools[UNMET] == hidden).all()
    mixed = np.concatenate([t for t, s in zip(episode.targets, episode.state, strict=True) if s in {SHORT, LONG}])
    assert hidden[mixed].any() == shown


def test_a_tail_by_hand(nothing):
    """Ten events in order: 0..6 train at 0.7, the window up to 0.9 is 7 and 8."""
    data = world(np.zeros(10, int), np.arange(10), 2, 12)
    none = np.zeros(12, bool)
    episode = tail_episode(data, 0.7, 0.9, ~none, none, none)
    assert episode.queries.row(0).tolist() == list(range(7))
    assert [t.tolist() for t in episode.targets] == [[7, 8]]
    assert episode.state.tolist() == [SHORT]
    hidden = np.isin(np.arange(12), [1, 9])
    episode = tail_episode(data, 0.7, 0.9, ~none, hidden, hidden)
    assert episode.queries.row(0).tolist() == [0, 2, 3, 4, 5, 6]
    assert [t.tolist() for t in episode.targets] == [[1, 7, 8, 9], [1, 9]]
    assert episode.state.tolist() == [SHORT, UNMET]


def test_everybody_asked_keeps_a_history_and_a_target(data, everything, nothing):
    episode = tail_episode(data, 0.8, 1.0, everything, nothing, nothing)
    asked = np.flatnonzero(data.interactions.user_counts() >= 2)
    np.testing.assert_array_equal(np.sort(episode.user), asked)
    assert (episode.queries.lengths >= 1).all()


def test_held_people_are_asked_after_their_first_events(data, everything):
    held = draw(1, data.n_users, 0.25)
    episode = people_episode(data, everything, held)
    check(episode, data)
    assert not known(episode)[held].any()
    kept = data.interactions.select(~held[data.interactions.user])
    assert len(episode.train.interactions) == len(kept)
    assert held[episode.user].all()
    starts = np.concatenate([[0], np.cumsum(data.interactions.user_counts())])
    for q in np.flatnonzero(episode.state != TYPED):
        row, u = episode.queries.row(q), episode.user[q]
        assert len(row) in LENGTHS
        items = data.interactions.item[starts[u] : starts[u + 1]]
        last = max(n for n in LENGTHS if 2 * n <= len(items))  # at every length the same is asked for,
        last = 0 if not len(row) and last < LENGTHS[-1] else last  # but of few events everything
        np.testing.assert_array_equal(row, items[: len(row)])
        np.testing.assert_array_equal(episode.targets[q], np.unique(items[last:]))
        np.testing.assert_array_equal(episode.barred[q], items[len(row) : last])
    assert {NEW, SHORT, TYPED} <= set(episode.state.tolist())


def test_a_random_part_of_each_history_can_be_hidden(data, everything, nothing):
    newest = tail_episode(data, 0.5, 1.0, everything, nothing, nothing)
    random = tail_episode(data, 0.5, 1.0, everything, nothing, nothing, shuffle=np.random.default_rng(0))
    check(random, data)
    assert len(random.train.interactions) == len(newest.train.interactions)
    x, order = data.interactions, data.interactions.position()
    late = [np.mean(order[known(e)[x.user, x.item] == 0]) for e in (newest, random)]
    assert late[0] > late[1]


def test_a_typed_query_gives_items_as_a_vector_and_no_history(data, everything):
    episode = people_episode(data, everything, draw(1, data.n_users, 0.25))
    episode = at_queries(episode, np.flatnonzero(episode.state == TYPED))
    assert len(episode.queries)
    assert not episode.queries.lengths.any()
    starts = np.concatenate([[0], np.cumsum(data.interactions.user_counts())])
    for q, u in enumerate(episode.user):
        first = data.interactions.item[starts[u] : starts[u] + 2]
        np.testing.assert_allclose(episode.queries.vectors[q], data.features[first].mean(0), atol=1e-6)


def test_only_typed_queries_carry_a_vector(data, everything):
    episode = people_episode(data, everything, draw(1, data.n_users, 0.25))
    np.testing.assert_array_equal(episode.queries.vectors.any(1), episode.state == TYPED)


def test_without_features_nobody_types(everything):
    episode = people_episode(clusters(seed=0), everything, draw(1, 200, 0.25))
    assert TYPED not in episode.state
    assert episode.queries.vectors is None


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.8])
def test_a_time_world_never_trains_on_the_future(data, everything, cut):
    episode = time_episode(data, everything, cut, seed=0)
    check(episode, data)
    x = data.interactions
    when = np.quantile(x.time, cut)
    assert episode.train.interactions.time.max() < when
    assert len(episode.train.interactions) == (x.time < when).sum()
    time = {(u, i): t for u, i, t in zip(x.user.tolist(), x.item.tolist(), x.time.tolist(), strict=True)}
    first = {u: x.time[x.user == u].min() for u in np.unique(x.user)}
    for q, user in enumerate(episode.user.tolist()):
        assert all(time[user, i] >= when for i in episode.targets[q].tolist())
        history = [time[user, i] for i in episode.queries.row(q).tolist()]
        if first[user] < when:
            assert history
            assert max(history) < when
        else:  # new after the cut: asked with nothing, or with some of the first of the future
            assert max(history, default=0) <= min(time[user, i] for i in episode.targets[q].tolist())
            assert len(history) in LENGTHS


def test_who_does_nothing_after_the_cut_is_not_asked(everything):
    data = world([0, 0, 1, 1], [0, 1, 0, 2], 2, 3, time=np.array([1, 2, 3, 100]))
    episode = time_episode(data, np.ones(3, bool), 0.7, seed=0)
    assert episode.user.tolist() == [1]
    assert episode.targets[0].tolist() == [2]


def test_attributes_go_with_the_queries(data, everything):
    episode = people_episode(data, everything, draw(1, data.n_users, 0.25))
    assert episode.queries.attributes["age"].to_list() == data.user_table["age"].gather(episode.user).to_list()


def market(seed, n_users=400, n_items=500, skew=1.5, per_user=12):
    """Content tells popularity: events are drawn by rates that the features give, up to a little noise."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n_items, 4))
    rate = np.exp(skew * z[:, 0] + 0.3 * rng.normal(size=n_items))
    p = rate / rate.sum()
    items = np.concatenate([rng.choice(n_items, per_user, replace=False, p=p) for _ in range(n_users)])
    return world(
        np.repeat(np.arange(n_users), per_user), items, n_users, n_items, np.column_stack([z, np.ones(n_items)])
    )


def without(data, share, seed):
    """A random share of the catalogue loses all events."""
    gone = draw(seed, data.n_items, share)
    return data.with_interactions(data.interactions.select(~gone[data.interactions.item]))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("skew", [1.5, 2.5])
def test_items_unmet_by_nature_are_not_taken_for_new_ones(seed, skew):
    data = market(seed, skew=skew)
    assert (data.interactions.item_counts() == 0).mean() > 0.05
    assert random_unmet_share(data) < 0.04


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("planted", [0.1, 0.2, 0.4])
def test_the_planted_share_of_new_items_is_found(seed, planted):
    """Near the truth, and rather below it than above."""
    whole = market(seed, skew=1.0, per_user=30)
    data = without(whole, planted, seed)
    truth = float(((whole.interactions.item_counts() > 0) & (data.interactions.item_counts() == 0)).mean())
    assert 0.65 * truth < random_unmet_share(data) < truth + 0.03


def test_natural_and_planted_together_are_never_overstated():
    """Where many items are rare by nature the estimate is careful, and grows with what is planted."""
    whole = market(0)
    shares = [random_unmet_share(without(whole, planted, 3)) for planted in (0.0, 0.25, 0.5)]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[1] < 0.25
    assert 0.2 < shares[2] < 0.5


def test_little_evidence_is_no_evidence(data):
    assert random_unmet_share(world([0, 1], [0, 1], 2, 40)) == 0.0
    assert random_unmet_share(world([0], [0], 1, 1)) == 0.0
    assert random_unmet_share(world([], [], 2, 100)) == 0.0


def test_like_all_tells_random_items_from_rare_ones():
    natural = market(0)
    planted = without(market(0, skew=1.0, per_user=30), 0.2, 0)
    none = np.zeros(natural.n_items, bool)
    assert like_all(natural, natural.interactions.item_counts(), none) < 0.2
    assert like_all(planted, planted.interactions.item_counts(), none) > 0.7
    assert like_all(replace(natural, features=None), natural.interactions.item_counts(), none) == 1.0


def test_what_vanishes_with_the_newest_events_shows_what_is_unmet_by_nature():
    """Vanished items far below the rarest ones put the unmet, half way, at half."""
    rng = np.random.default_rng(0)
    n = 600
    z = np.zeros((n, 2))
    z[:, 0] = np.where(np.arange(n) < 300, 1.0, np.where(np.arange(n) < 400, -1.0, 0.0))
    z[:, 1] = 1.0
    counts = np.where(
        np.arange(n) < 300, rng.integers(20, 40, n), np.where(np.arange(n) < 400, rng.integers(1, 3, n), 0)
    )
    item = np.repeat(np.arange(n), counts)
    data = world(np.arange(len(item)) % 40, item, 40, n, z + rng.normal(scale=0.01, size=z.shape))
    vanished = (np.arange(n) >= 300) & (np.arange(n) < 400)
    assert 0.5 < like_all(data, counts, vanished) < 0.8


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 1.0])
def test_exposed_leaves_out_unmet_items_only_and_as_many_as_said(share):
    data = without(market(0), 0.25, 3)
    met = data.interactions.item_counts() > 0
    out = exposed(data, share, seed=1)
    assert out[met].all()
    assert (~out).sum() == min(round(share * data.n_items), (~met).sum())
    np.testing.assert_array_equal(out, exposed(data, share, seed=1))


def test_balanced_takes_at_most_so_many_of_a_state(data, everything):
    episode = people_episode(data, everything, draw(1, data.n_users, 0.5))
    few = balanced(episode, most=7, seed=0)
    states, counts = np.unique(few.state, return_counts=True)
    assert set(states) == set(episode.state)
    assert (counts == 7).all()
    check(few, data)
    again = balanced(episode, most=7, seed=0)
    np.testing.assert_array_equal(again.user, few.user)
    all_of_them = balanced(episode, most=10**6, seed=0)
    assert len(all_of_them.queries) == len(episode.queries)


@pytest.mark.parametrize(("length", "state"), [(0, NEW), (1, SHORT), (10, SHORT), (11, LONG), (500, LONG)])
def test_states_by_length(length, state):
    assert state_of(length) == state


def test_default_worlds_hold_what_every_world_must(data):
    kinds = []
    for episode in episodes(data, seed=0):
        check(episode, data)
        kinds.append(episode.kind)
    assert kinds.count("time") == 3
    assert kinds.count("people") == 3
    assert kinds.count("tail") + kinds.count("items") >= 4


def test_without_a_clock_there_are_no_time_worlds(data):
    x = replace(data.interactions, time=np.full(len(data.interactions), -1, np.int64))
    assert "time" not in {e.kind for e in episodes(data.with_interactions(x), seed=0)}


def test_new_items_are_simulated_where_the_catalogue_shows_them():
    """Where many items were just added, hidden ones stay among everybody's candidates; else they do not."""
    crowded, plain = without(market(0, skew=1.0, per_user=30), 0.2, 0), market(0)
    for data, expected in ((crowded, True), (plain, False)):
        hiding = [e for e in episodes(data, seed=0) if UNMET in e.pools and e.pools[UNMET].any()]
        assert hiding
        mixed = [e for e in hiding if {SHORT, LONG} & set(e.state.tolist())]
        assert bool(mixed) == expected
        for e in mixed:
            assert e.pools[SHORT][e.pools[UNMET]].all()


def test_large_data_get_fewer_worlds_with_several_things_hidden(data, monkeypatch):
    monkeypatch.setattr(worlds, "LARGE_USERS", 50)
    found = list(episodes(data, seed=0))
    assert [e.kind for e in found] == ["tail", "tail", "time", "time"]
    for e in found:
        check(e, data)
    assert {NEW, SHORT, UNMET} <= set(found[0].state.tolist())


def test_seed_decides_the_worlds(data):
    one, same, other = ([len(e.queries) for e in episodes(data, seed=s)] for s in (0, 0, 1))
    assert one == same != other


def test_what_was_taken_before_is_no_target_when_taken_again():
    """Everybody takes the same things twice or more; only what is new to the asker is asked for."""
    rng = np.random.default_rng(0)
    user, item = np.repeat(np.arange(30), 12), rng.integers(0, 8, 360)
    data = world(user, item, 30, 8, time=np.tile(np.arange(12), 30))
    everything, none = np.ones(8, bool), np.zeros(8, bool)
    check(tail_episode(data, 0.3, 1.0, everything, none, none), data)
    check(people_episode(data, everything, np.arange(30) < 15), data)
    check(time_episode(data, everything, 0.4, seed=0), data)


def test_after_long_histories_nothing_is_asked_out_of_order_where_a_clock_tells_it():
    user, item = np.repeat(np.arange(40), 25), np.concatenate([(np.arange(25) + u) % 60 for u in range(40)])
    timed = world(user, item, 40, 60, time=np.tile(np.arange(25), 40))
    for data, asked in ((timed, [True, False, True]), (world(user, item, 40, 60), [True, True, True])):
        tails = [w for w in episodes(data) if w.kind == "tail"]
        assert [LONG in w.state for w in tails] == asked


def test_of_a_large_crowd_so_many_of_each_state_are_asked(data, monkeypatch):
    monkeypatch.setattr(worlds, "LARGE_USERS", 50)
    few, all_of_them = list(episodes(data, seed=0, asked=12)), list(episodes(data, seed=0))
    for some, full in zip(few, all_of_them, strict=True):
        check(some, data)
        for state in (NEW, LONG, UNMET):
            people = set(full.user[full.state == state].tolist())
            drawn = some.user[some.state == state].tolist()
            assert len(drawn) <= 12
            assert set(drawn) <= people
            assert len(drawn) > 0 or not people
    assert sum(len(e.user) for e in few) < sum(len(e.user) for e in all_of_them)


def test_worlds_of_many_people_are_made_of_some(data):
    people = np.unique(data.interactions.user)
    for episode in episodes(data, seed=0, people=40):
        check(episode, data)
        assert len(np.unique(np.concatenate([episode.train.interactions.user, episode.user]))) <= 40 < len(people)


def test_enough_people_leave_the_worlds_as_they_are(data):
    for one, other in zip(episodes(data, seed=0), episodes(data, 0, 10**6, 10**6), strict=True):
        np.testing.assert_array_equal(one.queries.item, other.queries.item)
        np.testing.assert_array_equal(one.train.interactions.item, other.train.interactions.item)
