"""Routes of what is known: items, users, events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field, WithJsonSchema

from warmstart.serve import intake
from warmstart.serve.intake import EventIn, ItemIn, Taken, UserIn
from warmstart.serve.problems import Problem, problem_responses
from warmstart.serve.schemas import Asked, Value
from warmstart.serve.security import require
from warmstart.serve.service import Service
from warmstart.serve.times import iso
from warmstart.store.rows import Item, User

PAGE = 1_000
READ, WRITE = [Depends(require("read"))], [Depends(require("write"))]
router = APIRouter(prefix="/v1", responses=problem_responses(404))
Key = Annotated[str, Path(min_length=1, max_length=256)]


async def service_of(request: Request) -> Service:
    """The service of the app."""
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(service_of)]


def rows_like(form: type[BaseModel]) -> Any:
    """A list of rows, each of which is checked by itself, documented as a list of ``form``."""
    return Annotated[list[dict[str, Any]], WithJsonSchema({"type": "array", "items": form.model_json_schema()})]


class ItemsIn(Asked):
    """Items to add or replace."""

    items: rows_like(ItemIn)  # type: ignore[valid-type]


class UsersIn(Asked):
    """Users to add or replace."""

    users: rows_like(UserIn)  # type: ignore[valid-type]


class EventsIn(Asked):
    """Events to append."""

    events: rows_like(EventIn)  # type: ignore[valid-type]


class ItemOut(BaseModel):
    """An item as it is stored."""

    item_id: str
    fields: dict[str, Any]
    hidden: bool
    added_at: str
    updated_at: str

    @classmethod
    def of(cls, item: Item) -> ItemOut:
        """From a row."""
        times = (iso(item.added_at), iso(item.updated_at))
        return cls(
            item_id=item.item_id, fields=dict(item.fields), hidden=item.hidden, added_at=times[0], updated_at=times[1]
        )


class ItemPatch(Asked):
    """What changes of an item; a field set to null is taken away."""

    fields: dict[str, Any] = Field(default_factory=dict)
    hidden: bool | None = None


class UserOut(BaseModel):
    """Somebody as they are stored."""

    user_id: str
    attributes: dict[str, Any]
    events: int = Field(description="How many of the newest are looked at.")

    @classmethod
    def of(cls, user: User, events: int) -> UserOut:
        """From a row."""
        return cls(user_id=user.user_id, attributes=dict(user.attributes), events=events)


class UserPatch(Asked):
    """What changes of a user; an attribute set to null is taken away."""

    attributes: dict[str, Value | None]


class ItemPage(BaseModel):
    """Items by id; ``next`` is ``after`` of the next page, null at the end."""

    items: list[ItemOut]
    next: str | None


class ReceiptOut(BaseModel):
    """That somebody was erased, and what that took away; names nobody."""

    receipt_id: str
    erased_at: str
    removed: dict[str, int] = Field(description="Rows by table.")
    models: list[str] = Field(description="Model versions fitted while their events were there; a refit replaces them.")


def limited(service: Service, rows: list[Any]) -> list[Any]:
    """The rows, unless they are more than one request may bring."""
    most = service.settings.row_limit
    if len(rows) > most:
        remedy = f"send at most {most:,} in one request"
        raise Problem(413, "Too many rows", f"{len(rows):,} rows", remedy=remedy)
    return rows


@router.post("/items", dependencies=WRITE, summary="Add items, or replace them")
def post_items(body: ItemsIn, service: Serving) -> Taken:
    """An item can be recommended in the next request: its text and columns speak for it until people do."""
    return intake.items(service, limited(service, body.items))


@router.get("/items", dependencies=READ, summary="Items, page by page")
def get_items(
    service: Serving,
    after: Annotated[str, Query(max_length=256)] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
) -> ItemPage:
    """Items in the order of their ids."""
    rows = service.store.items(after, limit)
    return ItemPage(items=[ItemOut.of(i) for i in rows], next=rows[-1].item_id if len(rows) == limit else None)


@router.get("/items/{item_id:path}", dependencies=READ, summary="An item")
def get_item(item_id: Key, service: Serving) -> ItemOut:
    """What is stored of an item."""
    return ItemOut.of(known_item(service, item_id))


@router.patch("/items/{item_id:path}", dependencies=WRITE, summary="Change some fields of an item")
def patch_item(item_id: Key, body: ItemPatch, service: Serving) -> ItemOut:
    """Fields that are not named stay; what a model read of its text before stays until the next refit."""
    item = known_item(service, item_id)
    fields = {k: v for k, v in {**item.fields, **body.fields}.items() if v is not None}
    row = {"item_id": item_id, "fields": fields, "hidden": item.hidden if body.hidden is None else body.hidden}
    taken = intake.items(service, [row])
    if taken.rejected:
        raise Problem(422, "The request cannot be used", taken.rejected[0].error, taken.rejected[0].field)
    return ItemOut.of(known_item(service, item_id))


@router.delete("/items/{item_id:path}", dependencies=WRITE, summary="Delete an item", status_code=204)
def delete_item(item_id: Key, service: Serving) -> None:
    """It is recommended no more; its events stay."""
    if not service.store.delete_item(item_id):
        raise missing("Item", item_id)


@router.post("/users", dependencies=WRITE, summary="Add users, or replace what is known of them")
def post_users(body: UsersIn, service: Serving) -> Taken:
    """Nobody has to be added before they ask or act: unknown users are new users."""
    return intake.users(service, limited(service, body.users))


@router.get("/users/{user_id:path}", dependencies=READ, summary="A user")
def get_user(user_id: Key, service: Serving) -> UserOut:
    """What is stored of somebody."""
    return known_user(service, user_id)


@router.patch("/users/{user_id:path}", dependencies=WRITE, summary="Change some attributes of a user")
def patch_user(user_id: Key, body: UserPatch, service: Serving) -> UserOut:
    """Attributes that are not named stay."""
    known = {**known_user(service, user_id).attributes, **body.attributes}
    service.store.put_users([User(user_id, {k: v for k, v in known.items() if v is not None})])
    return known_user(service, user_id)


@router.delete("/users/{user_id:path}", dependencies=WRITE, summary="Erase a user")
def delete_user(user_id: Key, service: Serving) -> ReceiptOut:
    """Removes attributes, events and answers of somebody, and gives a receipt that names nobody."""
    service.writer.flush()
    receipt = service.store.erase_user(user_id)
    service.lists.forget()
    return ReceiptOut(
        receipt_id=receipt.receipt_id,
        erased_at=iso(receipt.erased_at),
        removed=dict(receipt.counts),
        models=list(receipt.models),
    )


@router.post("/events", dependencies=WRITE, summary="Append events")
def post_events(body: EventsIn, service: Serving) -> Taken:
    """When it answers, they are on the disk, and count in the next request. An event sent twice counts once."""
    return intake.events(service, limited(service, body.events))


def known_item(service: Service, item_id: str) -> Item:
    """An item, or a 404."""
    item = service.store.item(item_id)
    if item is None:
        raise missing("Item", item_id)
    return item


def known_user(service: Service, user_id: str) -> UserOut:
    """A user with attributes or events, or a 404."""
    user, events = service.store.user(user_id), service.store.history(user_id, service.settings.history_limit)
    if user is None and not events:
        raise missing("User", user_id)
    return UserOut.of(user or User(user_id), len(events))


def missing(what: str, name: str) -> Problem:
    """A 404."""
    return Problem(404, f"{what} not found", f"{name!r} is not known", remedy="look at its id, or add it by POST")
