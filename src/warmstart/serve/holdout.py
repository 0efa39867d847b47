"""The newest events, held out: what a new model and the serving one are judged by, and neither has learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.interactions import NO_TIME
from warmstart.data.split import Split, given
from warmstart.data.vocab import Vocabulary
from warmstart.engine import Engine
from warmstart.errors import DataError
from warmstart.experts.popularity import FittedPopularity
from warmstart.store.rows import Event, Model
from warmstart.store.store import Store

EVENTS, QUERIES = 30, 10  # the least to judge by
MOST = 5_000  # queries asked; of more, so many are drawn
PAGE = 20_000  # events read at once
ORIGIN, REFIT = "origin", "refit"  # in the report of a model that a refit made


@dataclass(frozen=True)
class Cut:
    """Where the past ends.

    Parameters
    ----------
    seq
        The last event to learn from, by ``Event.seq``.
    last
        The last event to judge by.
    held
        Events between the two that count.
    fair
        Whether the serving model has learned from none of them.
    """

    seq: int
    last: int
    held: int
    fair: bool


def cut_of(store: Store, weights: Mapping[str, float], share: float, serving: Model, last: int) -> Cut:
    """The newest ``share`` of the events that count, in the order of their arrival, is the future.

    Of the events that came after the serving model was fitted at most half are held out, so that there is something new
    to learn. Where that leaves fewer than ``EVENTS`` to judge by, the newest share is held out although the serving
    model may have learned from it: it is then flattered, and the cut says so.

    Raises
    ------
    DataError
        If there are too few events to judge by.
    """
    total, new = store.counted(weights, 0, last), store.counted(weights, serving.until, last)
    held = round(share * total)
    if held < EVENTS:
        raise DataError(
            f"of {total:,} events {held} would be held out to judge by, and {EVENTS} are needed; refit when there are "
            f"{round(EVENTS / share):,} events, or raise refit_holdout"
        )
    fair = min(held, new // 2)
    n = fair if fair >= EVENTS else held
    return Cut(store.before_newest(weights, n, last), last, n, fair >= EVENTS)


def known_until(engine: Engine, model: Model) -> int:
    """Seconds since the epoch up to which a model may know events that the store counts as new; -1 = it knows none.

    A refit knows which events it learned from. Of another engine only the time of the newest event is known: its data
    may have been put into the store after it began to serve, and would count as new.
    """
    if model.report.get(ORIGIN) == REFIT:
        return NO_TIME
    experts = engine.fitted.panel.experts.values()
    return max((e.until for e in experts if isinstance(e, FittedPopularity)), default=NO_TIME)


def held_out(store: Store, cut: Cut, weigh: Callable[[Event], float]) -> Iterator[Event]:
    """The events to judge by, in the order of their arrival."""
    after = cut.seq
    while page := store.events(after, PAGE):
        yield from (e for e in page if e.seq <= cut.last and weigh(e) > 0)
        after = page[-1].seq
        if after >= cut.last:
            return


def split_of(train: Dataset, events: Sequence[Event], candidates: Sequence[str], seed: int = 0) -> Split:
    """The task: what is known of people at the cut, and what they took after it.

    Parameters
    ----------
    train
        All that came before the cut.
    events
        Those after it; of items that are no candidates they are left out.
    candidates
        Ids of the items that may be listed.
    seed
        Draws people, where there are more than ``MOST``.

    Raises
    ------
    DataError
        If fewer than ``QUERIES`` people took something new to them.
    """
    people = Vocabulary(dict.fromkeys([*train.users.ids, *(e.user_id for e in events)]))
    world = _with_people(train, people)
    items = world.catalog.items.codes([e.item_id for e in events])
    kept = items >= 0
    users = people.codes([e.user_id for e in events])[kept]
    held = replace(
        world.interactions.select(np.zeros(len(world.interactions), bool)),
        user=users,
        item=items[kept],
        weight=np.ones(len(users), np.float32),
        kind=np.zeros(len(users), np.int8),
        rating=np.full(len(users), np.nan, np.float32),
        time=np.array([e.time for e in events], np.int64)[kept],
    )
    codes = world.catalog.items.codes(list(candidates))
    split = given("newest events", world, held, np.sort(codes[codes >= 0]))
    if len(split) < QUERIES:
        raise DataError(
            f"{len(split)} people took something new to them among the {len(events):,} newest events, and {QUERIES} "
            "are needed to judge by; refit when more have come, or raise refit_holdout"
        )
    if len(split) <= MOST:
        return split
    return split.take(np.sort(np.random.default_rng(seed).choice(len(split), MOST, replace=False)))


def _with_people(data: Dataset, people: Vocabulary) -> Dataset:
    """With users appended of whom nothing is known."""
    new, table = len(people) - len(data.users), data.user_table
    grown = None if table is None else pl.concat([table, table.clear(new)])
    return replace(data, interactions=replace(data.interactions, n_users=len(people)), users=people, user_table=grown)
