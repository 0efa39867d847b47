import numpy as np
import pytest

from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, DataError
from warmstart.learn.pairs import Pairing, held_out, known_before, lists, one_each, sampled


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(0)
    user, item, time = rng.integers(0, 8, 90), rng.integers(0, 40, 90), rng.integers(0, 30, 90)
    return Interactions.of(user, item, 8, 40, time=time, rating=rng.integers(1, 6, 90))


def with_one_more(x, user=3, item=7, time=1000):
    columns = {name: np.append(getattr(x, name), value) for name, value in (("time", time), ("rating", 5))}
    return Interactions.of(np.append(x.user, user), np.append(x.item, item), x.n_users, x.n_items, **columns)


def rows_of(x, examples, longest=20):
    """Examples as plain values, with all that is known of the person."""
    h = examples.histories(x, longest)
    known = [(h.row(q).tolist(), h.rating[h.indptr[q] : h.indptr[q + 1]].tolist()) for q in range(len(h))]
    return list(
        zip(examples.user.tolist(), examples.items.tolist(), examples.labels.tolist(), map(str, known), strict=True)
    )


def makers(x):
    rows = np.arange(len(x))
    return {
        "one each": one_each(x, rows, x.rating),
        "of no item": one_each(x, rows, x.item % 3, of_item=False),
        "sampled": sampled(x, rows, np.arange(40), 5, seed=1),
        "lists": lists(x, rows, x.rating, 4),
    }


@pytest.mark.parametrize("kind", ["one each", "of no item", "sampled", "lists"])
def test_a_planted_future_event_changes_nothing_before_it(events, kind):
    x = with_one_more(events)
    before, after = makers(events)[kind], makers(x)[kind]
    untouched = x.time[after.event] < 1000
    old, new = rows_of(events, before), rows_of(x, after.take(untouched))
    if kind == "lists":  # the planted event ends a list; all other lists are as they were
        assert len(new) >= len(old) - 1
        assert set(map(str, new)) <= set(map(str, old))
    else:
        assert new == old


def test_what_is_known_lies_before_in_time(events):
    x = events
    for examples in makers(x).values():
        h = examples.histories(x, 90)
        begin = np.searchsorted(x.user, examples.user)
        for q in range(len(examples)):
            asked = x.time[examples.event[q]]
            known = x.time[begin[q] : begin[q] + h.lengths[q]]
            assert (known < asked).all()


def test_events_without_time_are_known_in_their_order():
    x = Interactions.of(np.array([0, 0, 1, 0]), np.arange(4), 2, 4)
    assert known_before(x).tolist() == [0, 1, 2, 0]


def test_histories_hold_the_newest_events():
    x = Interactions.of(np.zeros(5, int), np.arange(5), 1, 5, time=np.arange(5))
    h = one_each(x, np.array([4]), np.ones(1)).histories(x, 2)
    assert h.row(0).tolist() == [2, 3]


def test_negatives_are_new_to_the_person_and_drawn_alike():
    n_items, n = 20, 400
    rng = np.random.default_rng(3)
    x = Interactions.of(rng.integers(0, 40, n), rng.integers(0, n_items, n), 40, n_items, time=rng.permutation(n))
    examples = sampled(x, np.arange(n), np.arange(n_items), 6, seed=0)
    h = examples.histories(x, 1000)
    for q in range(n):
        assert not set(examples.items[q, 1:]) & {*h.row(q).tolist(), int(examples.items[q, 0])}
    assert (examples.labels[:, 0] == 1).all()
    assert (examples.labels[:, 1:] == 0).all()
    counts = np.bincount(examples.items[:, 1:].ravel(), minlength=n_items)
    assert counts.min() > 0.7 * counts.mean()
    again = sampled(x, np.arange(n), np.arange(n_items), 6, seed=0)
    assert (again.items == examples.items).all()
    assert (sampled(x, np.arange(n), np.arange(n_items), 6, seed=1).items != examples.items).any()


def test_lists_are_stretches_of_time_of_one_person():
    rating = np.array([1, 5, 3, 3, 3, 2, 2], float)
    x = Interactions.of(np.array([0, 0, 0, 0, 0, 1, 1]), np.arange(7), 2, 7, time=np.arange(7), rating=rating)
    made = lists(x, np.arange(7), x.rating, 2)
    assert made.items.tolist() == [[0, 1]]  # the others are all alike: 3 3, 3, 2 2
    made = lists(x, np.arange(7), x.rating, 3)
    assert made.items.tolist() == [[0, 1, 2]]
    assert made.cut.tolist() == [0]
    made = lists(x, np.array([0, 1, 2, 5, 6]), np.array([1, 2, 3, 4, 5]), 2)
    assert made.items.tolist() == [[0, 1], [5, 6]]


def test_the_latest_by_the_clock_are_held_out(events):
    train, held = held_out(events, makers(events)["one each"], Pairing(held_out=0.2), seed=0)
    assert events.time[train.event].max() < events.time[held.event].min()
    assert len(held) >= 0.2 * len(events)


def test_without_a_clock_the_last_of_each_person_are_held_out():
    x = Interactions.of(np.repeat([0, 1], 5), np.arange(10), 2, 10)
    train, held = held_out(x, one_each(x, np.arange(10), np.ones(10)), Pairing(), seed=0)
    assert held.event.tolist() == [4, 9]
    assert len(train) == 8


def test_at_most_so_many_are_judged(events):
    _, held = held_out(events, makers(events)["one each"], Pairing(held_out=0.5, judged=7), seed=0)
    assert len(held) == 7


def test_too_little_is_told(events):
    with pytest.raises(DataError, match=r"0 examples .* give more events"):
        held_out(events, one_each(events, np.array([], int), np.array([])), Pairing(), seed=0)
    with pytest.raises(ConfigError, match="held_out=1 is not between"):
        Pairing(held_out=1)
