"""Intervals that hold at every look: confidence sequences of means and of differences, and the p values to match.

A usual interval promises to hold the truth at one moment chosen in advance; who looks daily, and stops when it pleases,
is wrong far more often. These promise it for all moments together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import lambertw

from warmstart.errors import ConfigError
from warmstart.evaluate.intervals import Interval

LEVEL = 0.95
HORIZON = 1000  # observations at which intervals are narrowest; must not be chosen by looking at the data
START = 100  # observations below which nothing is said: the central limit theorem needs some


@dataclass(frozen=True)
class Sample:
    """All that an interval needs of independent observations.

    Parameters
    ----------
    n
        How many.
    mean
        Their mean, or another estimate that behaves like one (a ratio of sums, a difference of means).
    variance
        Of one observation, so that ``variance / n`` is that of ``mean``.
    """

    n: int
    mean: float
    variance: float

    @classmethod
    def of(cls, values: np.ndarray) -> Sample:
        """The sample of some numbers: float, shape (n,); NaN are left out.

        Examples
        --------
        >>> Sample.of(np.array([1.0, 3.0, np.nan]))
        Sample(n=2, mean=2.0, variance=2.0)
        """
        known = values[~np.isnan(values)].astype(np.float64)
        if not len(known):
            return cls(0, float("nan"), float("nan"))
        return cls(len(known), float(known.mean()), float(known.var(ddof=1)) if len(known) > 1 else float("nan"))

    @property
    def enough(self) -> bool:
        """Whether there are ``START`` observations, and not all alike."""
        return self.n >= START and self.variance > 0


def difference(a: Sample, b: Sample) -> Sample:
    """The difference of two independent means, as a sample: ``variance / n = v_a / n_a + v_b / n_b``.

    It is not enough before both are: then its variance is NaN.

    Examples
    --------
    >>> difference(Sample(200, 5.0, 2.0), Sample(300, 2.0, 3.0))
    Sample(n=500, mean=3.0, variance=10.0)
    """
    n = a.n + b.n
    variance = n * (a.variance / a.n + b.variance / b.n) if a.enough and b.enough else float("nan")
    return Sample(n, a.mean - b.mean, variance)


def mixture_variance(level: float, horizon: int) -> float:
    """Variance ``rho^2`` of the mixture whose interval is narrowest after ``horizon`` observations.

    ``horizon rho^2 = -W(-a^2 / e) - 1`` with a = 1 - level and W the lower branch of Lambert's function (Waudby-Smith
    et al., arXiv 2103.06476, where they choose the mixture).

    Raises
    ------
    ConfigError
        If the level is not between 0 and 1, or the horizon below 1.

    Examples
    --------
    >>> round(1000 * mixture_variance(0.95, 1000), 3)
    8.212
    """
    if not 0 < level < 1:
        raise ConfigError(f"level={level:g} is not between 0 and 1; 0.95 is usual")
    if horizon < 1:
        raise ConfigError(f"horizon={horizon} is below 1; {HORIZON} is usual")
    return (-float(lambertw(-((1 - level) ** 2) / np.e, -1).real) - 1) / horizon


def confidence_sequence(sample: Sample, level: float = LEVEL, horizon: int = HORIZON) -> Interval:
    """The interval of a mean at this look; together, the intervals of all looks hold it with chance ``level``.

    ``mean +- sqrt(v) sqrt(2 (t r + 1) / (t^2 r) log(sqrt(t r + 1) / a))`` with t observations, v their variance,
    r = ``mixture_variance``, a = 1 - level: the asymptotic confidence sequence of Waudby-Smith et al. (arXiv
    2103.06476, theorem 2.2). It is about 3 standard errors wide to each side at the horizon, and widens slowly after.

    Returns
    -------
    Interval
        From minus to plus infinity if the sample is not ``enough``.

    Examples
    --------
    >>> print(confidence_sequence(Sample(1000, 0.5, 0.25)))
    0.5000 [0.4520, 0.5480]
    """
    r = mixture_variance(level, horizon)
    if not sample.enough:
        return Interval(sample.mean, -np.inf, np.inf, sample.n)
    t = sample.n * r
    radius = np.sqrt(sample.variance / sample.n * 2 * (t + 1) / t * np.log(np.sqrt(t + 1) / (1 - level)))
    return Interval(sample.mean, float(sample.mean - radius), float(sample.mean + radius), sample.n)


def always_valid_p(sample: Sample, null: float = 0.0, level: float = LEVEL, horizon: int = HORIZON) -> float:
    """The p value to match: at most 1 - level exactly when the interval leaves ``null`` out.

    ``1 / exp(z^2 t r / (2 (t r + 1))) sqrt(t r + 1)``, at most 1, with z the distance in standard errors. The chance
    that it ever falls to a, over all looks, is at most a where the mean is ``null``.

    Examples
    --------
    >>> round(always_valid_p(Sample(1000, 0.548, 0.25), null=0.5), 4)
    0.0499
    """
    r = mixture_variance(level, horizon)
    if not sample.enough:
        return 1.0
    t = sample.n * r
    z2 = (sample.mean - null) ** 2 * sample.n / sample.variance
    return float(min(1.0, np.exp(0.5 * np.log(t + 1) - z2 * t / (2 * (t + 1)))))
