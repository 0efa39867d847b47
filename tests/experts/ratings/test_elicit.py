"""What to ask: the item that makes the others surest, checked against asking it."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.toy import clusters
from warmstart.experts.ratings import elicit
from warmstart.experts.ratings.elicit import worth_asking
from warmstart.experts.ratings.machine import Chain, FactorisationMachine
from warmstart.experts.ratings.model import RatingModel


@pytest.fixture(scope="module")
def ratings():
    """People like even or odd items; item 0 and 1 tell, the last two are rated by nobody."""
    rng = np.random.default_rng(0)
    people, items = 80, 14
    user, item = np.nonzero(rng.random((people, items - 2)) < 0.8)
    value = 3.0 + 1.5 * np.where((user % 2) == (item % 2), 1, -1) + 0.4 * rng.normal(size=len(user))
    data = replace(clusters(people, items, 2), graph=None, user_table=None)
    x = Interactions.of(user, item, people, items, rating=value)
    machine = FactorisationMachine(
        (Chain(ordered=False, facts=False, heard=False),), rank=2, steps=60, dropped=20, kept=8
    )
    return RatingModel(machine=machine, rehearsal=0.0).fit(data.with_interactions(x))


def given(items, values=None):
    h = Histories.of([items], 14)
    return replace(h, rating=np.array([3.0] * len(items) if values is None else values, np.float32))


def test_questions_are_known_items_that_were_not_answered(ratings):
    item, gain = worth_asking(ratings, given([0, 1]), 20)
    assert sorted(item.tolist()) == list(range(2, 12))
    assert (gain > 0).all()


def test_who_rated_all_that_is_known_best_is_asked_about_the_rest(ratings, monkeypatch):
    monkeypatch.setattr(elicit, "POOL", 3)
    often = np.argsort(-ratings.counts, kind="stable")[:4]
    item, _ = worth_asking(ratings, given(often.tolist()), 20)
    assert len(item) == 3
    assert not set(often.tolist()) & set(item.tolist())


def test_a_question_of_worth_leaves_less_doubt_than_one_of_none(ratings):
    def doubt(history):
        pairs = np.zeros(12, int), np.arange(12)
        return ratings.machine.distribution(history, *pairs)[1].mean()

    item, _ = worth_asking(ratings, given([]), 12)
    assert len(item) == 12
    best, least = doubt(given([int(item[0])], [4.0])), doubt(given([13], [3.0]))
    assert best < least


def test_the_more_is_known_the_less_a_question_brings(ratings):
    first = worth_asking(ratings, given([]), 1)[1][0]
    later = worth_asking(ratings, given([0, 1, 2, 3, 4, 5], [4.5, 1.5, 4.5, 1.5, 4.5, 1.5]), 1)[1][0]
    assert later < first
    assert (np.diff(worth_asking(ratings, given([]), 6)[1]) <= 1e-12).all()


def test_nothing_is_asked_about_what_is_not_allowed(ratings):
    allowed = np.arange(14) % 2 == 0
    item, _ = worth_asking(ratings, given([0]), 20, allowed)
    assert sorted(item.tolist()) == [2, 4, 6, 8, 10]  # 12 is rated by nobody
