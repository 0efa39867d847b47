"""The overview: how much is asked, how fast and how fully it is answered, and what came of it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from warmstart.serve.latencies import RouteTimes, route_times
from warmstart.serve.outcomes import Group, outcome_table
from warmstart.serve.pages.charts import Chart, Series
from warmstart.serve.pages.figures import count, milliseconds, percent
from warmstart.serve.pages.words import Words
from warmstart.serve.service import Service
from warmstart.store.shown import DAY, Within
from warmstart.store.traffic import Traffic

Window = Literal["1h", "24h", "7d", "30d"]
WINDOWS: dict[Window, tuple[int, int]] = {
    "1h": (3_600, 120),
    "24h": (DAY, 3_600),
    "7d": (7 * DAY, 6 * 3_600),
    "30d": (30 * DAY, DAY),
}
USUAL: Window = "24h"
SLICES = ("cold", "few_shot", "warm")
TIMED = 20_000  # newest answers that quantiles are of
DAYS, JUDGED = 30, 20_000  # click-through is of so many days, and of so many answers at most: it takes 30 us for each
KINDS = 5  # kinds of event told apart
CLICK = "click"
ROUTES = 12  # of the API whose times are told, the busiest
NO_API = ("/dashboard", "/login", "/logout", "/health/", "/metrics", "/openapi.json", "none")  # how others begin


@dataclass(frozen=True)
class Overview:
    """What the page shows.

    Parameters
    ----------
    answers, events
        How many in the window.
    p50, p99
        Milliseconds; None without answers.
    short
        Answers that were less than they could be, by why; ``fallbacks`` all of them together.
    clicks
        Of the last 30 days and 20,000 answers at most, all together; None without answers.
    """

    window: Window
    answers: int
    events: int
    p50: float | None
    p99: float | None
    slices: Mapping[str, int]
    short: Mapping[str, int]
    fallbacks: int
    clicks: Group | None
    counted: str
    model: str
    items: int
    wrong: Mapping[str, str]
    charts: Sequence[Chart]
    routes: Sequence[RouteTimes]
    workers: int

    @property
    def ends(self) -> tuple[float, float]:
        """Milliseconds between which the bars of routes stand, by powers of ten."""
        known = [v for one in self.routes for v in (one.p50, one.p99) if 0 < v < math.inf]
        if not known:
            return 1.0, 10.0
        return 10.0 ** math.floor(math.log10(min(known))), 10.0 ** (math.floor(math.log10(max(known))) + 1)

    def place(self, value: float) -> float:
        """Where a number of milliseconds stands between ``ends``, in [0, 100]."""
        low, high = self.ends
        return 100 * math.log10(min(max(value, low), high) / low) / math.log10(high / low)


def overview(service: Service, t: Words, window: Window) -> Overview:
    """Look back from now over a window of ``WINDOWS``."""
    length, step = WINDOWS[window]
    until = (service.clock.now() // step + 1) * step
    since, traffic = until - length, Traffic(service.store.database)
    n = length // step
    places = [since + i * step for i in range(n)]
    told, done = traffic.answers_over_time(since, until, step), traffic.events_over_time(since, until, step)
    slices = {name: sum(c for (_, part), c in told.items() if part == name) for name in SLICES}
    short = {why: c for why, c in traffic.answer_groups(since, until, "fallback").items() if why}
    timed = traffic.durations(since, until, TIMED)
    spent = np.array([ms for _, ms in timed])
    newest = Within(since=max(until - DAYS * DAY, traffic.time_of_newest(JUDGED)))
    month = outcome_table(service.store, ("day",), newest, (CLICK,), ())
    whole = outcome_table(service.store, (), newest, (CLICK,), (), month.only_seen)
    live = service.models.serving
    labels = [label(at, length) for at in places]
    charts = [
        chart_of(t, "answers", labels, [(t.name("slice", s), over(told, s, n)) for s in SLICES]),
        latencies(t, labels, [(at - since) // step for at, _ in timed], spent),
        clicks(t, month.groups, until - DAYS * DAY),
        chart_of(t, "events", labels, [(t.name("kind", k), over(done, k, n)) for k in commonest(done)]),
    ]
    return Overview(
        window=window,
        answers=sum(told.values()),
        events=sum(done.values()),
        p50=quantile(spent, 0.5),
        p99=quantile(spent, 0.99),
        slices=slices,
        short=short,
        fallbacks=sum(short.values()),
        clicks=whole.groups[0] if whole.groups else None,
        counted="seen" if month.only_seen else "all",
        model=live.version,
        items=int(live.snapshot.shown.sum()),
        wrong=service.ready(),
        charts=charts,
        routes=[one for one in route_times(service.metrics.together) if is_api(one.route)][:ROUTES],
        workers=service.settings.workers,
    )


def is_api(route: str) -> bool:
    """Whether a route is of the API: ours, Gorse's or Amazon Personalize's; not of pages, nor of whoever runs it.

    Examples
    --------
    >>> is_api("/v1/recommend"), is_api("/recommendations"), is_api("/dashboard/models"), is_api("/")
    (True, True, False, False)
    """
    return route != "/" and not route.startswith(NO_API)


def chart_of(t: Words, name: str, labels: Sequence[str], parts: Sequence[tuple[str, list[float]]]) -> Chart:
    """Counts as columns upon each other."""
    series = [Series(told, values, f"s{i}") for i, (told, values) in enumerate(parts)]
    return Chart(t(f"overview.{name}"), t("chart.time"), labels, series, count, stacked=True, least=4)


def latencies(t: Words, labels: Sequence[str], places: Sequence[int], spent: np.ndarray) -> Chart:
    """The median and the 99th percentile of each step."""
    by: defaultdict[int, list[float]] = defaultdict(list)
    for place, value in zip(places, spent.tolist(), strict=True):
        by[place].append(value)
    each = [np.array(by[i]) for i in range(len(labels))]
    series = [
        Series("p50", [quantile(v, 0.5) for v in each], "s0"),
        Series("p99", [quantile(v, 0.99) for v in each], "s1"),
    ]
    return Chart(t("overview.latency"), t("chart.time"), labels, series, milliseconds)


def clicks(t: Words, days: Sequence[Group], since: int) -> Chart:
    """Click-through of each day, with its interval."""
    names = [f"{datetime.fromtimestamp(since + i * DAY, UTC):%Y-%m-%d}" for i in range(DAYS + 1)]
    by = {str(g.key["day"]): g.rates[CLICK] for g in days}
    found = [by.get(name) for name in names]
    told = [None if r is None else (r.mean, r.low, r.high) for r in found]
    values, low, high = ([None if one is None else one[i] for one in told] for i in range(3))
    line = Series(t("kind.click"), values, "s0", low, high)
    return Chart(t("overview.clicks"), t("chart.day"), [name[5:] for name in names], [line], percent, most=1.0)


def quantile(values: np.ndarray, share: float) -> float | None:
    """A quantile, or None of nothing."""
    return float(np.quantile(values, share)) if len(values) else None


def over(counts: Mapping[tuple[int, str], int], name: str, n: int) -> list[float]:
    """Counts of one name, step by step."""
    return [float(counts.get((i, name), 0)) for i in range(n)]


def commonest(counts: Mapping[tuple[int, str], int]) -> list[str]:
    """The names with the highest counts, at least one."""
    sums: Counter[str] = Counter()
    for (_, name), c in counts.items():
        sums[name] += c
    return [name for name, _ in sums.most_common(KINDS)] or ["view"]


def label(at: int, length: int) -> str:
    """A step as the axis names it."""
    told = datetime.fromtimestamp(at, UTC)
    return f"{told:%H:%M}" if length <= DAY else f"{told:%m-%d %Hh}" if length < 30 * DAY else f"{told:%m-%d}"
