"""What the data are like, what may go wrong with them, and what to do about it."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import NO_TIME, Interactions
from warmstart.data.language import item_texts, languages
from warmstart.data.leakage import events_before_added, outcome_columns
from warmstart.data.link_agreement import Agreement, link_agreement
from warmstart.data.report import UNDESCRIBED, IngestReport

Severity = Literal["info", "advice", "warning", "problem"]
FEW = (0, 1, 3, 5)  # events: the steps of the sparsity shares
DAY = 86_400


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing.

    Parameters
    ----------
    name
        A stable key, e.g. ``"items_without_events"``.
    severity
        ``"info"`` < ``"advice"`` < ``"warning"`` < ``"problem"``.
    text
        What was found, with its number.
    advice
        What to do, one line; may be empty for an info.
    """

    name: str
    severity: Severity
    text: str
    advice: str = ""


@dataclass(frozen=True)
class HealthReport:
    """Numbers and findings about a dataset.

    Parameters
    ----------
    numbers
        Plain numbers: sizes, ``density`` (share of user-item pairs met), medians, shares in 0..1, ``days``.
    findings
        Worst first.
    ingest
        How the tables came in, or None if the dataset was built otherwise.
    """

    numbers: dict[str, float]
    findings: tuple[Finding, ...]
    ingest: IngestReport | None = None

    @property
    def worst(self) -> Severity:
        """The highest severity among the findings."""
        return self.findings[0].severity if self.findings else "info"

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return asdict(self) | {"worst": self.worst}


@dataclass(frozen=True)
class _View:
    """What the checks look at."""

    data: Dataset
    ingest: IngestReport | None
    now: float
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def events(self) -> Interactions:
        return self.data.interactions


def check(data: Dataset, ingest: IngestReport | None = None, *, now: float | None = None) -> HealthReport:
    """Look a dataset over.

    Parameters
    ----------
    data
        Any dataset.
    ingest
        The account ``read_with_report`` gave.
    now
        Seconds since the epoch that count as the present; None = the clock.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> report = check(clusters(), now=2e9)
    >>> report.numbers["users"], report.worst
    (200, 'advice')
    """
    view = _View(data, ingest, clock.time() if now is None else now)
    view.numbers.update(_sizes(data))
    view.numbers.update(_sparsity(data.interactions))
    view.numbers.update(_times(data.interactions))
    found = [finding for look in CHECKS for finding in look(view)]
    order = ("problem", "warning", "advice", "info")
    return HealthReport(view.numbers, tuple(sorted(found, key=lambda f: order.index(f.severity))), ingest)


def _sizes(data: Dataset) -> dict[str, float]:
    x = data.interactions
    pairs = x.matrix().nnz
    return {
        "users": data.n_users,
        "items": data.n_items,
        "events": len(x),
        "pairs": pairs,
        "kinds": len(x.kinds),
        "triples": 0 if data.graph is None else len(data.graph),
        "density": pairs / max(1, data.n_users * data.n_items),
        "repeated": 1 - pairs / len(x) if len(x) else 0.0,
    }


def _sparsity(x: Interactions) -> dict[str, float]:
    out: dict[str, float] = {}
    for who, counts in (("user", x.user_counts()), ("item", np.bincount(x.item, minlength=x.n_items))):
        out[f"median_events_per_{who}"] = float(np.median(counts)) if len(counts) else 0.0
        for few in FEW:
            name = f"share_{who}s_at_most_{few}" if few else f"share_{who}s_without_events"
            out[name] = float((counts <= few).mean()) if len(counts) else 0.0
    return out


def _times(x: Interactions) -> dict[str, float]:
    known = x.time[x.time != NO_TIME]
    out = {"share_timed": len(known) / max(1, len(x))}
    if len(known):
        same_user = (x.user[1:] == x.user[:-1]) & (x.time[1:] == x.time[:-1]) & (x.time[1:] != NO_TIME)
        out |= {"first": float(known.min()), "last": float(known.max()), "days": float(np.ptp(known)) / DAY}
        out["share_tied"] = float(same_user.sum()) / len(known)
    return out


def _look_sizes(v: _View) -> Iterator[Finding]:
    n = v.numbers
    if not n["events"]:
        yield Finding("no_events", "problem", "there is no event", "recommendations will rest on text and graph alone")
    else:
        text = f"{n['density']:.3%} of user-item pairs met, median {n['median_events_per_user']:.0f} events a user"
        yield Finding("density", "info", text)
    if n["repeated"] > 0.5:
        text = f"{n['repeated']:.0%} of events repeat an earlier (user, item)"
        yield Finding("repeats", "advice", text, "if people consume items again, recommend with exclude_seen=False")


def _look_cold(v: _View) -> Iterator[Finding]:
    n = v.numbers
    cold, thin = n["share_items_without_events"], n["share_items_at_most_5"]
    if cold > 0:
        level: Severity = "advice" if cold < 0.5 else "warning"
        advice = "give items text or a graph: it is all that can speak for them"
        yield Finding("items_without_events", level, f"{cold:.1%} of the catalogue has no event", advice)
    if thin > 0.5:
        yield Finding(
            "sparse_items", "advice", f"{thin:.0%} of items have 5 events or fewer", "evaluate by item popularity"
        )
    if n["share_users_at_most_3"] > 0.3:
        text = f"{n['share_users_at_most_3']:.0%} of users have 3 events or fewer"
        yield Finding("sparse_users", "advice", text, "evaluate with few_shot, and give a users table if there is one")


def _look_times(v: _View) -> Iterator[Finding]:
    n, x = v.numbers, v.events
    if not len(x):
        return
    if not x.has_time:
        text = f"{n['share_timed']:.0%} of events have a time"
        yield Finding("no_times", "warning", text, "give a time column: order and a split by time need it")
    elif n["days"] < 1:
        yield Finding("short_span", "warning", "all events fall within a day", "check the unit of the time column")
    if n.get("share_tied", 0) > 0.3:
        text = f"{n['share_tied']:.0%} of events have the time of the user's event before"
        yield Finding("tied_times", "advice", text, "do not read meaning into the order within a sitting")
    if late := int((x.time > v.now).sum()):
        text = f"{late:,} {'event lies' if late == 1 else 'events lie'} after now"
        yield Finding("future_events", "problem", text, "correct the clock or the time zone")


def _look_leakage(v: _View) -> Iterator[Finding]:
    x = v.events
    tables = [("items", v.data.catalog.table, np.bincount(x.item, minlength=x.n_items))]
    if v.data.user_table is not None:
        tables.append(("users", v.data.user_table, x.user_counts()))
    for name, table, counts in tables:
        for column, why in outcome_columns(table, counts).items():
            text = f"column {column!r} of {name} may know the outcome: {why}"
            yield Finding(
                "leakage", "warning", text, "leave it out of the text and attributes, or cut it at training time"
            )
    if early := events_before_added(v.data.catalog.table, x):
        few = "item has events before the day it was" if early == 1 else "items have events before the day they were"
        text = f"{early:,} {few} added"
        yield Finding("before_added", "warning", text, "check that column; a split by arrival would leak")


def _look_text(v: _View) -> Iterator[Finding]:
    texts = item_texts(v.data.catalog.table)
    covered = 1 - texts.null_count() / max(1, len(texts))
    v.numbers["text_coverage"] = covered
    if covered < 0.9:
        level: Severity = "warning" if covered < 0.5 else "advice"
        advice = "items without text and without events cannot be placed"
        yield Finding("text_coverage", level, f"{covered:.0%} of items have a text", advice)
    known = texts.drop_nulls()
    if not len(known):
        return
    shares = languages(known)
    v.numbers.update({f"text_{name}": share for name, share in shares.items()})
    v.numbers["text_median_characters"] = float(np.median(known.str.len_chars().to_numpy()))
    said = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.005)
    many = shares["english"] < 0.9
    yield Finding(
        "language", "advice" if many else "info", f"texts: {said}", "use a multilingual encoder" if many else ""
    )


def _look_graph(v: _View) -> Iterator[Finding]:
    if v.data.graph is None or not len(v.data.graph):
        return
    found = link_agreement(v.data.graph, v.data.catalog)
    if found.pairs:
        v.numbers.update({"graph_pairs": found.pairs, "graph_tied": found.tied, "graph_chance": found.chance})
    yield from disagreement(found)


def disagreement(found: Agreement) -> Iterator[Finding]:
    """What to do where a graph ties items alike no more often than any others."""
    if found.agrees is False:
        yield Finding(
            "links_disagree",
            "warning",
            f"of {found.pairs:,} pairs of items that share a value of a column the graph ties {found.tied:.1%}, of any "
            f"two items {found.chance:.1%}",
            "its links may name the wrong items: compare titles with what it says of them (warmstart graph show)",
        )


def _look_ratings(v: _View) -> Iterator[Finding]:
    known = v.events.rating[~np.isnan(v.events.rating)]
    if not len(known):
        return
    low, mid, high = (float(q) for q in np.quantile(known, [0, 0.5, 1]))
    v.numbers.update({"rating_min": low, "rating_median": mid, "rating_max": high})
    yield Finding(
        "ratings", "info", f"ratings from {low:g} to {high:g}, median {mid:g}, {len(np.unique(known))} values"
    )
    most = np.quantile(known, 0.99, method="lower") - np.quantile(known, 0.01, method="higher")
    if 0 < 3 * most < high - low:
        advice = "give the scale: --scale LOW,HIGH; in Python scale=(low, high)"
        yield Finding("rating_scale", "warning", f"a few ratings lie far out ({low:g} to {high:g})", advice)


def _look_ingest(v: _View) -> Iterator[Finding]:
    if v.ingest is None:
        return
    rows = sum(v.ingest.rows.values())
    share = v.ingest.n_refused / max(1, rows)
    if v.ingest.n_refused:
        level: Severity = "problem" if share > 0.2 else "warning" if share > 0.01 else "info"
        advice = "write them out (--rejects FILE; in Python rejects=) and look at a few"
        yield Finding("refused", level, v.ingest.told, advice)
    yield from _unmatched(v.ingest.repairs.get(UNDESCRIBED, 0), int((np.bincount(v.events.item) > 0).sum()))
    yield from (Finding("repair", "info", f"{what}: {n:,}") for what, n in v.ingest.repairs.items())


def _unmatched(strange: int, met: int) -> Iterator[Finding]:
    """Items of the events that the items table does not describe, where they are many."""
    if 2 * strange > met:
        few = f"none of {met:,} ids" if strange == met else f"only {met - strange:,} of {met:,} ids"
        text = f"{few} of items in the events {'is' if met - strange < 2 else 'are'} in the items table"
        advice = "write ids alike in both, or name the column: --map item_id=NAME; in Python columns="
        yield Finding("items_unmatched", "problem" if strange == met else "warning", text, advice)


CHECKS: tuple[Callable[[_View], Iterator[Finding]], ...] = (
    _look_sizes,
    _look_cold,
    _look_times,
    _look_leakage,
    _look_text,
    _look_graph,
    _look_ratings,
    _look_ingest,
)
