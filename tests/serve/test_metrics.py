"""Figures: what is counted, by route template, and together over several workers."""

import os
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

from warmstart.serve.metrics import Metrics


def figures(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_template_not_by_path(guarded):
    service = guarded()
    for name in ("a", "b", "c"):
        service.client.get(f"/items/{name}")
    service.client.get("/nowhere/at/all")
    service.client.request("BREW", "/items/a")
    found = figures(service.metrics.render()[0].decode())
    of = ("warmstart_requests_total", ("method", "GET"))
    assert found[*of, ("route", "/items/{item_id}"), ("status", "200")] == 3
    assert found[*of, ("route", "none"), ("status", "404")] == 1
    assert found["warmstart_request_seconds_count", ("method", "GET"), ("route", "/items/{item_id}")] == 3
    assert any(("method", "other") in key for key in found)
    assert not any("BREW" in str(key) or "/nowhere" in str(key) for key in found)


def test_everything_is_told():
    metrics = Metrics()
    metrics.answer("cold", None, "v1")
    metrics.answer("warm", "store_unavailable", "v1")
    metrics.events(accepted=5, rejected=2)
    metrics.queue(7)
    metrics.engine("v1", 40)
    metrics.engine("v2", 41)
    found = figures(metrics.render()[0].decode())
    answer = ("warmstart_answers_total", ("fallback", "none"), ("model", "v1"), ("slice", "cold"))
    assert found[answer] == 1
    assert found["warmstart_events_total", ("outcome", "accepted")] == 5
    assert found["warmstart_events_total", ("outcome", "rejected")] == 2
    assert found["warmstart_queue_rows",] == 7
    assert (found["warmstart_engine", ("model", "v1")], found["warmstart_engine", ("model", "v2")]) == (0, 1)
    assert found["warmstart_items",] == 41


def test_registries_do_not_share(guarded):
    one, two = Metrics(), Metrics()
    one.events(accepted=1)
    assert "accepted" not in two.render()[0].decode()


WORKER = """
from warmstart.serve.metrics import Metrics
metrics = Metrics()
metrics.events(accepted=3)
metrics.engine("v1", 40)
metrics.request("GET", "/x", 200, 0.01)
print(metrics.render()[0].decode())
"""


def test_workers_are_counted_together(tmp_path):
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    runs = [subprocess.run([sys.executable, "-c", WORKER], env=env, check=True, capture_output=True) for _ in range(3)]
    found = figures(runs[-1].stdout.decode())
    assert found["warmstart_events_total", ("outcome", "accepted")] == 9
    assert found["warmstart_request_seconds_count", ("method", "GET"), ("route", "/x")] == 3
    assert found["warmstart_items",] == 40


def test_workers_that_died_are_not_among_the_living(tmp_path):
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", WORKER], env=env, check=True, capture_output=True)
    again = "from warmstart.serve.metrics import forget_dead\nforget_dead()\n" + WORKER
    run = subprocess.run([sys.executable, "-c", again], env=env, check=True, capture_output=True)
    found = figures(run.stdout.decode())
    assert found["warmstart_engine", ("model", "v1")] == 1
    assert found["warmstart_events_total", ("outcome", "accepted")] == 6  # what they did stays done
