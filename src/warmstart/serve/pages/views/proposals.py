"""What each expert proposes beside the fused list, and what stands in no list because something keeps it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.answers import answered
from warmstart.interests.steer import Steering, Wishes
from warmstart.serve.asker import Asker
from warmstart.serve.lines import Line, Wanted, pool_of
from warmstart.serve.pages.views.listing import Named, names_of
from warmstart.serve.service import Moment

DEEP, KEPT_OUT = 40, 10  # places looked at for what was kept out, and items told of


@dataclass(frozen=True)
class Expert:
    """One expert: its own list, and at which rank it sees each item of the fused list (0 = it cannot say)."""

    name: str
    top: tuple[Named, ...]
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class KeptOut:
    """An item that would stand at ``rank`` if nothing kept it out; ``why`` is seen, hidden, filter or off."""

    rank: int
    item: Named
    why: str


def experts(moment: Moment, asker: Asker, wanted: Wanted, lines: Sequence[Line]) -> list[Expert]:
    """Every expert's best items among those that may be shown."""
    f, codes = moment.snapshot.fitted, [line.code for line in lines]
    wishes = Wishes.of(f.concepts, Steering(wanted.without, wanted.more))
    pool = pool_of(moment.snapshot, asker, wanted) & ~wishes.barred
    found, names = [], names_of(moment.snapshot)
    for name, scores in f.panel.score(wishes.heard(asker.histories(moment.live.engine, f))).items():
        score = np.where(pool & ~np.isnan(scores[0]), scores[0], -np.inf)
        order = np.argsort(-score, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(1, len(order) + 1)
        rank[np.isneginf(score)] = 0
        best = [code for code in order[: wanted.k].tolist() if rank[code]]
        found.append(Expert(name, tuple(names[c] for c in best), tuple(rank[codes].tolist())))
    return found


def kept_out(moment: Moment, asker: Asker, wanted: Wanted) -> list[KeptOut]:
    """The best of the items that something keeps out of the list, and what."""
    f, snapshot = moment.snapshot.fitted, moment.snapshot
    wishes = Wishes.of(f.concepts, Steering(wanted.without, wanted.more))
    everything, h = np.ones(len(f.catalog), bool), asker.histories(moment.live.engine, f)
    free = Wishes.of(f.concepts, Steering())
    many = min(DEEP + len(asker.seen), len(everything))
    table = answered(f, h, everything, many, False, False, free, moment.live.engine.recipe.order)
    passing, names = snapshot.passing(wanted.filters), names_of(snapshot)
    found = []
    for rank, code in enumerate(f.catalog.items.codes(table["item_id"].to_list()).tolist(), start=1):
        reasons = {
            "seen": f.catalog.items.ids[code] in asker.seen,
            "hidden": not snapshot.shown[code],
            "filter": not passing[code],
            "off": wishes.barred[code],
        }
        why = next((name for name, holds in reasons.items() if holds), "")
        if why:
            found.append(KeptOut(rank, names[code], why))
    return found[:KEPT_OUT]
