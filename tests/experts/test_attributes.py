"""User attributes: nulls, unknown levels, zip codes; profiles by hand; the themes of the toy."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts.attributes import UserAttributes
from warmstart.experts.people_table import AttributeEncoder, likeness

PEOPLE = pl.DataFrame(
    {
        "sex": ["f", "m"] * 60,
        "age": list(range(120)),
        "zip": [f"{i % 9}{i:04d}" for i in range(120)],
        "member": [i % 3 == 0 for i in range(120)],
        "nothing": [None] * 120,
        "rare": [f"r{i % 100}" for i in range(120)],
    }
)


def asked(table, n_items):
    """Queries without history, of people described by the rows."""
    h = Histories.of([[]] * table.height, n_items)
    return Histories(h.indptr, h.item, h.weight, n_items, attributes=table)


@pytest.fixture(scope="module")
def encoder():
    return AttributeEncoder.fit(PEOPLE)


def test_columns_and_their_kinds(encoder):
    assert encoder.numbers == ("age",)
    kinds = dict(zip(encoder.kinds, zip(encoder.levels, encoder.short, strict=True), strict=True))
    assert list(kinds) == ["sex", "zip", "member"]
    assert kinds["sex"] == (("f", "m"), False)
    assert kinds["member"] == (("false", "true"), False)
    assert kinds["zip"] == (tuple("012345678"), True)


def test_numbers_are_in_units_of_their_spread(encoder):
    numbers, codes = encoder.encode(PEOPLE)
    assert (numbers.dtype, codes.dtype) == (np.float32, np.int16)
    assert (numbers.shape, codes.shape) == ((120, 1), (120, 3))
    np.testing.assert_allclose([numbers.mean(), numbers.std()], [0, 1], atol=1e-6)
    np.testing.assert_array_equal(np.bincount(codes[:, 0]), [60, 60])


def test_a_row_means_the_same_alone_and_in_company(encoder):
    whole = encoder.encode(PEOPLE)
    alone = [encoder.encode(PEOPLE[i]) for i in range(PEOPLE.height)]
    for part in (0, 1):
        np.testing.assert_array_equal(np.vstack([a[part] for a in alone]), whole[part])


def test_nulls_unknown_values_and_missing_columns_are_unknown(encoder):
    nulls = PEOPLE[:2].with_columns(pl.lit(None).alias(c) for c in PEOPLE.columns)
    strange = pl.DataFrame({"sex": ["x", "?"], "zip": ["X1", ""], "member": [None, None], "age": [float("inf"), None]})
    for table in (nulls, strange, pl.DataFrame({"shoe_size": [1, 2]})):
        numbers, codes = encoder.encode(table)
        assert np.isnan(numbers).all()
        assert (codes == -1).all()


def test_numbers_with_gaps_are_measured_by_the_known_ones():
    age = [float(a) for a in range(40)]
    holes = pl.DataFrame({"age": [*age, None, float("nan"), float("inf")]})
    assert AttributeEncoder.fit(holes) == AttributeEncoder.fit(pl.DataFrame({"age": age}))


def test_at_most_64_levels_and_ties_are_settled_by_name():
    values = [f"v{i:02d}" for i in range(90) for _ in range(5)]
    one = AttributeEncoder.fit(pl.DataFrame({"c": values}))
    other = AttributeEncoder.fit(pl.DataFrame({"c": values[::-1]}))
    assert one == other
    assert one.levels[0] == tuple(f"v{i:02d}" for i in range(64))


def test_likeness_by_hand():
    a = np.array([[0.0], [np.nan]]), np.array([[0, 1], [0, -1]])
    b = np.array([[0.7], [2.0]]), np.array([[0, 1], [3, 1]])
    expected = [[np.exp(-0.5), np.exp(-0.5 * (2 / 0.7) ** 2) * 0.3], [1.0, 0.3]]
    np.testing.assert_allclose(likeness(a, b, 0.7, 0.3), expected, rtol=1e-6)


def test_profiles_by_hand(make_data):
    """Two kinds of people: each profile is the posterior mean of what its kind takes."""
    table = pl.DataFrame({"side": ["l"] * 5 + ["r"] * 5})
    x = np.array([[1, 0, 0]] * 5 + [[0, 1, 0]] * 5)
    model = UserAttributes(shape=2.0, power=1.0, prototypes=40)
    data = make_data(x, table=table)
    fitted = model.fit(data)
    expected = np.exp(model.popularity.fit(data).scores.astype(float)) / 10
    k = np.array([[1.0, 0.3], [0.3, 1.0]])  # likeness of the kinds
    taken, weight = k @ [[5, 0, 0], [0, 5, 0]], 5 * k.sum(1, keepdims=True)
    by_kind = (taken + 2.0) / (weight + 2.0 / expected)
    np.testing.assert_allclose(fitted.profile, by_kind[fitted.kinds[:, 0]], rtol=1e-4)
    share = np.bincount(fitted.kinds[:, 0], minlength=2)
    look = k * share
    scores = fitted.score(asked(pl.DataFrame({"side": ["l", "r", None]}), 3))
    np.testing.assert_allclose(scores[:2], np.log(look / look.sum(1, keepdims=True) @ by_kind), atol=1e-4)
    np.testing.assert_allclose(scores[2], np.log(expected), atol=1e-5)  # nobody knows this one: anybody


def test_a_larger_shape_is_nearer_to_popularity():
    data = clusters(seed=0)
    spread = [
        UserAttributes(shape=s).fit(data).score(data.histories(np.arange(40))).std(0).mean() for s in (0.1, 3, 1000)
    ]
    assert spread[0] > spread[1] > spread[2]


def test_no_row_of_the_table_is_kept():
    """Prototypes are made up column by column: with many columns none is a person of the table."""
    rng = np.random.default_rng(0)
    data = clusters(seed=0)
    table = pl.DataFrame({f"c{i}": rng.choice(list("abcdefgh"), data.n_users).tolist() for i in range(12)})
    fitted = UserAttributes(other=0.9).fit(replace(data, user_table=table))
    people = {tuple(row) for row in AttributeEncoder.fit(table).encode(table)[1].tolist()}
    assert len(fitted.kinds)
    assert not people & {tuple(row) for row in fitted.kinds.tolist()}
    assert not any(data.n_users in np.shape(v) for v in vars(fitted).values())


def test_a_person_like_nobody_else_leaves_no_trace(make_data):
    """One person of 95 among sixty of 20 to 40, with a taste of their own."""
    age = np.r_[np.linspace(20, 40, 60), 95.0]
    x = np.zeros((61, 8), int)
    x[:60, :4], x[60, 4:] = 1, 1
    fitted = UserAttributes().fit(make_data(x, table=pl.DataFrame({"age": age})))
    assert not np.isclose(fitted.numbers * fitted.encoder.spread[0] + fitted.encoder.centre[0], 95.0, atol=20).any()
    assert (fitted.weight >= 5).all()
    score = fitted.score(asked(pl.DataFrame({"age": [95.0]}), 8))[0]
    assert score[:4].min() > score[4:].max()


def test_fewer_than_five_people_give_no_expert(make_data):
    table = pl.DataFrame({"side": ["l"] * 4 + [None] * 6, "age": [float(a) for a in range(3)] + [None] * 7})
    assert UserAttributes().fit(make_data(np.ones((10, 3), int), table=table)) is None


@pytest.mark.parametrize("empty", ["rows", "cells"])
def test_people_without_attributes_do_not_blur_the_others(empty):
    data = clusters(seed=0)
    rng = np.random.default_rng(0)
    table = data.user_table.select("age", "city")
    half = pl.Series(rng.random(table.height) < 0.5)
    gone = ["age", "city"] if empty == "rows" else ["age"]
    table = table.with_columns(pl.when(half).then(None).otherwise(pl.col(c)).alias(c) for c in gone)
    people = pl.DataFrame({"age": [12, 60, 30, 45]})
    fitted = UserAttributes().fit(replace(data, user_table=table))
    top = np.argsort(-fitted.score(asked(people, data.n_items)), axis=1)[:, :10]
    assert (top % 4 == np.arange(4)[:, None]).mean() > 0.6


def test_new_items_are_expected_as_their_content_predicts(make_data):
    rng = np.random.default_rng(0)
    x, z = (rng.random((30, 6)) < 0.4).astype(int), rng.normal(size=(8, 3)).astype(np.float32)
    fitted = UserAttributes().fit(make_data(x, z[:6], table=pl.DataFrame({"side": ["l", "r"] * 15})))
    grown = fitted.grow(z[6:])
    expected = np.exp(fitted.expected.grow(z[6:]).scores[6:]) / np.count_nonzero(x.any(1))
    np.testing.assert_array_equal(grown.profile[:, :6], fitted.profile)
    np.testing.assert_allclose(grown.profile[:, 6:], np.tile(expected, (len(fitted.profile), 1)), rtol=1e-5)


def test_people_of_an_age_share_a_theme():
    data = clusters(seed=0)
    people = pl.DataFrame({"age": [12, 60, 30, 45]})  # the ages of the four themes
    top = np.argsort(-UserAttributes().fit(data).score(asked(people, data.n_items)), axis=1)[:, :10]
    assert (top % 4 == np.arange(4)[:, None]).mean() > 0.8


def test_nothing_to_learn_from_gives_no_expert(make_data):
    x = np.ones((3, 2), int)
    assert UserAttributes().fit(make_data(x)) is None
    assert UserAttributes().fit(make_data(0 * x, table=pl.DataFrame({"a": [1, 2, 3]}))) is None


def test_a_table_that_tells_nobody_apart_gives_no_expert(make_data):
    table = pl.DataFrame({"name": ["ann", "bob", "cid"]})
    assert UserAttributes().fit(make_data(np.ones((3, 2), int), table=table)) is None
    same = pl.DataFrame({"country": ["US"] * 20})
    assert UserAttributes().fit(make_data(np.ones((20, 2), int), table=same)) is None
