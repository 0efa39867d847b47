"""What another model would have earned, told from what was shown by chance: inverse propensities and doubly robust.

Only places that could have held something else tell anything. Where the propensity is 1 throughout, nothing was left to
chance, and the estimates say so by a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from warmstart.errors import DataError
from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.rates import Tally
from warmstart.evaluate.sequential import LEVEL, confidence_sequence

FEW = 100.0  # effective places below which estimates are called unsure


@dataclass(frozen=True)
class Logged:
    """Places that were shown, and what came of them; all arrays float64, shape (n,), but ``group``.

    Parameters
    ----------
    reward
        What the place earned, e.g. 1 = clicked.
    propensity
        In (0, 1]: the chance that this item stood there when it was shown.
    target
        In [0, 1]: the chance that it would under the model in question.
    group
        int64 >= 0: whose place it is; places of one group may depend on each other. Where absent, each is by itself.
    expected
        What a reward model expects of the item shown; for the doubly robust estimate.
    expected_target
        What it expects of the place under the model in question: the mean over what that would show.

    Raises
    ------
    DataError
        If lengths differ, or a value is out of its range.
    """

    reward: np.ndarray
    propensity: np.ndarray
    target: np.ndarray
    group: np.ndarray | None = None
    expected: np.ndarray | None = None
    expected_target: np.ndarray | None = None

    def __post_init__(self) -> None:
        given = [a for a in (self.group, self.expected, self.expected_target) if a is not None]
        lengths = {len(a) for a in (self.reward, self.propensity, self.target, *given)}
        if len(lengths) > 1:
            raise DataError(f"logged arrays have {sorted(lengths)} rows; each place needs one value in each")
        if not ((self.propensity > 0) & (self.propensity <= 1)).all():
            raise DataError("a logged propensity is not in (0, 1]; leave out places whose chance was not logged")
        if not ((self.target >= 0) & (self.target <= 1)).all():
            raise DataError("a target probability is not in [0, 1]")
        if not np.isfinite(self.reward).all():
            raise DataError("a reward is not finite; a place that earned nothing has 0")

    def weights(self, clip: float | None) -> np.ndarray:
        """``target / propensity``, at most ``clip``."""
        weight: np.ndarray = self.target / self.propensity
        return weight if clip is None else np.minimum(weight, clip)

    def ratio(self, numerator: np.ndarray, denominator: np.ndarray) -> Tally:
        """Sums over groups, as a ratio."""
        if self.group is None:
            return Tally.of(numerator, denominator)
        _, group = np.unique(self.group, return_inverse=True)
        return Tally.of(np.bincount(group, numerator), np.bincount(group, denominator))


@dataclass(frozen=True)
class Estimate:
    """The reward per place under the model in question.

    Parameters
    ----------
    value
        With its always-valid interval; its ``n`` are groups.
    effective
        ``(sum w)^2 / sum w^2``: how many places shown by the model itself these are worth.
    mean_weight
        1 where all that the model would show could have been shown; less = that share of it is told of, the rest not.
    clipped
        Share of the places whose weight was cut.
    warnings
        What to know before trusting it; empty = nothing.
    """

    value: Interval
    effective: float
    mean_weight: float
    clipped: float
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, logged: Logged, tally: Tally, weight: np.ndarray, clip: float | None, level: float) -> Self:
        """Put the estimate beside what tells how far to trust it."""
        value = confidence_sequence(tally.sample, level)
        squares = float((weight**2).sum())
        effective = float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
        cut = float((logged.weights(None) > clip).mean()) if clip is not None and len(weight) else 0.0
        support = confidence_sequence(logged.ratio(logged.weights(None), np.ones(len(weight))).sample, level)
        warned = tuple(_warnings(logged, value, support, effective, cut))
        return cls(value, effective, support.mean, cut, warned)


def ips(logged: Logged, clip: float | None = None, level: float = LEVEL) -> Estimate:
    """Inverse propensity scoring: ``sum w r / n`` with ``w = target / propensity``.

    Without bias where the model in question shows only what could have been shown (Horvitz & Thompson 1952; for
    places of lists under clicks that depend on item and place alone, Li et al., arXiv 1804.10488).

    Examples
    --------
    >>> shown = Logged(np.array([1.0, 0.0]), np.array([0.25, 0.75]), np.array([1.0, 0.0]))
    >>> ips(shown).value.mean, ips(shown, clip=3.0).value.mean
    (2.0, 1.5)
    """
    weight = logged.weights(clip)
    tally = logged.ratio(weight * logged.reward, np.ones(len(weight)))
    return Estimate.of(logged, tally, weight, clip, level)


def snips(logged: Logged, clip: float | None = None, level: float = LEVEL) -> Estimate:
    """Self-normalised: ``sum w r / sum w``. A little bias for much less variance (Swaminathan & Joachims, NIPS 2015).

    It never leaves the range of the rewards. What the logs cannot tell of is taken to earn what the rest earns.

    Examples
    --------
    >>> shown = Logged(np.array([1.0, 0.0]), np.array([0.25, 0.75]), np.array([1.0, 0.0]))
    >>> snips(shown).value.mean
    1.0
    """
    weight = logged.weights(clip)
    return Estimate.of(logged, logged.ratio(weight * logged.reward, weight), weight, clip, level)


def doubly_robust(logged: Logged, clip: float | None = None, level: float = LEVEL) -> Estimate:
    """``mean(q_target + w (r - q))``: right where either the propensities or the reward model q are.

    Its variance falls with the errors of q (Dudik, Langford & Li, arXiv 1103.4601, eq. 3). The reward model must not
    have seen these rewards.

    Raises
    ------
    DataError
        If the expected rewards are not given.

    Examples
    --------
    >>> one = np.ones(2)
    >>> shown = Logged(np.array([1.0, 0.0]), one / 2, one / 2, expected=one / 4, expected_target=one / 2)
    >>> doubly_robust(shown).value.mean
    0.75
    """
    if logged.expected is None or logged.expected_target is None:
        raise DataError("the doubly robust estimate needs expected and expected_target; without them use ips or snips")
    weight = logged.weights(clip)
    value = logged.expected_target + weight * (logged.reward - logged.expected)
    return Estimate.of(logged, logged.ratio(value, np.ones(len(weight))), weight, clip, level)


def _warnings(logged: Logged, value: Interval, support: Interval, effective: float, cut: float) -> list[str]:
    """What stands against trusting an estimate."""
    told = list[str]()
    if not len(logged.reward):
        return ["no place was logged"]
    if (logged.propensity == 1).all():
        told.append("nothing was left to chance, so that only what stood there is told of; explore a share of places")
    if support.high < 1 or support.mean == 0:
        told.append(
            f"support is missing: about {1 - support.mean:.0%} of what the model would show had no chance to be shown"
        )
    if support.low > 1:
        told.append(f"weights average {support.mean:.2f}, not 1: the logged propensities are not those it was shown by")
    if effective < FEW:
        told.append(f"only {effective:.0f} effective places; {FEW:.0f} or more tell something")
    if np.isinf(value.low):
        told.append(f"{value.n} groups are too few, or all alike, for an interval")
    if cut > 0:
        told.append(f"{cut:.1%} of the weights were cut: the estimate leans to the model that was shown")
    return told
