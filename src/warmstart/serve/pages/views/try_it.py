"""Try it: the list of somebody, of words, of clicks; where it came from and what it leaves out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from warmstart.serve import verbs
from warmstart.serve.asker import UNSEEN
from warmstart.serve.pages.views.listing import Named, Names, Row, listed, names_of, rows
from warmstart.serve.pages.views.proposals import Expert, KeptOut, experts, kept_out
from warmstart.serve.pages.views.trial import Trial
from warmstart.serve.schemas import Told
from warmstart.serve.service import Service
from warmstart.store.rows import Event

SAMPLES, NEWEST = 6, 8  # people to choose from, and events told of
RECENT = 500  # newest events whose people are offered


@dataclass(frozen=True)
class Happened:
    """A stored event in words."""

    item: Named
    kind: str
    time: int
    value: float | None


@dataclass(frozen=True)
class TryView:
    """What the page shows.

    Parameters
    ----------
    slice
        How much is known of who asks.
    events, attributes
        What is stored of the user; ``history`` are the newest of the events.
    milliseconds
        Of the list, without experts and reasons.
    missing
        Why the store could not tell of the user; None = it could.
    """

    trial: Trial
    model: str
    slice: str
    events: int
    attributes: dict[str, object]
    history: Sequence[Happened]
    clicks: Sequence[Named]
    rows: Sequence[Row]
    milliseconds: float
    missing: str | None
    experts: Sequence[Expert]
    kept_out: Sequence[KeptOut]
    told: Told | None
    found: Sequence[Named]
    samples: Sequence[str]
    columns: Sequence[str]


def try_it(service: Service, trial: Trial) -> TryView:
    """Answer a what-if; nothing of it is stored or counted."""
    moment = service.moment()
    began = time.perf_counter()
    asker, lines = listed(service, moment, trial)
    took = service.elapsed(began)
    f, names = moment.snapshot.fitted, names_of(moment.snapshot)
    stored = service.store.history(trial.user, service.settings.history_limit, impressions=False) if trial.user else []
    known = service.store.user(trial.user) if trial.user else None
    return TryView(
        trial=trial,
        model=moment.live.version,
        slice=asker.slice(sum(e.item_id in f.catalog.items for e in asker.taste), service.settings.few_shot),
        events=len(stored),
        attributes={} if known is None else dict(known.attributes),
        history=[happened(names, e) for e in reversed(stored) if e.kind not in UNSEEN][:NEWEST],
        clicks=[names.of(item_id) for item_id in trial.click],
        rows=rows(service, moment, trial, asker, lines),
        milliseconds=took,
        missing=moment.fallback,
        experts=experts(moment, asker, trial.wanted, lines),
        kept_out=kept_out(moment, asker, trial.wanted),
        told=verbs.explain(service, trial.explain) if trial.why else None,
        found=names.search(trial.find),
        samples=samples(service),
        columns=[c for c in f.catalog.table.columns if c not in ("item_id", "title")],
    )


def happened(names: Names, event: Event) -> Happened:
    """An event in words."""
    return Happened(names.of(event.item_id), event.kind, event.time, event.value)


def samples(service: Service) -> list[str]:
    """Some people to begin with: those who did something last."""
    newest = service.store.events(max(service.store.last_seq() - RECENT, 0), RECENT)
    return list(dict.fromkeys(event.user_id for event in reversed(newest)))[:SAMPLES]
