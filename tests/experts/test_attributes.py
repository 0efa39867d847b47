"""User attributes: nulls, unknown levels, zip codes; the ridge; the themes of the toy."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts.attributes import AttributeEncoder, UserAttributes

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
    kinds = dict(zip(encoder.columns, zip(encoder.levels, encoder.edges, encoder.short, strict=True), strict=True))
    assert list(kinds) == ["sex", "age", "zip", "member"]
    assert kinds["sex"] == (("f", "m"), (), False)
    assert kinds["member"] == (("false", "true"), (), False)
    assert kinds["zip"] == (tuple("012345678"), (), True)
    assert len(kinds["age"][1]) == 5


def test_each_column_is_one_hot(encoder):
    hot = encoder.encode(PEOPLE)
    assert hot.dtype == np.float32
    assert hot.shape == (120, 1 + 2 + 6 + 9 + 2)
    assert (hot.sum(1) == 1 + 4).all()
    np.testing.assert_array_equal(hot[:, 3:9].sum(0), [20] * 6)


def test_a_row_means_the_same_alone_and_in_company(encoder):
    whole = encoder.encode(PEOPLE)
    alone = np.vstack([encoder.encode(PEOPLE[i]) for i in range(PEOPLE.height)])
    np.testing.assert_array_equal(alone, whole)


def test_nulls_unknown_values_and_missing_columns_are_zero(encoder):
    nulls = PEOPLE[:2].with_columns(pl.lit(None).alias(c) for c in PEOPLE.columns)
    strange = pl.DataFrame({"sex": ["x", "?"], "zip": ["X1", ""], "member": [None, None], "age": [None, None]})
    for table in (nulls, strange, pl.DataFrame({"shoe_size": [1, 2]})):
        np.testing.assert_array_equal(encoder.encode(table), np.eye(20, dtype=np.float32)[[0, 0]])


def test_numbers_outside_what_was_met_fall_into_the_outer_bins(encoder):
    hot = encoder.encode(pl.DataFrame({"age": [-5.0, 500.0, float("nan")]}))[:, 3:9]
    np.testing.assert_array_equal(hot, np.eye(6)[[0, 5, 0]] * [[1], [1], [0]])


def test_numbers_with_gaps_are_cut_by_the_known_ones():
    age = [float(a) for a in range(40)]
    holes = pl.DataFrame({"age": [*age, None, float("nan"), float("inf")]})
    assert AttributeEncoder.fit(holes).edges == AttributeEncoder.fit(pl.DataFrame({"age": age})).edges


def test_at_most_64_levels_and_ties_are_settled_by_name():
    values = [f"v{i:02d}" for i in range(90) for _ in range(5)]
    one = AttributeEncoder.fit(pl.DataFrame({"c": values}))
    other = AttributeEncoder.fit(pl.DataFrame({"c": values[::-1]}))
    assert one == other
    assert one.levels[0] == tuple(f"v{i:02d}" for i in range(64))


def test_ridge_by_hand(make_data):
    table = pl.DataFrame({"side": ["l"] * 5 + ["r"] * 5})
    x = np.array([[1, 0, 0]] * 5 + [[0, 1, 0]] * 4 + [[0, 0, 0]])
    fitted = UserAttributes(ridge=2.0).fit(make_data(x, table=table))
    a = np.eye(2)[[0] * 5 + [1] * 4]
    centred, share = a - a.mean(0), x[:9].astype(float)
    w = np.linalg.solve(centred.T @ centred + 2.0 * np.eye(2), centred.T @ (share - share.mean(0)))
    np.testing.assert_allclose(fitted.w, w, atol=1e-6)
    mean = share.mean(0) + 1e-6
    expected = np.log(np.maximum(mean + (np.eye(2) - a.mean(0)) @ w, 0.1 * mean))
    scores = fitted.score(asked(pl.DataFrame({"side": ["l", "r", None]}), 3))
    np.testing.assert_allclose(scores[:2], expected, atol=1e-5)
    assert np.isnan(scores[2]).all()


def test_a_stronger_ridge_is_nearer_to_the_mean():
    data = clusters(seed=0)
    spread = [
        UserAttributes(ridge=r).fit(data).score(data.histories(np.arange(40))).std(0).mean() for r in (1, 30, 1000)
    ]
    assert spread[0] > spread[1] > spread[2]


def test_people_of_an_age_share_a_theme():
    data = clusters(seed=0)
    people = pl.DataFrame({"age": [12, 60, 30, 45]})  # the ages of the four themes
    top = np.argsort(-UserAttributes().fit(data).score(asked(people, data.n_items)), axis=1)[:, :10]
    assert (top % 4 == np.arange(4)[:, None]).mean() > 0.9


def test_nothing_to_learn_from_gives_no_expert(make_data):
    x = np.ones((3, 2), int)
    assert UserAttributes().fit(make_data(x)) is None
    assert UserAttributes().fit(make_data(0 * x, table=pl.DataFrame({"a": [1, 2, 3]}))) is None


def test_a_table_without_a_usable_column_says_nothing(make_data):
    table = pl.DataFrame({"name": ["ann", "bob", "cid"]})
    fitted = UserAttributes().fit(make_data(np.ones((3, 2), int), table=table))
    assert np.isnan(fitted.score(asked(table, 2))).all()
    assert np.isnan(fitted.score(Histories.of([[0]], 2))).all()
