"""Intervals as the API tells them: what is not known is null, never infinite."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field

from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.rates import RateDifference


def finite(value: float) -> float | None:
    """The value, or None where it is not finite."""
    return value if math.isfinite(value) else None


class IntervalOut(BaseModel):
    """A mean and the interval that holds it with 95 % at all looks together."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mean": 0.031, "low": 0.027, "high": 0.036, "n": 5210}]})

    mean: float | None = Field(description="null = nothing to take it of.")
    low: float | None = Field(description="null = too few to tell.")
    high: float | None = Field(description="null = too few to tell.")
    n: int = Field(description="People it rests on.")

    @classmethod
    def of(cls, interval: Interval) -> IntervalOut:
        """From an interval."""
        return cls(mean=finite(interval.mean), low=finite(interval.low), high=finite(interval.high), n=interval.n)


class DifferenceOut(BaseModel):
    """A difference of two rates."""

    difference: float | None
    low: float | None
    high: float | None
    p: float = Field(description="Always valid; small = there is a difference.")
    n: int = Field(description="People of both.")

    @classmethod
    def of(cls, gap: RateDifference) -> DifferenceOut:
        """From a difference."""
        return cls(difference=finite(gap.difference), low=finite(gap.low), high=finite(gap.high), p=gap.p, n=gap.n)
