"""Splits leak nothing, nest, repeat, and keep the codes."""

from functools import partial

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data import split
from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.example import example
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary
from warmstart.errors import ConfigError, DataError

KINDS = {
    "temporal": split.temporal,
    "last_n": split.last_n,
    "last_share": partial(split.last_n, share=0.3),
    "cold_items": split.cold_items,
    "cold_items_alone": partial(split.cold_items, candidates="cold"),
    "cold_users": split.cold_users,
    "few_shot": partial(split.few_shot, k=2, after=4),
    "sparse": partial(split.sparse, percent=30),
}


def random_data(seed: int, n_users: int = 20, n_items: int = 30, n_events: int = 300) -> Dataset:
    rng = np.random.default_rng(seed)
    x = Interactions.of(
        rng.integers(0, n_users, n_events),
        rng.integers(0, n_items, n_events),
        n_users,
        n_items,
        time=rng.integers(0, 100, n_events),
    )
    people = pl.DataFrame({"age": rng.integers(10, 80, n_users)})
    names = Vocabulary(f"u{u}" for u in range(n_users))
    return Dataset(x, Catalog(pl.DataFrame({"item_id": [f"i{i}" for i in range(n_items)]})), names, user_table=people)


def events(x: Interactions) -> list[tuple[int, ...]]:
    return list(zip(x.user.tolist(), x.item.tolist(), x.time.tolist(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_target_is_known_to_the_system(kind, seed):
    s = KINDS[kind](random_data(seed))
    trained = s.train.interactions.matrix()[s.users]
    assert trained.multiply(s.targets).nnz == 0
    assert s.queries.matrix().multiply(s.targets).nnz == 0
    if s.hidden is not None:
        assert s.hidden.multiply(s.targets).nnz == 0
        assert s.hidden.multiply(s.queries.matrix()).nnz == 0
    assert (s.targets.getnnz(axis=1) > 0).all()
    assert (s.targets.data == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_codes_and_attributes_stay(kind):
    data = random_data(3)
    s = KINDS[kind](data)
    assert s.train.catalog is data.catalog
    assert s.train.users is data.users
    assert (s.train.n_users, s.train.n_items) == (data.n_users, data.n_items)
    assert s.queries.attributes["age"].to_list() == data.user_table["age"].to_numpy()[s.users].tolist()
    assert set(events(s.train.interactions)) < set(events(data.interactions))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_splits(kind):
    a, b = KINDS[kind](random_data(5)), KINDS[kind](random_data(5))
    assert a.train.fingerprint() == b.train.fingerprint()
    assert (a.targets != b.targets).nnz == 0
    assert a.queries.item.tolist() == b.queries.item.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_validation_is_carved_from_training_alone(kind):
    s = KINDS[kind](random_data(7))
    v = s.validation()
    assert v.name.endswith("+validation")
    assert set(events(v.train.interactions)) < set(events(s.train.interactions))
    known = s.train.interactions.matrix()[v.users]
    assert known.multiply(v.targets).nnz == v.targets.nnz


def test_time_cuts_once_for_everybody():
    data = random_data(1)
    s = split.temporal(data, share=0.3)
    past = s.train.interactions
    later = set(events(data.interactions)) - set(events(past))
    assert past.time.max() < min(t for _, _, t in later)


def test_time_is_needed_for_a_time_cut():
    data = example()
    x = data.interactions
    timeless = data.with_interactions(Interactions.of(x.user, x.item, 3, 4))
    with pytest.raises(DataError, match="no times"):
        split.temporal(timeless)


def test_last_events_are_held_out_but_never_the_only_one():
    data = random_data(2, n_users=40, n_events=80)
    s = split.last_n(data, n=100)
    assert s.train.interactions.user_counts().tolist() == np.minimum(data.interactions.user_counts(), 1).tolist()


def test_cold_items_have_no_event_and_are_the_candidates():
    data = random_data(4)
    alone, together = split.cold_items(data, candidates="cold"), split.cold_items(data)
    assert alone.train.fingerprint() == together.train.fingerprint()
    assert alone.train.interactions.item_counts()[alone.candidates].sum() == 0
    assert set(alone.targets.indices) <= set(alone.candidates.tolist())
    assert together.candidates is None
    assert len(set(together.targets.indices) - set(alone.candidates.tolist())) > 0


def test_cold_users_leave_training():
    s = split.cold_users(random_data(6), reveal=0)
    assert s.train.interactions.user_counts()[s.users].sum() == 0
    assert s.queries.lengths.sum() == 0


def test_few_shot_asks_the_same_whatever_is_revealed():
    data = random_data(8)
    shots = [split.few_shot(data, k, after=5) for k in (0, 1, 3, 5)]
    for k, s in zip((0, 1, 3, 5), shots, strict=True):
        assert s.queries.lengths.tolist() == [k] * len(s)
        assert s.train.fingerprint() == shots[0].train.fingerprint()
        assert (s.targets != shots[0].targets).nnz == 0
        assert s.train.interactions.user_counts()[s.users].sum() == 0
    assert shots[-1].hidden.nnz == 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), percents=st.tuples(st.integers(1, 50), st.integers(50, 100)))
def test_thinning_is_nested(seed, percents):
    data = random_data(seed)
    thin, thick = (split.sparse(data, p, seed=seed) for p in percents)
    assert set(events(thin.train.interactions)) <= set(events(thick.train.interactions))
    assert (thin.targets != thick.targets).nnz == 0


def test_whole_thinning_is_the_plain_split():
    data = random_data(9)
    plain, whole = split.last_n(data, share=0.2), split.sparse(data, 100)
    assert plain.train.fingerprint() == whole.train.fingerprint()
    assert whole.hidden.nnz == 0


def test_ties_are_shuffled_within_user_and_time_only():
    data = random_data(10)
    x, y = data.interactions, split.shuffle_ties(data, seed=1).interactions
    assert sorted(events(x)) == sorted(events(y))
    assert (x.user == y.user).all()
    assert (x.time == y.time).all()
    assert not (x.item == y.item).all()


def test_take_keeps_rows_together():
    s = split.few_shot(random_data(11), k=1, after=3)
    t = s.take(np.array([1]))
    assert t.users[0] == s.users[1]
    assert t.targets[0].indices.tolist() == s.targets[1].indices.tolist()
    assert t.hidden[0].indices.tolist() == s.hidden[1].indices.tolist()
    assert t.queries.row(0).tolist() == s.queries.row(1).tolist()


@pytest.mark.parametrize(
    "call",
    [
        lambda d: split.temporal(d, share=0),
        lambda d: split.last_n(d, n=0),
        lambda d: split.last_n(d, share=1.5),
        lambda d: split.cold_items(d, candidates="warm"),
        lambda d: split.cold_users(d, reveal=1),
        lambda d: split.few_shot(d, k=11),
        lambda d: split.sparse(d, percent=0),
    ],
)
def test_impossible_settings_are_refused(call):
    with pytest.raises(ConfigError):
        call(example())


def test_a_split_without_queries_is_refused():
    with pytest.raises(DataError, match="0 queries"):
        split.few_shot(example(), k=3, after=10)


def test_a_split_made_by_hand_has_no_validation():
    s = split.last_n(example())
    with pytest.raises(DataError, match="carve"):
        split.Split("mine", s.train, s.queries, s.targets, s.users).validation()
