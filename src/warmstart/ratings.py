"""Ratings predicted for users and histories, by ids."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.graph_users import impersonal
from warmstart.errors import DataError, NotFitted, require
from warmstart.experts.panel import Progress
from warmstart.experts.ratings.elicit import worth_asking
from warmstart.experts.ratings.machine import sampler
from warmstart.experts.ratings.model import FittedRatings, RatingModel
from warmstart.experts.ratings.rated import Rated as LastRatings
from warmstart.experts.ratings.scale import RatingScale
from warmstart.fitted import Fitted
from warmstart.query import aligned, given_histories, pair, resolve_histories
from warmstart.rerank.rated import LACKING

LOG = logging.getLogger(__name__)
Rated = Sequence[tuple[str, float]]  # item id and rating, oldest first


def predicted(
    ratings: FittedRatings,
    catalog: Catalog,
    data: Dataset | None,
    items: Sequence[str],
    users: Sequence[str] | None,
    histories: Sequence[Rated] | None,
) -> pl.DataFrame:
    """One row a pair, in order: ``rating``, ``low``, ``high``; null for an item that is not in the catalogue.

    Parameters
    ----------
    items
        One id a pair.
    users, histories
        Who, one a pair: by id, or by the ratings that are known; neither = somebody of whom nothing is known. Where
        both are given the ratings replace the stored ones, and the attributes of the user still count.

    Raises
    ------
    DataError
        If the lists differ in length, or a rating is no finite number.
    NotFitted
        If users are asked about by their stored ratings, and there are no data.
    """
    for name, given in (("users", users), ("histories", histories)):
        if given is not None and len(given) != len(items):
            raise DataError(f"{len(given)} {name} for {len(items)} items; give one of each a pair")
    if histories is not None:
        once: dict[tuple[str, tuple[tuple[str, float], ...]], int] = {}
        whose = zip(users or [""] * len(items), (tuple(map(pair, row)) for row in histories), strict=True)
        query = np.array([once.setdefault(one, len(once)) for one in whose], np.int64)
        people = given_histories([row for _, row in once], catalog, ratings.scale)
        if users is not None and data is not None:
            people = replace(people, attributes=data.attributes(data.users.codes([user for user, _ in once])))
    else:
        ids, query = np.unique(np.array(users or ["" for _ in items], dtype=str), return_inverse=True)
        known = list(ids) if users is not None else None
        people = resolve_histories(data, catalog, known, None, len(ids))
    code = catalog.items.codes([str(i) for i in items])
    found = np.full((3, len(items)), np.nan)
    there = code >= 0
    found[:, there] = ratings.predict(people, query[there], code[there])
    return pl.DataFrame(dict(zip(("rating", "low", "high"), found, strict=True))).fill_nan(None)


def with_ratings(fitted: Fitted, data: Dataset | None, model: RatingModel, progress: Progress | None = None) -> Fitted:
    """An engine's parts, with ratings learned from the data at hand.

    Raises
    ------
    NotFitted
        If there are none.
    """
    if data is None:
        raise NotFitted(LACKING)
    data = replace(aligned(impersonal(data), fitted.catalog), graph=fitted.graph)  # as far as the engine believes it
    known = (fitted.judged or fitted.space).describe(data)
    return replace(fitted, ratings=model.fit(known, progress))


def check_rated(data: Dataset, model: RatingModel) -> None:
    """Refuse at once what would fail after all else was learned.

    Raises
    ------
    DataError
        If there are no ratings, or all are the same.
    MissingExtra
        If ``warmstart[ratings]`` is not installed, or ``warmstart[lm]`` for a model with a head.
    """
    try:
        RatingScale.of(LastRatings.of(data.interactions).value)
    except DataError as error:
        wrong = str(error).rpartition("; ")[0]
        raise DataError(f"{wrong}; give a column of ratings, or leave out the objective and [ratings]") from None
    sampler()
    if model.head is not None:
        require("torch", extra="lm")
        require("transformers", extra="lm")


def questions(
    ratings: FittedRatings, catalog: Catalog, data: Dataset | None, history: Rated | None, user: str | None, k: int
) -> pl.DataFrame:
    """The ``k`` items whose rating would tell most about somebody: ``item_id``, ``gain``; see ``worth_asking``.

    Who it is tells ``user``, by id, or ``history``, by the ratings that are known; neither = somebody new.
    """
    if k < 1:
        raise DataError(f"k={k}; ask for at least 1 item")
    if user is not None and history is not None:
        raise DataError(f"a history and the user {user!r} were given; take one of them")
    person = given_histories([tuple(map(pair, history or ()))], catalog, ratings.scale)
    if user is not None:
        person = resolve_histories(data, catalog, [user], None, 1)
    item, gain = worth_asking(ratings, person, k)
    names = pl.Series(catalog.items.names(item.tolist()), dtype=pl.String)
    return pl.DataFrame({"item_id": names, "gain": gain})
