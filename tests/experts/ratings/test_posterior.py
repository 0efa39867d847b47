"""What ratings say of a person: closed forms against dense solves, sums by hand and numerical integration."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr
from scipy.stats import norm

from warmstart.experts.ratings import posterior
from warmstart.experts.ratings.posterior import Asked, Belief, Ladder, believed, expected, pulled

some = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
DRAWS, SIZE = 3, 4


def problem(seed, n=5):
    """Items of a person, the prior, the noise, and ratings."""
    rng = np.random.default_rng(seed)
    asked = Asked(rng.normal(size=(DRAWS, n)), rng.normal(size=(DRAWS, n, SIZE)))
    mean, precision = rng.normal(size=(DRAWS, SIZE)), rng.uniform(0.3, 3.0, (DRAWS, SIZE))
    return asked, rng.normal(size=n), mean, precision, rng.uniform(0.5, 4.0, DRAWS)


def a_ladder(seed, n_levels=4):
    cuts = np.sort(np.random.default_rng(seed).normal(size=(DRAWS, n_levels - 1)), axis=1)
    return Ladder(cuts, np.arange(1.0, n_levels + 1))


@some
@given(seed=seeds, n=st.integers(1, 8))
def test_the_belief_is_the_gaussian_conditioned_on_the_ratings(seed, n):
    """By the joint distribution of ratings and factors: another formula than that of the code."""
    asked, values, mean, precision, noise = problem(seed, n)
    belief = believed(asked, values, mean, precision, noise, None)
    for s in range(DRAWS):
        prior, rows = np.diag(1 / precision[s]), asked.rows[s]
        gain = prior @ rows.T @ np.linalg.inv(rows @ prior @ rows.T + np.eye(n) / noise[s])
        at = mean[s] + gain @ (values - asked.base[s] - rows @ mean[s])
        np.testing.assert_allclose(belief.mean[s], at, atol=1e-9)
        np.testing.assert_allclose(belief.covariance[s], prior - gain @ rows @ prior, atol=1e-9)


@some
@given(seed=seeds, first=st.integers(0, 7))
def test_ratings_one_part_after_another_say_what_all_say_together(seed, first):
    """The first belief is the prior of the second, turned so that its covariance is diagonal."""
    asked, values, mean, precision, noise = problem(seed, 8)
    whole = believed(asked, values, mean, precision, noise, None)
    head, tail = (Asked(asked.base[:, part], asked.rows[:, part]) for part in (slice(first), slice(first, None)))
    half = believed(head, values[:first], mean, precision, noise, None)
    spread, axes = np.linalg.eigh(half.covariance)
    turned = Asked(tail.base, tail.rows @ axes)
    at = np.einsum("sde,sd->se", axes, half.mean)
    last = believed(turned, values[first:], at, 1 / spread, noise, None)
    np.testing.assert_allclose(np.einsum("sde,se->sd", axes, last.mean), whole.mean, atol=1e-8)
    np.testing.assert_allclose(axes @ last.covariance @ axes.transpose(0, 2, 1), whole.covariance, atol=1e-8)


@pytest.mark.parametrize("steps", [False, True])
def test_without_ratings_the_belief_is_the_prior(steps):
    asked, values, mean, precision, noise = problem(1, 0)
    belief = believed(asked, values, mean, precision, noise, a_ladder(1) if steps else None)
    np.testing.assert_allclose(belief.mean, mean)
    np.testing.assert_allclose(belief.covariance, [np.diag(1 / p) for p in precision])


@some
@given(low=st.floats(-6, 6), width=st.floats(0.05, 5))
def test_the_pull_is_the_mean_between_the_bounds(low, width):
    high = low + width
    mass = quad(norm.pdf, low, high)[0]
    exact = quad(lambda y: y * norm.pdf(y), low, high)[0] / mass
    assert pulled(np.array([low]), np.array([high]))[0] == pytest.approx(exact, abs=1e-6)


def test_the_pull_of_open_ends_is_the_inverse_mills_ratio():
    low = np.linspace(-30, 30, 400)
    exact = np.exp(norm.logpdf(low) - log_ndtr(-low))
    np.testing.assert_allclose(pulled(low, np.full(400, np.inf)), exact, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(pulled(np.full(400, -np.inf), -low), -exact, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("width", [1e-12, 1e-6, 0.3, 2.0, np.inf])
def test_the_pull_grows_with_its_bounds_and_lies_between_them(width):
    low = np.linspace(-60, 60, 4001)
    found = pulled(low, low + width)
    assert np.isfinite(found).all()
    assert (found >= low).all()
    assert (found <= low + width).all()
    assert (np.diff(found) >= -1e-9).all()


def test_the_pull_is_finite_however_far_the_bounds():
    low = np.array([-np.inf, -np.inf, 50.0, 1e6, -1e6])
    high = np.array([-50.0, -1e6, np.inf, 1e6 + 1, np.inf])
    np.testing.assert_allclose(pulled(low, high), [-50, -1e6, 50, 1e6, 0], rtol=1e-3)


def test_bounds_are_the_cuts_on_both_sides_of_a_value():
    ladder = Ladder(np.array([[-1.0, 0.5], [0.0, 2.0]]), np.array([1.0, 2.0, 4.0]))
    low, high = ladder.bounds(np.array([4.0, 1.0, 2.0, 3.9, 0.0]))
    inf = np.inf
    assert low.tolist() == [[0.5, -inf, -1.0, 0.5, -inf], [2.0, -inf, 0.0, 2.0, -inf]]
    assert high.tolist() == [[inf, -1.0, 0.5, inf, -1.0], [inf, 0.0, 2.0, inf, 0.0]]


@some
@given(seed=seeds, n_levels=st.integers(2, 7))
def test_moments_are_sums_over_the_levels(seed, n_levels):
    rng, ladder = np.random.default_rng(seed), a_ladder(seed, n_levels)
    levels = np.sort(rng.normal(size=n_levels))
    f, variance = rng.normal(size=(DRAWS, 5)), rng.uniform(0, 3, (DRAWS, 5))
    mean, spread = Ladder(ladder.cuts, levels).moments(f, variance)
    for s, q in np.ndindex(f.shape):
        ends = [-np.inf, *ladder.cuts[s], np.inf]
        scale = np.sqrt(1 + variance[s, q])
        share = [norm.cdf(b, f[s, q], scale) - norm.cdf(a, f[s, q], scale) for a, b in pairwise(ends)]
        by_hand = sum(p * v for p, v in zip(share, levels, strict=True))
        assert mean[s, q] == pytest.approx(by_hand)
        assert spread[s, q] == pytest.approx(sum(p * (v - by_hand) ** 2 for p, v in zip(share, levels, strict=True)))


def log_posterior(t, asked, values, mean, precision, ladder, s):
    low, high = (end[s] for end in ladder.bounds(values))
    f = asked.base[s] + asked.rows[s] @ t
    return np.log(ndtr(high - f) - ndtr(low - f)).sum() - 0.5 * (precision[s] * (t - mean[s]) ** 2).sum()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=seeds, n_levels=st.integers(2, 5))
def test_on_a_ladder_the_rounds_lead_to_the_top_of_the_posterior(seed, n_levels):
    asked, _, mean, precision, _ = problem(seed, 6)
    ladder, noise = a_ladder(seed, n_levels), np.ones(DRAWS)
    values = np.random.default_rng(seed).choice(ladder.levels, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "ROUNDS", 3000)
        top = believed(asked, values, mean, precision, noise, ladder).mean
    for s in range(DRAWS):
        sides = [
            [log_posterior(top[s] + h * e, asked, values, mean, precision, ladder, s) for h in (-1e-5, 1e-5)]
            for e in np.eye(SIZE)
        ]
        np.testing.assert_allclose(np.diff(sides, axis=1) / 2e-5, 0, atol=1e-4)


def test_the_usual_rounds_come_close_to_the_top(monkeypatch):
    for seed in range(20):
        asked, _, mean, precision, _ = problem(seed, 6)
        ladder, noise = a_ladder(seed, 5), np.ones(DRAWS)
        values = np.random.default_rng(seed).choice(ladder.levels, 6)
        found = believed(asked, values, mean, precision, noise, ladder).mean
        with monkeypatch.context() as patch:
            patch.setattr(posterior, "ROUNDS", 3000)
            top = believed(asked, values, mean, precision, noise, ladder).mean
        assert np.linalg.norm(found - top) < 0.2 * np.linalg.norm(mean - top)


def test_expected_ratings_are_those_of_a_gaussian():
    """Mean and variance of ``base + rows t + e`` against 200 000 draws."""
    asked, _, mean, _, noise = problem(3, 3)
    rng = np.random.default_rng(0)
    root = rng.normal(size=(DRAWS, SIZE, SIZE)) / 2
    belief = Belief(mean, root @ root.transpose(0, 2, 1))
    found, variance = expected(asked, belief, noise, None)
    for s in range(DRAWS):
        t = mean[s] + rng.normal(size=(200_000, SIZE)) @ root[s].T
        y = asked.base[s] + t @ asked.rows[s].T + rng.normal(size=(200_000, 3)) / np.sqrt(noise[s])
        np.testing.assert_allclose(found[s], y.mean(0), atol=0.05)
        np.testing.assert_allclose(variance[s], y.var(0), rtol=0.03)


def test_expected_steps_are_those_of_heights_that_are_drawn():
    asked, _, mean, _, noise = problem(4, 3)
    rng, ladder = np.random.default_rng(0), a_ladder(4)
    root = rng.normal(size=(DRAWS, SIZE, SIZE)) / 3
    found, variance = expected(asked, Belief(mean, root @ root.transpose(0, 2, 1)), noise, ladder)
    for s in range(DRAWS):
        t = mean[s] + rng.normal(size=(200_000, SIZE)) @ root[s].T
        heights = asked.base[s] + t @ asked.rows[s].T + rng.normal(size=(200_000, 3))
        value = ladder.levels[np.searchsorted(ladder.cuts[s], heights)]
        np.testing.assert_allclose(found[s], value.mean(0), atol=0.02)
        np.testing.assert_allclose(variance[s], value.var(0), atol=0.03)


@some
@given(seed=seeds)
def test_more_ratings_leave_less_doubt(seed):
    asked, values, mean, precision, noise = problem(seed, 8)
    fewer = Asked(asked.base[:, :4], asked.rows[:, :4])
    before = expected(asked, believed(fewer, values[:4], mean, precision, noise, None), noise, None)[1]
    after = expected(asked, believed(asked, values, mean, precision, noise, None), noise, None)[1]
    assert (after <= before + 1e-9).all()
