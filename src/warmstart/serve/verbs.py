"""What can be asked beside recommendations: what is like something, why an item is shown, what somebody is about."""

from __future__ import annotations

from typing import cast

import numpy as np

from warmstart.answers import explained, told_interests
from warmstart.errors import DataError
from warmstart.explain.missing import FILTERED, SEEN, UNKNOWN, Explanation
from warmstart.explain.similar import nearest
from warmstart.interests.steer import Steering, Wishes
from warmstart.serve.asker import Asker
from warmstart.serve.batch import order_of
from warmstart.serve.lines import Line, Wanted, pool_of
from warmstart.serve.live import Snapshot
from warmstart.serve.ratings import rating_of
from warmstart.serve.recommend import filters_of
from warmstart.serve.schemas import (
    ExplainRequest,
    Interest,
    Interests,
    Likeness,
    Placed,
    Question,
    SimilarRequest,
    Status,
    Told,
)
from warmstart.serve.service import Service


def similar(service: Service, ask: SimilarRequest) -> Likeness:
    """Items like an item (by people and content), or like a text (as for an anonymous visitor who typed it).

    Raises
    ------
    DataError
        If the item is unknown.
    """
    moment = service.moment()
    snapshot, filters = moment.snapshot, filters_of(ask.filters)
    if ask.item_id is None:
        asker = Asker(text=ask.text.strip())
        lines = service.lists.listed(moment.live, snapshot, asker, Wanted(k=ask.k, filters=filters))
    else:
        lines = likes(snapshot, ask.item_id, ask.k, snapshot.passing(filters))
    return Likeness(model_version=moment.live.version, items=placed(snapshot, lines))


def likes(snapshot: Snapshot, item_id: str, k: int, pool: np.ndarray) -> tuple[Line, ...]:
    """The k items of the pool nearest to an item; the scores are cosines.

    Raises
    ------
    DataError
        If it is unknown.
    """
    f = snapshot.fitted
    code = int(f.catalog.items.codes([item_id])[0])
    if code < 0:
        raise DataError(f"item_id {item_id!r} is not in the catalogue; add it with POST /v1/items")
    item, score, source = nearest(f.space.z, f.support, code, len(pool) - 1)
    kept = np.flatnonzero(pool[item])[:k]
    names = f.catalog.items.names(item[kept])
    rows = zip(item[kept].tolist(), names, score[kept].tolist(), [source[i] for i in kept.tolist()], strict=True)
    return tuple(Line(code, name, value, str(why)) for code, name, value, why in rows)


def placed(snapshot: Snapshot, lines: tuple[Line, ...]) -> list[Placed]:
    """Lines as the client sees them."""
    return [placed_at(snapshot, line, rank) for rank, line in enumerate(lines, start=1)]


def placed_at(snapshot: Snapshot, line: Line, rank: int) -> Placed:
    """A line at its rank."""
    return Placed(
        item_id=line.item_id,
        title=snapshot.fitted.catalog.titles[line.code],
        score=line.score,
        rank=rank,
        source=line.source,
    )


def explain(service: Service, ask: ExplainRequest) -> Told:
    """Why an item is shown to the asker, or is not; an item that nobody knows is an answer, not an error."""
    moment = service.moment()
    f, snapshot = moment.snapshot.fitted, moment.snapshot
    asker, _ = service.asker(ask, moment.fallback is None)
    code = int(f.catalog.items.codes([ask.item_id])[0])
    filters = {name: list(values) for name, values in filters_of(ask.filters)}
    if code < 0:
        found = Explanation(ask.item_id, ask.item_id, UNKNOWN, None, ask.k, "", None)
    elif not snapshot.shown[code] or ask.item_id in ask.exclude:
        why = "it is excluded by the request" if snapshot.shown[code] else "it is hidden, or was deleted"
        found = Explanation(ask.item_id, f.catalog.title(code), FILTERED, None, ask.k, why, None)
    elif ask.item_id in asker.seen:  # also what is no taste: disliked, or of no weight
        found = Explanation(ask.item_id, f.catalog.title(code), SEEN, None, ask.k, "", None)
    elif (wishes := Wishes.of(f.concepts, Steering(tuple(ask.without)))).barred[code]:
        why = "it belongs to an interest that is switched off"
        found = Explanation(ask.item_id, f.catalog.title(code), FILTERED, None, ask.k, why, None)
    else:
        h = wishes.heard(asker.histories(moment.live.engine, f))
        pool = pool_of(snapshot, asker, Wanted(exclude=frozenset(ask.exclude))) & ~wishes.barred
        found = explained(f, code, h, ask.k, filters, order_of(moment.live, f, Wanted(objective=ask.objective)), pool)
    said = found.to_dict()
    detail = {name: said[name] for name in ("detail", "evidence", "because", "paths")}
    return Told(
        item_id=found.item_id,
        title=found.title,
        status=cast("Status", found.status),
        rank=found.rank,
        k=found.k,
        text=found.text if code >= 0 else f"item {ask.item_id!r} is not in the catalogue; add it with POST /v1/items",
        detail=detail,
        rating=None if code < 0 else rating_of(f, asker.ratings(f), code),
        model_version=moment.live.version,
    )


def interests(service: Service, user_id: str) -> Interests:
    """What sets somebody apart from everybody; somebody without events has none."""
    moment = service.moment()
    asker, _ = service.asker(Question(user_id=user_id), moment.fallback is None)
    f = moment.snapshot.fitted
    h = asker.histories(moment.live.engine, f)
    rows = told_interests(f, h, None).to_dicts()
    found = [
        Interest(
            concept=r["concept"],
            level=r["level"],
            label=r["name"],
            weight=r["weight"],
            share=r["share"],
            common=r["common"],
            trend=r["trend"],
            evidence_items=r["evidence"],
        )
        for r in rows
    ]
    part = asker.slice(int(h.lengths[0]), service.settings.few_shot)
    return Interests(user_id=user_id, model_version=moment.live.version, slice=part, interests=found)
