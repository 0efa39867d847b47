"""What the store holds as a dataset, to fit an engine anew; and an engine's own dataset into the store."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from sqlalchemy import Connection, Select, select

from warmstart.data.catalog import ITEM_ID, Catalog
from warmstart.data.clean import HEAVIEST, MAX_KINDS, NO_KIND
from warmstart.data.dataset import USER_ID, Dataset
from warmstart.data.ids import infer_types
from warmstart.data.interactions import Interactions
from warmstart.data.series import series_of
from warmstart.data.tables import TEXTS, catalog_of, users_of
from warmstart.data.tables import Part as Shaped
from warmstart.errors import DataError
from warmstart.store.frames import pages
from warmstart.store.part import Part
from warmstart.store.tables import EVENTS, ITEMS, USERS

RATE = "rate"  # the kind of event whose value is a rating
PAGE = 50_000
_SCHEMA = {
    USER_ID: pl.String(),
    ITEM_ID: pl.String(),
    "kind": pl.String(),
    "time": pl.Int64(),
    "value": pl.Float64(),
    "weight": pl.Float64(),
}
_EVENTS = select(*(EVENTS.c[name] for name in _SCHEMA)).order_by(EVENTS.c.seq)
_ITEMS = select(ITEMS.c.item_id, ITEMS.c.fields).where(ITEMS.c.deleted_at == 0)
_DELETED = select(ITEMS.c.item_id).where(ITEMS.c.deleted_at > 0)
_USERS = select(USERS.c.user_id, USERS.c.attributes).order_by(USERS.c.added_at, USERS.c.user_id)


class Learned(Part):
    """Data to learn from."""

    def dataset(self, weights: Mapping[str, float] | None = None, until: int | None = None) -> Dataset:
        """Everything of one moment, laid out as ``data.ingest.read`` lays it out.

        The weight of an event is its own, or else that of its kind; events of weight 0 or less, and those with items
        that were deleted, are left out. The rating of an event is its value if its kind is ``rate``. Items are those of
        the store (hidden ones too), oldest first, then those met only in events.

        Parameters
        ----------
        weights
            Weight of each kind of event; kinds that are not named weigh 1.
        until
            The last event to count, by ``Event.seq``; None = all.

        Raises
        ------
        DataError
            If there is neither an item nor an event, or there are too many kinds of event.
        """
        with self.database.snapshot() as connection:
            query = _EVENTS if until is None else _EVENTS.where(EVENTS.c.seq <= until)
            events = _weighted(connection, query, dict(weights or {}))
            items = _described(connection, _ITEMS.order_by(ITEMS.c.added_at, ITEMS.c.item_id), ITEM_ID)
            users = _described(connection, _USERS, USER_ID)
        return _dataset(events, items, users)


def _weighted(connection: Connection, query: Select, weights: Mapping[str, float]) -> pl.DataFrame:
    """Events that count: ids, kind, time, value, weight > 0."""
    deleted = pl.Series(connection.execute(_DELETED).scalars().all(), dtype=pl.String)
    own = pl.col("kind").replace_strict(list(weights), list(weights.values()), default=1.0, return_dtype=pl.Float64)
    weight = pl.coalesce("weight", own if weights else pl.lit(1.0))
    counted = [
        page.with_columns(weight.fill_nan(0.0).clip(upper_bound=HEAVIEST).alias("weight")).filter(
            pl.col("weight") > 0, ~pl.col(ITEM_ID).is_in(deleted.implode())
        )
        for page in pages(connection, query, _SCHEMA, PAGE)
    ]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *counted])


def _described(connection: Connection, query: Select, key: str) -> pl.DataFrame:
    """Ids and the columns of their JSON, each of one type."""
    rows = [(name, fields) for name, fields in connection.execute(query)]
    names: dict[str, None] = dict.fromkeys(name for _, fields in rows for name in fields if name != key)
    columns = [series_of(name, [fields.get(name) for _, fields in rows]) for name in names]
    frame = pl.DataFrame([pl.Series(key, [name for name, _ in rows], dtype=pl.String), *columns])
    return infer_types(frame, keep=(key, *TEXTS))


def _dataset(events: pl.DataFrame, items: pl.DataFrame, described: pl.DataFrame) -> Dataset:
    catalog, _ = catalog_of(Shaped(items, pl.DataFrame()), events[ITEM_ID])
    if not len(catalog):
        raise DataError("the store holds neither an item nor an event; put some in first")
    users, table = users_of(Shaped(described, pl.DataFrame()), events[USER_ID])
    kinds = tuple(events["kind"].unique(maintain_order=True).to_list()) or (NO_KIND,)
    if len(kinds) > MAX_KINDS:
        raise DataError(f"events are of {len(kinds):,} kinds, at most {MAX_KINDS} can be learned; weigh rare kinds 0")
    rating = events.select(pl.when(pl.col("kind") == RATE).then("value").fill_null(float("nan"))).to_series()
    x = Interactions.of(
        users.codes_of(events[USER_ID]),
        catalog.items.codes_of(events[ITEM_ID]),
        n_users=len(users),
        n_items=len(catalog),
        weight=events["weight"].to_numpy(),
        rating=rating.to_numpy(),
        time=events["time"].to_numpy(),
        kind=events["kind"].replace_strict(list(kinds), list(range(len(kinds))), return_dtype=pl.Int64).to_numpy(),
        kinds=kinds,
    )
    return Dataset(x, Catalog(catalog.table), users, None, table)
