"""Figures for Prometheus: of one process, or of several workers together."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # where it is set before the import, values live in files of this folder
FAST = (0.001, 0.002, 0.005, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5, 10.0)
LONGEST = 64  # characters of a label
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The figures of a service, in a registry of their own; with several workers each adds to the same files.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.request("GET", "/v1/items", 200, 0.004)
    >>> metrics.answer("cold", None, "v1")
    >>> text, kind = metrics.render()
    >>> 'warmstart_requests_total{method="GET",route="/v1/items",status="200"} 1.0' in text.decode()
    True
    """

    def __init__(self) -> None:
        self.registry = r = CollectorRegistry()
        route, answer = ["method", "route"], ["slice", "fallback", "model"]
        self._requests = Counter("warmstart_requests", "Requests answered.", [*route, "status"], registry=r)
        self._seconds = Histogram("warmstart_request_seconds", "Time of a request.", route, buckets=FAST, registry=r)
        self._answers = Counter("warmstart_answers", "Lists recommended.", answer, registry=r)
        self._events = Counter("warmstart_events", "Events received.", ["outcome"], registry=r)
        self._queue = Gauge("warmstart_queue_rows", "Rows waiting.", registry=r, multiprocess_mode="livesum")
        self._engine = Gauge(
            "warmstart_engine", "Workers of a model.", ["model"], registry=r, multiprocess_mode="livesum"
        )
        self._items = Gauge("warmstart_items", "Items to recommend from.", registry=r, multiprocess_mode="livemax")
        self._unkept = Counter("warmstart_answers_unkept", "Answers given and not kept.", registry=r)
        self._model = ""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; ``route`` is its template, never its path."""
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def answer(self, kind: str, fallback: str | None, model: str) -> None:
        """Count a list by slice (cold, few_shot, warm), by why it is less than it could be, and by model."""
        self._answers.labels(kind, (fallback or "none")[:LONGEST], model[:LONGEST]).inc()

    def unkept(self) -> None:
        """Count an answer that was given and could not be kept."""
        self._unkept.inc()

    def events(self, accepted: int, rejected: int = 0, repeated: int = 0) -> None:
        """Count events of a request."""
        for outcome, count in (("accepted", accepted), ("rejected", rejected), ("repeated", repeated)):
            if count:
                self._events.labels(outcome).inc(count)

    def queue(self, rows: int) -> None:
        """Rows that wait to be written, now."""
        self._queue.set(rows)

    def engine(self, model: str, items: int) -> None:
        """The model that serves from now on, and how many items it can recommend."""
        if self._model not in ("", model):
            self._engine.labels(self._model).set(0)
        self._model = model
        self._engine.labels(model[:LONGEST]).set(1)
        self._items.set(items)

    @property
    def together(self) -> CollectorRegistry:
        """The figures of this process, or where there are several workers, of all of them."""
        if not os.environ.get(SHARED):
            return self.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry

    def render(self) -> tuple[bytes, str]:
        """The text that Prometheus reads, and its media type."""
        return generate_latest(self.together), CONTENT_TYPE_LATEST


def forget_dead() -> None:
    """Take away what workers that died said of themselves, so that sums are those of the living."""
    folder = os.environ.get(SHARED)
    for file in Path(folder).glob("gauge_live*.db") if folder else ():
        pid = int(file.stem.rsplit("_", 1)[1])
        if not _is_alive(pid):
            mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
