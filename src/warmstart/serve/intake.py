"""Rows that clients send: each is checked by itself, good ones are taken, others told with their place and remedy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from warmstart.errors import DataError
from warmstart.serve import catalogue
from warmstart.serve.schemas import Asked, Id, Value
from warmstart.serve.service import Service
from warmstart.serve.times import seconds
from warmstart.serve.widening import widen, widening
from warmstart.store.rows import Event, Item, User

FIELDS = 200  # columns of an item or a user
TEXT = "constrained-str"  # what pydantic calls a text of limited length, in the place of a mistake
Text = Annotated[str, StringConstraints(max_length=100_000)]
Fields = Annotated[dict[Id, Text | int | float | bool | list[Text] | None], Field(max_length=FIELDS)]
R = TypeVar("R")
S = TypeVar("S", bound=BaseModel)


class ItemIn(Asked):
    """An item; a known one is replaced."""

    item_id: Id = Field(examples=["i1"])
    fields: Fields = Field(
        {},
        description="Columns of the catalogue; its text speaks for it until people do.",
        examples=[{"title": "Alien", "genres": ["SF", "Horror"], "year": 1979}],
    )
    hidden: bool = Field(False, description="Kept, but not recommended.")


class UserIn(Asked):
    """Somebody; a known user is replaced."""

    user_id: Id = Field(examples=["u1"])
    attributes: dict[Id, Value | None] = Field(
        {}, description="What is known beside the events.", max_length=FIELDS, examples=[{"age": 34}]
    )


class EventIn(Asked):
    """What somebody did. Sent twice, it counts once: by its event_id, or without one by all that it says."""

    user_id: Id = Field(examples=["u1"])
    item_id: Id = Field(examples=["i1"])
    kind: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        "view", description="impression, view, click, like, dislike, skip, cart, buy, rate, dwell, satisfaction, ..."
    )
    time: str | int | float | None = Field(
        None, description="Seconds, milliseconds or ISO 8601; null = now.", examples=["2026-01-31T12:00:00Z"]
    )
    value: float | None = Field(
        None, description="Of a rating, seconds of a dwell, a satisfaction, an amount.", allow_inf_nan=False
    )
    weight: float | None = Field(None, ge=0, le=1e6, description="Null = as the settings weigh its kind.")
    event_id: Id | None = None
    recommendation_id: Id | None = Field(None, description="The answer that led to it.")


class Refused(BaseModel):
    """A row that was not taken."""

    index: int = Field(description="Its place in the request, from 0.")
    field: str
    error: str


class Taken(BaseModel):
    """What became of the rows of a request."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": 2, "new": 2, "rejected": []}]})

    accepted: int = Field(description="Rows that are stored, now or before.")
    new: int = Field(description="Rows that were not stored before; of items and users: all accepted.")
    rejected: list[Refused] = []


def checked(rows: Sequence[Any], form: type[S], make: Callable[[S, int], R]) -> tuple[list[R], list[Refused]]:
    """The good rows as ``make`` makes them, and why the others are not.

    Examples
    --------
    >>> good, bad = checked([{"user_id": "u"}, {"name": 1}], UserIn, lambda row, index: row.user_id)
    >>> good, bad[0].index, bad[0].field
    (['u'], 1, 'user_id')
    """
    adapter, good, refused = TypeAdapter(form), [], []
    for index, row in enumerate(rows):
        try:
            good.append(make(adapter.validate_python(row), index))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            named = [str(part) for part in first["loc"] if not str(part).endswith(("]", TEXT))]
            place = ".".join(named) or "row"
            refused.append(Refused(index=index, field=place, error=first["msg"]))
        except DataError as error:
            field, _, why = str(error).partition(" ")
            refused.append(Refused(index=index, field=field, error=why))
    return good, refused


def events(service: Service, rows: Sequence[Any]) -> Taken:
    """Append events; returns when they are on the disk.

    Raises
    ------
    StoreUnavailable
        If none could be written.
    """
    good, refused = checked_events(service, rows)
    new = service.writer.events(good) if good else 0
    service.metrics.events(new, len(refused), len(good) - new)
    return Taken(accepted=len(good), new=new, rejected=refused)


def checked_events(service: Service, rows: Sequence[Any]) -> tuple[list[Event], list[Refused]]:
    """Events as they would be stored, and why others are not; nothing is written."""
    now = service.clock.now()
    return checked(rows, EventIn, lambda row, index: event_of(row, now))


def event_of(row: EventIn, now: int) -> Event:
    """An event as it is stored."""
    at = now if row.time is None else seconds(row.time, "time")
    name = row.event_id or digest(row, at)
    return Event(name, row.user_id, row.item_id, row.kind, at, row.value, row.weight, row.recommendation_id)


def digest(row: EventIn, at: int) -> str:
    """An id made of all that an event says: equal events, equal ids.

    Examples
    --------
    >>> digest(EventIn(user_id="u", item_id="i"), 5) == digest(EventIn(user_id="u", item_id="i", kind="view"), 5)
    True
    """
    said = [row.user_id, row.item_id, row.kind, at, row.value, row.recommendation_id]
    if row.weight is not None:
        said.append(row.weight)
    return "h" + hashlib.blake2b(orjson.dumps(said), digest_size=16).hexdigest()


def items(service: Service, rows: Sequence[Any]) -> Taken:
    """Add items or replace them; they can be recommended in the next request."""
    with widening(service) if _brings_columns(service, rows) else nullcontext():
        good, refused = checked_items(service, rows)
        last = list({item.item_id: item for item in good}.values())  # of an item sent twice the last one counts
        if last:
            service.store.put_items(last)
    return Taken(accepted=len(good), new=len(last), rejected=refused)


def checked_items(service: Service, rows: Sequence[Any]) -> tuple[list[Item], list[Refused]]:
    """Items as they would be stored, and why others are not; nothing is written."""
    snapshot = service.models.serving.snapshot
    if _brings_columns(service, rows):
        snapshot = service.moment().snapshot  # with what other requests have just brought
    schema, columns = snapshot.fitted.catalog.table.schema, set(snapshot.columns)

    def made(row: ItemIn, index: int) -> Item:
        wrong = catalogue.misfit(row.fields, schema)
        if wrong is not None:
            raise DataError(f"fields.{wrong[0]} {wrong[1]}")
        widen(columns, row.fields)
        return Item(row.item_id, row.fields, row.hidden)

    return checked(rows, ItemIn, made)


def _brings_columns(service: Service, rows: Sequence[Any]) -> bool:
    known = service.models.serving.snapshot.columns
    given = (row.get("fields") for row in rows if isinstance(row, dict))
    return any(not fields.keys() <= known for fields in given if isinstance(fields, dict))


def users(service: Service, rows: Sequence[Any]) -> Taken:
    """Add users or replace what is known of them."""
    good, refused = checked_users(rows)
    last = list({user.user_id: user for user in good}.values())
    if last:
        service.store.put_users(last)
    return Taken(accepted=len(good), new=len(last), rejected=refused)


def checked_users(rows: Sequence[Any]) -> tuple[list[User], list[Refused]]:
    """Users as they would be stored, and why others are not; nothing is written."""
    return checked(rows, UserIn, lambda row, index: User(row.user_id, row.attributes))
