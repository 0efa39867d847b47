"""Hidden ratings are predicted from the rest; means are the floor."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.errors import DataError
from warmstart.evaluate.ratings import evaluate_ratings, hold_out_ratings


@pytest.fixture
def rated(make_planted):
    data = make_planted()
    x = data.interactions
    noise = np.random.default_rng(0).normal(0, 0.1, len(x))
    rating = 3 + (x.item % 3 - 1) + 0.5 * (x.user % 2) + noise
    return data.with_interactions(replace(x, rating=rating.astype(np.float32)))


class Oracle:
    def __init__(self, data, width=0.5, drop=0):
        x = data.interactions
        names = zip(data.users.names(x.user.tolist()), data.catalog.items.names(x.item.tolist()), strict=True)
        self.known, self.width, self.drop = dict(zip(names, x.rating.tolist(), strict=True)), width, drop

    def predict_rating(self, users, items):
        r = [self.known[pair] for pair in zip(users, items, strict=True)][self.drop :]
        return pl.DataFrame({"rating": r, "low": np.array(r) - self.width, "high": np.array(r) + self.width})


def test_hidden_ratings_leave_training(rated):
    split = hold_out_ratings(rated, share=0.3, seed=1)
    assert len(split.asked) + len(split.train.interactions) == len(rated.interactions)
    assert len(split.asked) == round(0.3 * len(rated.interactions))


def test_an_oracle_makes_no_error_and_means_little(rated):
    found = evaluate_ratings(Oracle(rated), hold_out_ratings(rated))
    assert found["engine"] == pytest.approx({"rmse": 0, "mae": 0, "predicted": 1, "inside": 1})
    assert 0.05 < found["means"]["rmse"] < 0.5 < float(rated.interactions.rating.std())


def test_one_row_a_pair_is_needed(rated):
    with pytest.raises(DataError, match="one a pair"):
        evaluate_ratings(Oracle(rated, drop=1), hold_out_ratings(rated))


def test_without_ratings_there_is_nothing_to_hide(make_planted):
    with pytest.raises(DataError, match="0 events"):
        hold_out_ratings(make_planted())
