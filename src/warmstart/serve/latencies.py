"""How long requests take, route by route: quantiles of the histograms that Prometheus reads."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

NAME = "warmstart_request_seconds"
SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class RouteTimes:
    """The requests of one route.

    Parameters
    ----------
    method, route
        The route as it is written in the app.
    n
        Requests since the service began, of all its workers.
    p50, p95, p99
        Milliseconds; infinite beyond the last bucket.
    """

    method: str
    route: str
    n: int
    p50: float
    p95: float
    p99: float


def route_times(registry: CollectorRegistry) -> list[RouteTimes]:
    """All routes that were asked, the busiest first.

    Parameters
    ----------
    registry
        Holds the histogram, of one process or of several together.
    """
    steps: defaultdict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    for family in registry.collect():
        for sample in family.samples if family.name == NAME else ():
            if sample.name == f"{NAME}_bucket":
                bounds = steps[sample.labels["method"], sample.labels["route"]]
                bounds[float(sample.labels["le"])] = sample.value
    found = []
    for (method, route), counts in steps.items():
        n = int(counts.get(math.inf, 0))
        if n:
            found.append(RouteTimes(method, route, n, *(1e3 * quantile(counts, share) for share in SHARES)))
    return sorted(found, key=lambda one: (-one.n, one.route, one.method))


def quantile(counts: Mapping[float, float], share: float) -> float:
    """A quantile of a histogram, as Prometheus' ``histogram_quantile`` reckons it: linear within a bucket.

    Parameters
    ----------
    counts
        By upper bound, ascending to infinity, how many values are no larger.
    share
        In [0, 1].

    Returns
    -------
    float
        Infinite where it lies beyond the last finite bound; NaN of nothing.

    Examples
    --------
    >>> counts = {0.01: 50, 0.02: 90, math.inf: 100}
    >>> quantile(counts, 0.5), quantile(counts, 0.7), quantile(counts, 0.95)
    (0.01, 0.015, inf)
    """
    bounds = sorted(counts)
    wanted, below, reached = share * counts[bounds[-1]] if bounds else math.nan, 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= wanted > 0:
            inside = (wanted - reached) / (counts[bound] - reached)
            return below + (bound - below) * inside if math.isfinite(bound) else math.inf
        below, reached = bound, counts[bound]
    return math.nan
