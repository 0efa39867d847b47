"""Ratings that somebody would give, with their intervals, and which items to ask about next."""

from __future__ import annotations

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.ratings.elicit import worth_asking
from warmstart.experts.ratings.model import FittedRatings
from warmstart.experts.ratings.rated import Known
from warmstart.fitted import Fitted
from warmstart.rerank.rated import LACKING
from warmstart.serve.problems import Problem
from warmstart.serve.schemas import (
    AskRequest,
    Heard,
    Questions,
    RatedItem,
    Rating,
    Ratings,
    RatingsRequest,
    Who,
    WorthAsking,
)
from warmstart.serve.service import Moment, Service


def predict(service: Service, ask: RatingsRequest) -> Ratings:
    """Ratings of the items, in the order they are asked about; each of them once.

    Raises
    ------
    Problem
        404 where the model that serves has learned no ratings.
    """
    moment = service.moment()
    ratings, h, heard = known_of(service, moment, ask)
    catalog, wanted = moment.snapshot.fitted.catalog, list(dict.fromkeys(ask.items))
    codes = catalog.items.codes(wanted)
    there = (codes >= 0) & moment.snapshot.shown[codes]  # of code -1 the last item is looked at, and not counted
    found = predicted(ratings, h, codes[there])
    items = [
        RatedItem(item_id=catalog.items.ids[code], title=catalog.titles[code], **one.model_dump())
        for code, one in zip(codes[there].tolist(), found, strict=True)
    ]
    return Ratings(
        items=items,
        unknown=[name for name, kept in zip(wanted, there.tolist(), strict=True) if not kept],
        level=ratings.trust.level,
        **heard.model_dump(),
    )


def questions(service: Service, ask: AskRequest) -> Questions:
    """The items whose rating would tell most about somebody, best first; hidden ones are not asked about.

    Raises
    ------
    Problem
        404 where the model that serves has learned no ratings.
    """
    moment = service.moment()
    ratings, h, heard = known_of(service, moment, ask)
    catalog = moment.snapshot.fitted.catalog
    codes, gains = worth_asking(ratings, h, ask.k, moment.snapshot.shown)
    items = [
        WorthAsking(item_id=catalog.items.ids[code], title=catalog.titles[code], gain=gain)
        for code, gain in zip(codes.tolist(), gains.tolist(), strict=True)
    ]
    return Questions(items=items, **heard.model_dump())


def known_of(service: Service, moment: Moment, who: Who) -> tuple[FittedRatings, Histories, Heard]:
    """What predicts ratings, what is known of somebody, and what of their ratings was heard."""
    f = moment.snapshot.fitted
    if f.ratings is None:
        what, _, remedy = LACKING.partition("; ")
        raise Problem(404, "No ratings here", what, remedy=remedy, code="no_ratings")
    asker, why = service.asker(who.question, moment.fallback is None)
    h, scale, items = asker.ratings(f), f.ratings.scale, f.catalog.items
    heard = Heard(
        model_version=moment.live.version,
        known=int(Known.of(h).lengths[0]),
        unheard=[item for item in asker.rated if item not in items],
        outside=[item for item, value in asker.rated.items() if item in items and not scale.holds(value)],
        fallback=why,
    )
    return f.ratings, h, heard


def rating_of(f: Fitted, h: Histories, item: int) -> Rating | None:
    """The rating of one item by one person (``len(h) == 1``); None where the model has learned no ratings."""
    return None if f.ratings is None else predicted(f.ratings, h, np.array([item]))[0]


def predicted(ratings: FittedRatings, h: Histories, items: np.ndarray) -> list[Rating]:
    """Ratings of items, int codes of shape (n,), by one person."""
    rows = zip(*(part.tolist() for part in ratings.predict(h, np.zeros(len(items), np.int64), items)), strict=True)
    return [Rating(rating=rating, low=low, high=high) for rating, low, high in rows]
