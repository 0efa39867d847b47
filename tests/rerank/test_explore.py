"""New items are tried as often as the budget says, and with the chance that is logged."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ConfigError
from warmstart.rerank.explore import Budget, Worlds, explore


def many(times, budget, events, expected, k=5, seed=0):
    """Explorations of many answers; shares of (place, candidate) as seen, and the mean of what was logged for each."""
    rng = np.random.default_rng(seed)
    worlds = Worlds.draw(events, 2.0, rng, worlds=32)
    m = len(events)
    seen, told = np.zeros((k, m + 1)), np.zeros((k, m + 1))
    for _ in range(times):
        tried = explore(k, np.arange(m), expected, worlds, budget, rng)
        holds = np.full(k, m)
        holds[tried.places] = tried.candidates
        seen[np.arange(k), holds] += 1
        told[np.arange(k), holds] = tried.propensity
    return seen / times, told


@pytest.mark.parametrize("share", [0.2, 0.3, 0.5])
def test_the_logged_chance_is_the_true_one(share):
    seen, told = many(12_000, Budget(share, keep=1), np.zeros(4), np.array([0.0, 0.3, -0.3, 0.5]))
    error = np.sqrt(told * (1 - told) / 12_000)
    assert (np.abs(seen - told)[seen > 0] <= 4.5 * error[seen > 0] + 1e-12).all()


def test_chances_of_a_place_sum_to_one():
    _, told = many(12_000, Budget(0.5, keep=0), np.array([0.0, 0.0, 5.0]), np.array([0.0, 0.1, 0.2]))
    assert told.sum(axis=1) == pytest.approx(np.ones(5))


def test_the_budget_is_kept_on_average_and_the_top_is_left_alone():
    seen, _ = many(4000, Budget(0.15, keep=2), np.zeros(6), np.zeros(6), k=10)
    assert seen[:, :-1].sum() / 10 == pytest.approx(0.15, abs=0.01)
    assert seen[:2, -1].tolist() == [1, 1]


def test_what_is_unsure_is_tried_more_and_what_is_poor_hardly():
    seen, _ = many(4000, Budget(0.2, keep=0), np.array([0.0, 200.0, 200.0]), np.array([0.0, 0.3, -1.5]))
    unsure, known, poor = seen[:, :-1].sum(axis=0)
    assert poor == 0
    assert unsure > 0.25  # it is expected to be worse than the second, and tried all the same
    assert known > unsure


def test_estimates_from_the_logged_chance_are_right():
    """What all places would earn if the unsure item stood there: from exploration alone."""
    from warmstart.evaluate.counterfactual import Logged, ips

    rng = np.random.default_rng(1)
    worlds = Worlds.draw(np.zeros(3), 2.0, rng)
    rows = list[tuple[float, float, float]]()
    for _ in range(4000):
        tried = explore(4, np.arange(3), np.zeros(3), worlds, Budget(0.5, keep=0), rng)
        for place, candidate in zip(tried.places, tried.candidates, strict=True):
            wanted = candidate == 1
            rows.append((float(rng.random() < (0.4 if wanted else 0.1)), tried.propensity[place], float(wanted)))
    reward, propensity, target = np.array(rows).T
    total = ips(Logged(reward, propensity, target)).value.mean * len(rows) / (4000 * 4)  # a mean over all places
    assert total == pytest.approx(0.4, abs=0.05)


def test_the_same_generator_gives_the_same_answer():
    worlds = Worlds.draw(np.zeros(9), 1.0, np.random.default_rng(2))
    one, two = (explore(10, np.arange(9), np.zeros(9), worlds, Budget(0.4), np.random.default_rng(3)) for _ in "ab")
    assert one.places.tolist() == two.places.tolist()
    assert one.propensity.tolist() == two.propensity.tolist()


@given(st.integers(0, 12), st.integers(0, 8), st.floats(0, 1), st.integers(0, 4), st.integers(0, 99))
def test_explorations_are_well_formed(k, m, share, keep, seed):
    rng = np.random.default_rng(seed)
    worlds = Worlds.draw(np.zeros(10), 2.0, rng, worlds=16)
    tried = explore(k, rng.choice(10, m, replace=False), rng.random(m), worlds, Budget(share, keep), rng)
    assert len(tried.places) == len(tried.candidates) == len(set(tried.candidates.tolist())) <= m
    assert sorted(set(tried.places.tolist())) == tried.places.tolist()
    assert all(keep <= place < k for place in tried.places)
    assert len(tried.propensity) == k
    assert ((tried.propensity > 0) & (tried.propensity <= 1)).all()


def test_no_budget_leaves_all_alone():
    worlds = Worlds.draw(np.zeros(2), 2.0, np.random.default_rng(4))
    tried = explore(3, np.arange(2), np.zeros(2), worlds, Budget(0.0), np.random.default_rng(5))
    assert (tried.places.tolist(), tried.propensity.tolist()) == ([], [1, 1, 1])


def test_two_hundred_candidates_take_no_time():
    rng = np.random.default_rng(6)
    worlds, columns, expected = (
        Worlds.draw(np.zeros(2000), 2.0, rng),
        rng.choice(2000, 200, replace=False),
        rng.random(200),
    )
    taken = list[float]()
    for _ in range(200):
        start = time.perf_counter()
        explore(10, columns, expected, worlds, Budget(0.1), rng)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.3e-3


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Budget(share=1.5), "share=1.5 is not between"),
        (lambda: Budget(share=float("nan")), "share=nan is not between"),
        (lambda: Budget(keep=-1), "keep=-1 is below 0"),
        (lambda: Worlds.draw(np.zeros(1), 0.0, np.random.default_rng(0)), "tau=0 is not above 0"),
    ],
)
def test_mistakes_are_told(make, told):
    with pytest.raises(ConfigError, match=told):
        make()
