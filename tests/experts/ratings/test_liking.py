"""How well liked items are: directions of features, counts, and how near 0 what is held."""

from types import SimpleNamespace

import numpy as np

from warmstart.experts.ratings.liking import Directions, Liking, regressors


def test_directions_are_centred_and_at_mean_square_one():
    z = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32) + 3
    one = Directions.fit(SimpleNamespace(features=z), 4, 2)
    rows = one.of(z, 50)
    assert rows.shape == (50, 4)
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose((rows[:, :2] ** 2).mean(), 1)
    assert Directions.fit(SimpleNamespace(features=None), 4, 2).of(z, 50).shape == (50, 0)


def test_features_that_are_all_the_same_say_nothing():
    z = np.ones((5, 3), np.float32)
    assert np.isfinite(Directions.fit(SimpleNamespace(features=z), 4, 2).of(z, 5)).all()


def test_an_item_without_ratings_is_the_usual_item_of_a_rating():
    found = regressors(np.array([0, 1, 50]), np.zeros((3, 0)))
    assert found[1, 1] < found[0, 1] == 0 < found[2, 1]


def test_items_are_drawn_to_what_they_are_and_held_by_their_ratings():
    """A feature tells the worth; item 0 differs from it, and shows so in many ratings."""
    rng = np.random.default_rng(0)
    w = np.column_stack([np.ones((40, 1)), np.zeros((40, 2)), rng.normal(size=40)])
    worth = w[:, 3] * 0.8
    worth[0] += 3
    item = np.concatenate([np.repeat(np.arange(1, 39), 4), np.zeros(200, int)])
    value = worth[item] + rng.normal(size=len(item)) * 0.3
    liking = Liking.start(w)
    for _ in range(20):
        liking = liking.next(w, item, value, 0.09)
    assert abs(liking.item[0] - worth[0]) < 0.1
    assert abs(liking.item[39] - worth[39]) < 0.3
    assert liking.variance[0] < liking.variance[1] < liking.variance[39]
