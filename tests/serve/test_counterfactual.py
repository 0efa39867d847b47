"""What a model would have earned, told from exploration, is what it earns."""

import numpy as np
import pytest

from warmstart.errors import DataError
from warmstart.evaluate.counterfactual import Logged
from warmstart.rerank.explore import Budget, Worlds, explore
from warmstart.serve.counterfactual import as_of, counterfactual, expected_rewards, without_exploration
from warmstart.serve.schemas import RecommendRequest
from warmstart.store.rows import Answer, Event, Shown
from warmstart.store.shown import Within

RATES = {"a": 0.3, "b": 0.2, "c": 0.1, "good": 0.5, "poor": 0.02}
NEW = ["good", "poor"]


@pytest.fixture
def explored(client):
    """2000 answers of a, b, c, a place of which tries a new item."""
    rng = np.random.default_rng(0)
    worlds, answers, clicks = Worlds.draw(np.zeros(2), 2.0, rng), [], []
    for i in range(2000):
        found = explore(3, np.arange(2), np.zeros(2), worlds, Budget(0.3, keep=0), rng)
        items, tried = ["a", "b", "c"], dict(zip(found.places.tolist(), found.candidates.tolist(), strict=True))
        shown = [
            Shown(NEW[tried[at]] if at in tried else item, 1.0, "x", found.propensity[at], at in tried)
            for at, item in enumerate(items)
        ]
        answers.append(Answer(f"r{i}", f"u{i}", 1_700_000_000 + i, "m", "", "cold", shown))
        for place in shown:
            if rng.random() < RATES[place.item_id]:
                clicks.append(Event(f"{i}{place.item_id}", f"u{i}", place.item_id, "click", 9, None, None, f"r{i}"))
    client.service.store.add_answers(answers)
    client.service.store.add_events(clicks)
    return client.service


@pytest.mark.parametrize("wanted", [["good", "b", "c"], ["a", "b", "good"], ["poor", "b", "c"]])
def test_a_model_that_shows_a_new_item(explored, wanted):
    found = counterfactual(explored, Within(), lambda answer: wanted, most=2000)
    truth = np.mean([RATES[item] for item in wanted])
    for estimate in (found.ips, found.snips, found.doubly_robust):
        assert estimate.value.low <= truth <= estimate.value.high
        assert estimate.value.mean == pytest.approx(truth, abs=0.06)
        assert estimate.mean_weight == pytest.approx(1, abs=0.15)
        assert not any("support" in warning for warning in estimate.warnings)


def test_what_exploration_cost(explored):
    found = counterfactual(explored, Within(), without_exploration, most=2000)
    assert found.doubly_robust.value.mean == pytest.approx(0.2, abs=0.02)
    assert (found.answers, found.left_out) == (2000, 0)


def test_what_never_had_a_chance_is_told(explored):
    found = counterfactual(explored, Within(), lambda answer: ["other", "b", "c"], most=2000)
    assert found.snips.mean_weight == pytest.approx(2 / 3, abs=0.05)
    assert "about 3" in found.snips.warnings[0]


def test_answers_that_cannot_be_asked_again_are_left_out(explored):
    found = counterfactual(
        explored, Within(), lambda answer: None if int(answer.recommendation_id[1:]) % 2 else ["a"], most=100
    )
    assert (found.answers, found.left_out) == (50, 50)
    with pytest.raises(DataError, match="no answer could be asked again"):
        counterfactual(explored, Within(), lambda answer: None)


def test_mixed_lists_are_left_out(client):
    client.service.store.add_answers([Answer("r", "u", 5, "m", "", "cold", [Shown("a", 1.0, "x", variant="v")])])
    with pytest.raises(DataError, match="no answer could be asked again"):
        counterfactual(client.service, Within(), without_exploration)


def test_somebody_is_known_as_they_were(client):
    events = [Event(f"e{t}", "ann", f"i{t}", "click", t) for t in range(1, 7)]
    client.service.store.add_events(events)
    asker = as_of(client.service, RecommendRequest(user_id="ann"), 4)
    assert [event.item_id for event in asker.taste] == ["i1", "i2", "i3"]
    assert asker.seen == {"i1", "i2", "i3"}
    assert as_of(client.service, RecommendRequest(text=" space "), 4).text == "space"


def test_rewards_are_expected_from_other_people():
    n = 4000
    rng = np.random.default_rng(1)
    position, item = rng.integers(0, 2, n), rng.integers(0, 3, n)
    truth = np.array([0.4, 0.2])[position] * np.array([1.5, 1.0, 0.5])[item]
    reward = (rng.random(n) < truth).astype(float)
    ones = np.ones(n)
    shown, wanted = expected_rewards(Logged(reward, ones, ones, np.arange(n)), position, item, np.full(n, 3))
    assert np.abs(shown - truth).max() < 0.08
    assert np.abs(wanted - np.array([0.4, 0.2])[position]).max() < 0.05  # of an item nobody saw: that of the position
    alone = expected_rewards(Logged(np.ones(1), ones[:1], ones[:1]), *np.zeros((3, 1), int))
    assert alone[0][0] == 0  # its own reward tells nothing of it
