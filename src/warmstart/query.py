"""From ids, typed texts and filters to what the experts understand."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import polars as pl

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.vocab import Vocabulary
from warmstart.errors import ConfigError, DataError, NotFitted
from warmstart.experts.features import SEPARATOR
from warmstart.experts.ratings.scale import RatingScale

LOG = logging.getLogger(__name__)
Event = str | tuple[str, float]  # an item id, or an item id and its rating
SHOWN = 5  # values of a column that a message repeats


def count_queries(
    users: Sequence[str] | None, histories: Sequence[Sequence[Event]] | None, texts: Sequence[str] | None
) -> int:
    """How many queries were asked; the given lists must be equally long.

    Examples
    --------
    >>> count_queries(["u1", "u2"], None, None)
    2
    """
    given = {"users": users, "histories": histories, "texts": texts}
    lengths = {name: len(v) for name, v in given.items() if v is not None}
    if not lengths:
        raise DataError("nothing was asked; give users=, histories= or texts=")
    for name, value in given.items():
        if isinstance(value, str):
            raise DataError(f"{name}={value!r} is one string; give a list, e.g. {name}=[{value!r}]")
    if len(set(lengths.values())) > 1:
        raise DataError(f"the given lists differ in length ({lengths}); give one entry a query in each")
    return next(iter(lengths.values()))


def resolve_histories(
    data: Dataset | None,
    catalog: Catalog,
    users: Sequence[str] | None,
    histories: Sequence[Sequence[Event]] | None,
    n: int,
    scale: RatingScale | None = None,
) -> Histories:
    """Histories of the queries; item ids that are unknown are left out and counted in the log.

    A given history replaces the stored one; the attributes of a known user count in any case. Unknown users are
    new users.

    Parameters
    ----------
    histories
        Item ids, or pairs of an item id and its rating, oldest first.
    scale
        Within which given ratings must lie; None = they are finite.

    Raises
    ------
    DataError
        If a history is no list, or a rating is no number of the scale.
    NotFitted
        If users are asked about by their stored histories, and there are no data.
    """
    if users is not None and histories is None and data is None:
        raise NotFitted(
            "a loaded engine holds no user data; load it with data= (--data), or give histories= (--history)"
        )
    codes = np.full(n, -1, np.int32) if users is None or data is None else data.users.codes([str(u) for u in users])
    if histories is None:
        h = Histories.of([[]] * n, len(catalog)) if data is None else Histories.of_users(data.interactions, codes)
        h = replace(h, n_items=len(catalog))
    else:
        h = given_histories(histories, catalog, scale)
    if data is not None and users is not None:
        h = replace(h, attributes=data.attributes(codes))
    return h


def given_histories(
    histories: Sequence[Sequence[Event]], catalog: Catalog, scale: RatingScale | None = None
) -> Histories:
    """Histories as they were given, see ``resolve_histories``; with ratings where some event has one.

    Examples
    --------
    >>> c = Catalog(pl.DataFrame({"item_id": ["a", "b"]}))
    >>> h = given_histories([["a", ("b", 4)], []], c)
    >>> h.item.tolist(), h.lengths.tolist(), h.rating.tolist()
    ([0, 1], [2, 0], [nan, 4.0])
    """
    rows, ratings, unknown = list[np.ndarray](), list[float](), 0
    for history in histories:
        if isinstance(history, str):
            raise DataError(f"history {history!r} is one string; give a list of item ids, oldest first")
        if isinstance(history, tuple) and len(history) == 2 and isinstance(history[1], Real):
            raise DataError(f"history {history!r} is one rated item; give a list of them, [{history!r}]")
        events = [(str(e), np.nan) if not isinstance(e, tuple | list) else pair(e, scale) for e in history]
        codes = catalog.items.codes([item for item, _ in events])
        unknown += int((codes < 0).sum())
        rows.append(codes[codes >= 0])
        ratings += [value for (_, value), code in zip(events, codes.tolist(), strict=True) if code >= 0]
    if unknown:
        LOG.warning("%d item ids of the histories are not in the catalogue and were left out", unknown)
    h, rating = Histories.of(rows, len(catalog)), np.array(ratings, np.float32)
    return replace(h, rating=rating) if np.isfinite(rating).any() else h


def pair(given: Any, scale: RatingScale | None = None) -> tuple[str, float]:
    """An item and its rating, checked.

    Raises
    ------
    DataError
        If it is none, or the rating is no finite number, or outside the scale.

    Examples
    --------
    >>> pair(("i1", 4)), pair(["i2", 2.5])
    (('i1', 4.0), ('i2', 2.5))
    >>> pair("i1")
    Traceback (most recent call last):
    ...
    warmstart.errors.DataError: a history of ratings holds 'i1'; write an item and its rating, e.g. ('i1', 4)
    """
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise DataError(f"a history of ratings holds {given!r}; write an item and its rating, e.g. ('i1', 4)")
    item, value = given
    if not isinstance(value, Real) or not np.isfinite(float(value)):
        raise DataError(f"the rating of item {item!r} is {value!r}; give a finite number")
    if scale is not None and not scale.holds(float(value)):
        raise DataError(f"the rating of item {item!r} is {value:g}; the scale is {scale}")
    return str(item), float(value)


def aligned(data: Dataset, catalog: Catalog) -> Dataset:
    """A dataset whose item codes are those of the engine's catalogue; events of items it lacks are left out."""
    if data.catalog.items == catalog.items:
        return data
    to = catalog.items.codes(list(data.catalog.items.ids))
    x = data.interactions
    kept = x.select(to[x.item] >= 0)
    events = replace(kept, item=to[kept.item], n_items=len(catalog))
    return replace(data, interactions=events, catalog=catalog, features=None)


def candidate_mask(items: Vocabulary, candidates: Sequence[str] | None) -> np.ndarray:
    """Items that may be recommended: bool, shape (n_items,); unknown ids are counted in the log.

    Examples
    --------
    >>> candidate_mask(Vocabulary(["a", "b"]), ["b"]).tolist()
    [False, True]
    """
    if candidates is None:
        return np.ones(len(items), bool)
    codes = items.codes([str(c) for c in candidates])
    if (codes < 0).any():
        LOG.warning("%d candidates are not in the catalogue and were left out", int((codes < 0).sum()))
    mask = np.zeros(len(items), bool)
    mask[codes[codes >= 0]] = True
    return mask


def numbers(texts: Iterable[str]) -> list[float]:
    """Those of the texts that are numbers, in whatever way they are written.

    Examples
    --------
    >>> numbers(["9", "9.50", "nine"])
    [9.0, 9.5]
    """
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(float(text))
    return found


def filter_mask(catalog: Catalog, filters: Mapping[str, object] | None) -> np.ndarray:
    """Items that pass every filter: bool, shape (n_items,).

    A filter names a column and a value, or several of which one must be met; cells with several values
    (``Comedy|Drama``) pass if one of them is met; case does not matter. A filter that nothing passes is logged.

    Examples
    --------
    >>> c = Catalog(pl.DataFrame({"item_id": ["a", "b"], "genres": ["Comedy|Drama", "Horror"]}))
    >>> filter_mask(c, {"genres": "drama"}).tolist()
    [True, False]
    """
    mask = np.ones(len(catalog), bool)
    for column, wanted in (filters or {}).items():
        if column not in catalog.table.columns:
            raise ConfigError(f"filter names column {column!r}; the catalogue has {catalog.table.columns}")
        several = wanted if isinstance(wanted, list | tuple | set) else [wanted]
        accepted, cells = {str(w).lower() for w in several}, catalog.table[column]
        if cells.dtype.is_numeric():
            mask &= cells.cast(pl.Float64).is_in(numbers(accepted)).fill_null(value=False).to_numpy()
            continue
        if cells.dtype == pl.List:
            cells = cells.cast(pl.List(pl.String)).list.join("|")
        values = cells.cast(pl.String).fill_null("").to_list()
        passed = [v.lower() in accepted or bool(accepted & set(SEPARATOR.split(v.lower()))) for v in values]
        if not any(passed):
            found = ", ".join(list(dict.fromkeys(v for v in values if v))[:SHOWN])
            LOG.warning("no item has %r in column %r, which holds e.g. %s", wanted, column, found or "nothing")
        mask &= np.array(passed, bool)
    return mask
