"""The scale of the ratings, found from them: its ends, its steps, and what lies outside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from warmstart.errors import ConfigError, DataError

LEVELS = 101  # a grid of more levels is told, its levels are not listed
STEPS = 10_000  # values that need a finer grid are continuous
OUTSIDE = 0.05  # at most this share of the ratings is put outside a scale
APART = 3.0  # what is outside lies so many widths of the scale away
INSTEAD = "give a column of ratings, or rank without them: warmstart fit and recommend"


@dataclass(frozen=True)
class RatingScale:
    """From ``low`` to ``high`` in steps of ``step``.

    Parameters
    ----------
    low, high
        Ends, both part of the scale, in the unit of the ratings.
    step
        Distance of neighbouring levels; None where values are continuous.

    Examples
    --------
    >>> scale = RatingScale.of(np.array([4.0, 0.5, 3.5, 5.0, np.nan]))
    >>> str(scale), scale.levels.tolist()[:3], scale.clip(np.array([5.7])).tolist()
    ('0.5 to 5 in steps of 0.5', [0.5, 1.0, 1.5], [5.0])
    """

    low: float
    high: float
    step: float | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise ConfigError(f"a scale from {self.low:g} to {self.high:g} has no width; low must be below high")
        if self.step is None:
            return
        if not 0 < self.step <= 1.001 * (self.high - self.low):
            raise ConfigError(f"step={self.step:g} does not fit a scale from {self.low:g} to {self.high:g}")
        steps = (self.high - self.low) / self.step
        if abs(steps - round(steps)) > 1e-3:
            raise ConfigError(f"step={self.step:g} does not lead from {self.low:g} to {self.high:g} in whole steps")

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """The scale that the values show; what lies far outside it (``core``) is not looked at.

        ``low`` and ``high`` are the least and the greatest value seen. ``step`` is the greatest distance of which all
        differences of values are multiples, up to the rounding of float32; None where the scale would need more than
        10 000 of them.

        Parameters
        ----------
        values
            Ratings, float, shape (n,); NaN = none.

        Raises
        ------
        DataError
            If there is no rating, or all are equal.

        Examples
        --------
        >>> print(RatingScale.of(np.array([1, 2, 3, 4, 5] * 20 + [99, 99, 99])))
        1 to 5 in steps of 1
        """
        found, counts = np.unique(_finite(values), return_counts=True)
        if len(found) == 1:
            raise DataError(f"every rating is {found[0]:g}, among {counts[0]}: nothing tells them apart; {INSTEAD}")
        first, last = core(found, counts)
        found = found[first:last]
        step, low, high = step_of(found), float(found[0]), float(found[-1])
        if step is None:
            return cls(low, high)
        low = _short(low)
        return cls(low, _short(low + round((high - low) / step) * step), step)

    def __str__(self) -> str:
        steps = "continuous" if self.step is None else f"in steps of {self.step:g}"
        return f"{self.low:g} to {self.high:g}{', ' if self.step is None else ' '}{steps}"

    @property
    def levels(self) -> np.ndarray:
        """All values of the scale, ascending: float64; empty where it is continuous or has more than 101."""
        if self.step is None:
            return np.empty(0)
        n = round((self.high - self.low) / self.step) + 1
        return np.linspace(self.low, self.high, n) if n <= LEVELS else np.empty(0)

    def clip(self, values: np.ndarray) -> np.ndarray:
        """The nearest values that lie on the scale or between its levels; NaN stays NaN."""
        clipped: np.ndarray = np.clip(values, self.low, self.high)
        return clipped

    def holds(self, value: float) -> bool:
        """Whether a rating lies between the ends, both included.

        Examples
        --------
        >>> scale = RatingScale(1, 5, 1)
        >>> scale.holds(5.0), scale.holds(0.5)
        (True, False)
        """
        return self.low <= value <= self.high

    def check(self, values: np.ndarray) -> Outside:
        """Count what lies outside the scale, by more than rounding.

        Raises
        ------
        DataError
            If there is no rating, or all lie outside.

        Examples
        --------
        >>> print(RatingScale(1, 5, 1).check(np.array([0.0, 3.0, 99.0, np.nan])))
        2 of 3 ratings lie outside 1 to 5 (1 below, 1 above; least 0, greatest 99); they count as its ends
        """
        given = _finite(values)
        slack = 1e-6 * max(self.high - self.low, abs(self.low), abs(self.high))
        below, above = int((given < self.low - slack).sum()), int((given > self.high + slack).sum())
        if below + above == len(given):
            raise DataError(
                f"all {len(given)} ratings, from {given.min():g} to {given.max():g}, lie outside the scale {self}; "
                "declare the scale they have, or leave it to be found"
            )
        return Outside(self, len(given), below, above, float(given.min()), float(given.max()))


@dataclass(frozen=True)
class Outside:
    """How many of ``n`` ratings lie ``below`` and ``above`` a scale, with the ``least`` and ``greatest`` of all."""

    scale: RatingScale
    n: int
    below: int
    above: int
    least: float
    greatest: float

    def __len__(self) -> int:
        return self.below + self.above

    def __str__(self) -> str:
        ends = f"{self.scale.low:g} to {self.scale.high:g}"
        if not len(self):
            return f"all {self.n} ratings lie within {ends}"
        where = f"{self.below} below, {self.above} above; least {self.least:g}, greatest {self.greatest:g}"
        return f"{len(self)} of {self.n} ratings lie outside {ends} ({where}); they count as its ends"


def core(found: np.ndarray, counts: np.ndarray) -> tuple[int, int]:
    """Where the scale begins and ends among the distinct values: ``found[first:last]``.

    Values far off are put outside one gap after another, the widest first, the side with fewer ratings each time.
    A cut holds if at most 5 % of the ratings are outside, at least two values are left, and every gap at its ends is
    more than 3 times as wide as what is left. So 99 among 1 to 5 is outside, and so is -99; 10 among 1 to 5 is not.

    Parameters
    ----------
    found
        float64, ascending, distinct, shape (n,).
    counts
        int64, shape (n,): ratings of each.

    Examples
    --------
    >>> core(np.array([-99.0, 1.0, 2.0, 3.0, 99.0]), np.array([1, 30, 30, 30, 2]))
    (1, 4)
    """
    gaps, upto = np.diff(found), np.concatenate([[0], np.cumsum(counts)])
    first, last, held = 0, len(found), (0, len(found))
    for _ in range(8):
        if last - first < 3:
            break
        cut = first + 1 + int(np.argmax(gaps[first : last - 1]))
        more_below = upto[cut] - upto[first] >= upto[last] - upto[cut]
        first, last = (first, cut) if more_below else (cut, last)
        if last - first < 2 or upto[-1] - (upto[last] - upto[first]) > OUTSIDE * upto[-1]:
            break
        ends = [gaps[end - 1] for end in (first, last) if 0 < end < len(found)]
        if min(ends) > APART * (found[last - 1] - found[first]):
            held = (first, last)
    return held


def step_of(found: np.ndarray) -> float | None:
    """The greatest step of which all differences are multiples: the least difference, or it by a whole number to 10.

    None where there is none of at least a ten-thousandth of the width.

    Parameters
    ----------
    found
        float64, ascending, distinct, shape (n,), n > 1.

    Examples
    --------
    >>> step_of(np.array([0.0, 2.0, 5.0])), step_of(np.array([0.0, 0.1, 0.9], np.float32).astype(float))
    (1.0, 0.1)
    >>> step_of(np.array([0.0, 1.0, np.pi])) is None
    True
    """
    above, width = found - found[0], found[-1] - found[0]
    least = float(np.diff(found).min())
    rounding = 2.0 * float(np.finfo(np.float32).eps) * float(np.abs(found).max())
    for parts in range(1, 11):
        step = least / parts
        if width / step > STEPS * 1.001 or step < 20 * rounding:
            return None
        step = width / round(width / step)  # the width is known to more digits than the least difference
        off = np.abs(above - np.round(above / step) * step)
        if off.max() <= max(rounding, 1e-9 * width):
            return _short(step)
    return None


def _short(value: float) -> float:
    """The shortest decimal that is the value to the digits of float32: 0.1 for 0.10000000149."""
    return float(f"{value:.6g}") if np.isclose(float(f"{value:.6g}"), value, rtol=2e-7, atol=0.0) else value


def _finite(values: np.ndarray) -> np.ndarray:
    """The ratings there are, float64; infinite ones are an error."""
    values = np.asarray(values, np.float64).ravel()
    given = values[~np.isnan(values)]
    if not len(given):
        raise DataError(
            f"no rating among {len(values)} events (all are empty, or were left out for being rare or all the same: "
            f"warmstart check tells): this is implicit data; {INSTEAD}"
        )
    if not np.isfinite(given).all():
        raise DataError(f"{given[~np.isfinite(given)][0]:g} is among the ratings; drop such rows, or correct them")
    return given
