"""What is not known is null in JSON."""

import json

import numpy as np

from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.rates import RateDifference
from warmstart.serve.forms import DifferenceOut, IntervalOut


def test_infinite_limits_and_missing_means_are_null():
    told = IntervalOut.of(Interval(float("nan"), -np.inf, np.inf, 3))
    assert json.loads(told.model_dump_json()) == {"mean": None, "low": None, "high": None, "n": 3}
    gap = DifferenceOut.of(RateDifference(float("nan"), -1.0, 1.0, 1.0, 0))
    assert (gap.difference, gap.low, gap.p) == (None, -1.0, 1.0)
