"""Rates of clicks and of other outcomes, where one person brings many: their always-valid intervals and differences.

Places shown to one person are not independent of each other. So people are counted, not places: a rate is a ratio of
two sums over people, and its variance that of such a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.sequential import HORIZON, LEVEL, Sample, always_valid_p, confidence_sequence, difference

EVENTS = 20  # outcomes, and missing ones, below which the central limit theorem is not relied on


@dataclass(frozen=True)
class Tally:
    """Sums over people of their outcomes y and of what they were shown x: all that a rate and its interval need.

    Parameters
    ----------
    n
        People with x > 0.
    y, x
        Sums; each person has ``0 <= y <= x``.
    yy, xy, xx
        Sums of squares and products.
    """

    n: int
    y: float
    x: float
    yy: float
    xy: float
    xx: float

    @classmethod
    def of(cls, y: np.ndarray, x: np.ndarray) -> Tally:
        """The tally of some people: floats, shape (n,).

        Examples
        --------
        >>> Tally.of(np.array([1.0, 0.0]), np.array([2.0, 3.0]))
        Tally(n=2, y=1.0, x=5.0, yy=1.0, xy=2.0, xx=13.0)
        """
        return cls(len(y), float(y.sum()), float(x.sum()), float(y @ y), float(x @ y), float(x @ x))

    def __add__(self, other: Tally) -> Tally:
        """Of two groups that share no person."""
        return Tally(
            self.n + other.n,
            self.y + other.y,
            self.x + other.x,
            self.yy + other.yy,
            self.xy + other.xy,
            self.xx + other.xx,
        )

    @property
    def rate(self) -> float:
        """``y / x``; NaN where nothing was shown."""
        return self.y / self.x if self.x > 0 else float("nan")

    @property
    def sample(self) -> Sample:
        """The rate as a mean over people.

        Its variance is that of ``(y_u - R x_u) / mean(x)``, by the delta method (Deng et al., "Applying the delta
        method in metric analytics", arXiv 1803.06336, section 3).

        Examples
        --------
        >>> Tally.of(np.array([1.0, 3.0]), np.array([4.0, 4.0])).sample
        Sample(n=2, mean=0.5, variance=0.125)
        """
        if self.n < 2 or self.x <= 0:
            return Sample(self.n, self.rate, float("nan"))
        rate = self.rate
        squares = max(self.yy - 2 * rate * self.xy + rate**2 * self.xx, 0.0)
        return Sample(self.n, rate, squares / (self.n - 1) / (self.x / self.n) ** 2)

    @property
    def independent(self) -> float:
        """How many independent places these are worth at the least: ``x^2 / xx``, Kish's effective number.

        It is the number of people where all were shown as much.
        """
        return self.x**2 / self.xx if self.xx > 0 else 0.0

    @property
    def enough(self) -> bool:
        """Whether the central limit theorem can be relied on."""
        return min(self.y, self.x - self.y) >= EVENTS and self.sample.enough


def rate_interval(tally: Tally, level: float = LEVEL, horizon: int = HORIZON) -> Interval:
    """The always-valid interval of a rate, within [0, 1]; its ``n`` are people.

    Where there are few, it is ``exact_rate`` of as many trials as the places are worth at the least.

    Examples
    --------
    >>> print(rate_interval(Tally.of(np.zeros(3), np.ones(3))))
    0.0000 [0.0000, 0.7500]
    """
    if not tally.enough:
        few = exact_rate(tally.rate * tally.independent, tally.independent, level)
        return Interval(tally.rate, few.low, few.high, tally.n)
    asymptotic = confidence_sequence(tally.sample, level, horizon)
    return Interval(tally.rate, max(asymptotic.low, 0.0), min(asymptotic.high, 1.0), tally.n)


@dataclass(frozen=True)
class RateDifference:
    """Of two rates a - b: always-valid interval and p value, and how many people it rests on."""

    difference: float
    low: float
    high: float
    p: float
    n: int


def rate_difference(a: Tally, b: Tally, level: float = LEVEL, horizon: int = HORIZON) -> RateDifference:
    """Compare the rates of two groups of different people, at any look.

    Where either has few, the interval is that of two exact rates, each of level ``(1 + level) / 2``, and p is 1 unless
    it leaves 0 out; then p is ``1 - level``.

    Examples
    --------
    >>> person = np.arange(2000) % 10
    >>> a, b = (Tally.of((person < taken).astype(float), np.ones(2000)) for taken in (3, 2))
    >>> d = rate_difference(a, b)
    >>> round(d.difference, 2), round(d.low, 2), round(d.high, 2), d.p < 1e-6
    (0.1, 0.06, 0.14, True)
    """
    gap, n = a.rate - b.rate, a.n + b.n
    if not (a.enough and b.enough):
        one, two = (exact_rate(t.rate * t.independent, t.independent, (1 + level) / 2) for t in (a, b))
        low, high = one.low - two.high, one.high - two.low
        return RateDifference(gap, low, high, 1.0 if low <= 0 <= high else 1 - level, n)
    sample = difference(a.sample, b.sample)
    limits = confidence_sequence(sample, level, horizon)
    p = always_valid_p(sample, level=level, horizon=horizon)
    return RateDifference(gap, max(limits.low, -1.0), min(limits.high, 1.0), p, n)


def exact_rate(successes: float, trials: float, level: float = LEVEL) -> Interval:
    """A rate of outcomes between 0 and 1, exact from the first trial on: for few, where the others say nothing.

    All rates p with ``evidence(s, f, p) <= -log(1 - level)``.

    Parameters
    ----------
    successes
        s: the sum of the outcomes.
    trials
        s + f: how many outcomes.

    Examples
    --------
    >>> print(exact_rate(10, 100))
    0.1000 [0.0291, 0.2275]
    """
    if trials <= 0:
        return Interval(float("nan"), 0.0, 1.0, 0)
    s, least, bound = min(max(successes, 0.0), trials), 1e-12, -np.log(1 - level)
    mean, f = s / trials, trials - s

    def above(p: float) -> float:
        return float(evidence(s, f, p) - bound)

    low = brentq(above, least, mean) if mean > least and above(least) > 0 else 0.0
    high = brentq(above, mean, 1 - least) if mean < 1 - least and above(1 - least) > 0 else 1.0
    return Interval(mean, float(low), float(high), int(trials))


def evidence(successes: float, failures: float, rate: float) -> float:
    """How much speaks against a rate p: ``log B(1/2 + s, 1/2 + f) - log B(1/2, 1/2) - s log p - f log(1 - p)``.

    Where p is the rate, ``exp`` of it is a test martingale, a mixture over a Beta(1/2, 1/2): the chance that it ever
    reaches 1 / a is at most a (Robbins, Ann. Math. Statist. 1970; for all outcomes between 0 and 1, by convexity,
    Howard et al., arXiv 1810.08240). So ``min(1, exp(-evidence))`` is an always-valid p value.

    Examples
    --------
    >>> round(evidence(0, 0, 0.3), 3), round(evidence(90, 10, 0.5), 1)
    (0.0, 34.3)
    """
    mixture = betaln(0.5 + successes, 0.5 + failures) - betaln(0.5, 0.5)
    return float(mixture - xlogy(successes, rate) - xlog1py(failures, -rate))
