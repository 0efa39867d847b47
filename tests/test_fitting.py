"""What a fit gives, and what it refuses before it begins."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.errors import DataError, MissingExtra
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.model import RatingModel
from warmstart.fitting import learned
from warmstart.recipe import Recipe

SMALL = {
    "encoder": "tfidf",
    "fusion": {"queries": 40, "heads": {"ranker": False}},
    "experts": {"popularity": {"class": "Popularity"}},
}


@pytest.fixture(scope="module")
def data():
    """Everybody rates even items 5 and odd ones 2."""
    toy, rng = clusters(40, 20, 2, seed=2), np.random.default_rng(0)
    user, item = np.nonzero(rng.random((40, 20)) < 0.5)
    return toy.with_interactions(Interactions.of(user, item, 40, 20, rating=np.where(item % 2, 2.0, 5.0)))


def rated(data, rating):
    return data.with_interactions(
        replace(data.interactions, rating=np.full(len(data.interactions), rating, np.float32))
    )


def test_ratings_are_learned_where_they_are_asked_for(data):
    model = RatingModel(FactorisationMachine((Chain(),), rank=2, steps=12, dropped=4, kept=2))
    encoders, fitted = learned(replace(Recipe.of(SMALL), ratings=model), data)
    assert fitted.ratings is not None
    assert encoders.encoder is not None
    assert learned(Recipe.of(SMALL), rated(data, np.nan))[1].ratings is None


@pytest.mark.parametrize(("rating", "said"), [(np.nan, "this is implicit data"), (4.0, "every rating is 4")])
@pytest.mark.parametrize("table", [{"objective": "rating"}, {"objective": "both"}, {"ratings": {"rehearsal": 0.0}}])
def test_data_without_ratings_are_refused_before_anything_is_learned(data, rating, said, table):
    stages = []
    with pytest.raises(DataError, match=rf"{said}.*; give .* leave out the objective and \[ratings\]"):
        learned(Recipe.of(SMALL | table), rated(data, rating), lambda stage, *_: stages.append(stage))
    assert stages == []


def test_a_head_without_its_extra_is_refused_before_anything_is_learned(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    stages = []
    with pytest.raises(MissingExtra, match=r"warmstart\[lm\]"):
        learned(Recipe.of(SMALL | {"ratings": {"head": True}}), data, lambda stage, *_: stages.append(stage))
    assert stages == []


def test_data_without_events_are_refused(data):
    with pytest.raises(DataError, match="no events"):
        learned(Recipe.of(SMALL), data.with_interactions(data.interactions.select(np.zeros(0, int))))
