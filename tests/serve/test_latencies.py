"""Latency by route: the quantiles of what was observed, from the histograms that Prometheus reads."""

import math

import pytest

from warmstart.serve.latencies import quantile, route_times
from warmstart.serve.metrics import Metrics


def test_quantiles_lie_in_the_bucket_of_the_value():
    metrics = Metrics()
    for ms in range(1, 101):
        metrics.request("POST", "/v1/recommend", 200, ms / 1e3)
    metrics.request("GET", "/v1/items", 200, 0.0005)
    first, second = route_times(metrics.together)
    assert (first.method, first.route, first.n) == ("POST", "/v1/recommend", 100)
    assert (first.p50, first.p95, first.p99) == pytest.approx((50, 116.9, 123.4), abs=0.5)  # buckets 30-60, 60-125
    assert (second.route, second.n) == ("/v1/items", 1)
    assert 0 < second.p99 <= 1


def test_what_takes_longer_than_the_last_bucket_is_not_made_up():
    metrics = Metrics()
    metrics.request("GET", "/v1/items", 200, 60.0)
    assert route_times(metrics.together)[0].p50 == math.inf
    assert route_times(Metrics().together) == []
    assert math.isnan(quantile({}, 0.5))
