"""A language model's head among the voices of ratings."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.experts.ratings.bias import Bias
from warmstart.experts.ratings.head import TextHead
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.model import RatingModel
from warmstart.experts.ratings.rated import Rated
from warmstart.learn.settings import Training, Tuning
from warmstart.learn.worth import Worth

pytest.importorskip("torch")
SMALL = FactorisationMachine((Chain(), Chain(heard=False)), rank=2, steps=24, dropped=8, kept=4)


@pytest.fixture(scope="module")
def head(tiny, tmp_path_factory):
    training = Training(batch=16, learning_rate=3e-3, validate_every=0, checkpoint_every=0, precision="float32")
    folder = str(tiny.save_encoder(tmp_path_factory.mktemp("reader")))
    return TextHead(Worth(folder, epochs=6, tuning=Tuning("last", layers=1), training=training), template="{plot}")


@pytest.fixture(scope="module")
def world(rated_data):
    """60 people, 60 items that are liked or not by what their text says; the last ten have no ratings yet."""
    rng = np.random.default_rng(0)
    good = np.arange(60) % 2 == 0
    user, item = np.nonzero(rng.random((60, 60)) < 0.5)
    rating = np.clip(np.round(np.where(good[item], 4.2, 2.2) + rng.normal(size=len(user)) * 0.6), 1, 5)
    plot = [("a love comedy" if liked else "the war soldier") + " of the past" for liked in good]
    data = rated_data(user, item, rating, 60, 60, items={"plot": plot})
    x = data.interactions
    return data.with_interactions(x.select(x.item < 50)), x.select(x.item >= 50)


def rmse(off):
    return float(np.sqrt((off**2).mean()))


def test_items_that_nobody_rated_are_as_their_text_says(world, head):
    data, asked = world
    rated, people = Rated.of(data.interactions), data.histories(np.arange(60))
    fitted, plain = head.fit(data, rated), Bias().fit(rated)
    pairs = asked.user.astype(np.int64), asked.item.astype(np.int64)
    read, blind = (asked.rating - one.predict(people, *pairs) for one in (fitted, plain))
    assert rmse(read) < 0.75 * rmse(blind)
    known = rated.user.astype(np.int64), rated.item.astype(np.int64)
    mine, theirs = (rated.value - one.predict(people, *known) for one in (fitted, plain))
    assert rmse(mine) < 1.02 * rmse(theirs)  # items with ratings are still as these say


def test_the_head_is_one_more_voice_and_new_items_have_none_of_it(world, head):
    data, asked = world
    model = RatingModel(machine=SMALL, head=head)
    fitted = model.fit(data)
    people, pairs = data.histories(np.arange(60)), (asked.user.astype(np.int64), asked.item.astype(np.int64))
    assert fitted.trust.weights.shape == (15,)
    known = np.zeros(5, np.int64), np.arange(5)
    told = fitted.told(people, *known)[0]
    assert told.shape == (6, 5)
    np.testing.assert_array_equal(told[5], fitted.head.predict(people, *known))
    bare = replace(fitted, head=None).told(people, *pairs)[0]
    read = fitted.told(people, *pairs)[0]
    mixed = bare[0] + (fitted.head.predict(people, *pairs) - fitted.tastes.predict(people, *pairs)) / 4
    np.testing.assert_allclose(read[0], mixed)  # half the machine, a quarter tastes, a quarter the head
    assert rmse(asked.rating - read[0]) < rmse(asked.rating - bare[0])
    late = fitted.grow(np.zeros((1, 0)))
    at = np.zeros(1, np.int64), np.full(1, 60)
    new = replace(people, n_items=61)
    np.testing.assert_array_equal(late.told(new, *at)[0], np.full((6, 1), late.tastes.predict(new, *at)))


def test_somebody_new_is_answered_too(world, head):
    data, _ = world
    fitted = head.fit(data, Rated.of(data.interactions))
    found = fitted.predict(Histories.of([[]], 60), np.zeros(60, np.int64), np.arange(60))
    assert np.isfinite(found).all()
    assert found[50:60:2].mean() > found[51:60:2].mean() + 0.5
