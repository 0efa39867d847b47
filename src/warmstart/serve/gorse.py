"""A Gorse client works unchanged: its paths and payloads, over the same service.

Names and shapes are those of Gorse's REST interface (https://gorse.io/docs/api/restful-api.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query

from warmstart.errors import DataError
from warmstart.serve import intake, recommend, verbs
from warmstart.serve.api_data import READ, Key, Serving, known_item, known_user, limited
from warmstart.serve.asker import RETRACTED
from warmstart.serve.problems import Problem, problem_responses
from warmstart.serve.schemas import PastEvent, RecommendRequest, SimilarRequest, Value, understood
from warmstart.serve.security import Holder, require
from warmstart.serve.segments import SegmentRoute
from warmstart.serve.service import Service
from warmstart.serve.times import iso
from warmstart.store.rows import Event, Item, User

CURSOR = re.compile(r"[0-9]{1,18}")
CATEGORIES = ("categories", "category", "genres", "genre")  # columns a category may stand in
WRITE = [Depends(require("write"))]
Reader = Annotated[Holder, Depends(require("read"))]
router = APIRouter(prefix="/api", tags=["gorse"], responses=problem_responses(404), route_class=SegmentRoute)
N = Annotated[int, Query(ge=1, le=1_000)]
Offset = Annotated[int, Query(ge=0, le=10_000)]
Row = Annotated[dict[str, Any], Body()]
Rows = Annotated[list[dict[str, Any]], Body()]


def affected(count: int) -> dict[str, int]:
    """How Gorse says how many rows were written."""
    return {"RowAffected": count}


def scores(items: list[tuple[str, float]], version: str | None = "2") -> list[Any]:
    """Items as Gorse tells them: ids alone before version 2 of its interface."""
    return [{"Id": name, "Score": score} for name, score in items] if version == "2" else [name for name, _ in items]


def all_taken(taken: intake.Taken) -> dict[str, int]:
    """Gorse knows no partial refusal: the first row refused is an error.

    Raises
    ------
    DataError
        If a row was refused; the others are written.
    """
    if taken.rejected:
        first = taken.rejected[0]
        raise DataError(f"row {first.index}, {first.field}: {first.error}; mend it, the other rows were written")
    return affected(taken.accepted)


def event_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A feedback as an event.

    Examples
    --------
    >>> event_row({"FeedbackType": "star", "UserId": "u", "ItemId": "i", "Timestamp": "", "Value": 0})
    {'kind': 'star', 'user_id': 'u', 'item_id': 'i'}
    """
    names = {"FeedbackType": "kind", "UserId": "user_id", "ItemId": "item_id", "Timestamp": "time", "Value": "value"}
    return {ours: row[theirs] for theirs, ours in names.items() if row.get(theirs) not in (None, "", 0)}


def feedback(event: Event) -> dict[str, Any]:
    """An event as a feedback."""
    return {
        "FeedbackType": event.kind,
        "UserId": event.user_id,
        "ItemId": event.item_id,
        "Value": event.value or 0,
        "Timestamp": iso(event.time),
        "Comment": "",
    }


def item_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A Gorse item as ours: its comment is the title, its labels are columns.

    Examples
    --------
    >>> item_row({"ItemId": "i", "Categories": ["SF"], "Labels": {"year": 1979}, "Comment": "Alien"})
    {'item_id': 'i', 'fields': {'categories': ['SF'], 'year': 1979, 'title': 'Alien'}, 'hidden': False}
    """
    labels = row.get("Labels")
    columns = dict(labels) if isinstance(labels, Mapping) else {"labels": labels} if labels else {}
    flat = {k: v for k, v in columns.items() if isinstance(v, str | int | float | bool | list) and not _vector(v)}
    fields = {"categories": row.get("Categories"), **flat, "title": row.get("Comment")}
    kept = {k: v for k, v in fields.items() if v not in (None, "", [])}
    return {"item_id": row.get("ItemId"), "fields": kept, "hidden": bool(row.get("IsHidden"))}


def _vector(value: object) -> bool:
    return isinstance(value, list) and any(not isinstance(v, str) for v in value)


def gorse_item(item: Item) -> dict[str, Any]:
    """Our item as Gorse's."""
    fields = dict(item.fields)
    categories = fields.pop("categories", [])
    comment = str(fields.pop("title", ""))
    return {
        "ItemId": item.item_id,
        "IsHidden": item.hidden,
        "Categories": categories if isinstance(categories, list) else str(categories).split("|"),
        "Timestamp": iso(item.added_at),
        "Labels": fields,
        "Comment": comment,
    }


def user_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A Gorse user as ours: labels are attributes."""
    labels = row.get("Labels")
    told = "|".join(map(str, labels)) if isinstance(labels, list) else labels
    known = dict(labels) if isinstance(labels, Mapping) else {"labels": told} if told else {}
    return {"user_id": row.get("UserId"), "attributes": known}


def gorse_user(user: User) -> dict[str, Any]:
    """Our user as Gorse's."""
    return {"UserId": user.user_id, "Labels": dict(user.attributes), "Comment": ""}


@router.post("/feedback", dependencies=WRITE)
@router.put("/feedback", dependencies=WRITE)
def post_feedback(body: Rows, service: Serving) -> dict[str, int]:
    """Append feedback."""
    return all_taken(intake.events(service, [event_row(row) for row in limited(service, body)]))


@router.get("/feedback", dependencies=READ)
def get_feedback(service: Serving, n: N = 10, cursor: str = "") -> dict[str, Any]:
    """Feedback page by page, in the order it came."""
    page = service.store.events(int(cursor) if CURSOR.fullmatch(cursor) else 0, n)
    return {"Cursor": str(page[-1].seq) if len(page) == n else "", "Feedback": [feedback(e) for e in page]}


@router.get("/user/{user_id}/feedback", dependencies=READ)
@router.get("/user/{user_id}/feedback/{kind}", dependencies=READ)
def get_user_feedback(user_id: Key, service: Serving, kind: str = "") -> list[dict[str, Any]]:
    """Feedback of somebody, oldest first."""
    events = service.store.history(user_id, service.settings.history_limit)
    return [feedback(e) for e in events if kind in ("", e.kind) and e.kind != RETRACTED]


@router.delete("/feedback/{user_id}/{item_id}", dependencies=WRITE)
def delete_feedback(user_id: Key, item_id: Key, service: Serving) -> dict[str, int]:
    """Take back what somebody said of an item: events stay, and count no more."""
    known = service.store.history(user_id, service.settings.history_limit)
    count = sum(event.item_id == item_id and event.kind != RETRACTED for event in known)
    if count:
        intake.events(service, [{"user_id": user_id, "item_id": item_id, "kind": RETRACTED, "weight": 0.0}])
    return affected(count)


@router.get("/recommend/{user_id}")
@router.get("/recommend/{user_id}/{category:path}")
def get_recommend(
    user_id: Key,
    service: Serving,
    holder: Reader,
    category: str = "",
    n: N = 10,
    offset: Offset = 0,
    write_back: Annotated[str, Query(alias="write-back-type", max_length=64)] = "",
    version: Annotated[str | None, Header(alias="X-API-Version")] = None,
) -> list[Any]:
    """Recommend to somebody; what is written back, with a key that may write, counts as seen and teaches no liking."""
    if write_back and "write" not in holder.scopes:
        raise Problem(403, "The key may not do this", "it lacks the scope write", "write-back-type", "leave it out")
    ask = understood(
        RecommendRequest, dict(user_id=user_id, k=min(n + offset, 1_000), filters=category_filter(service, category))
    )
    found = recommend.recommend(service, ask, skip=offset).items[:n]
    if write_back:
        rows = [{"user_id": user_id, "item_id": i.item_id, "kind": write_back, "weight": 0.0} for i in found]
        intake.events(service, rows)
    return scores([(i.item_id, i.score) for i in found], version)


def category_filter(service: Service, category: str) -> dict[str, Value | list[Value]]:
    """A filter for a category, in the column where the catalogue keeps them.

    Raises
    ------
    DataError
        If it keeps none.
    """
    if not category:
        return {}
    columns = service.moment().snapshot.fitted.catalog.table.columns
    for name in CATEGORIES:
        if name in columns:
            return {name: category}
    raise DataError(f"category {category!r} is asked for, and the catalogue has no column of categories; leave it out")


@router.post("/session/recommend", dependencies=READ)
def session_recommend(body: Rows, service: Serving, n: N = 10) -> list[Any]:
    """Recommend to a history that is not stored."""
    rows = [event_row(row) for row in body]
    told: list[PastEvent | str] = [
        understood(PastEvent, dict(**{name: row[name] for name in ("item_id", "kind", "time", "value") if name in row}))
        for row in rows
    ]
    answer = recommend.recommend(service, understood(RecommendRequest, dict(events=told, k=n)))
    return scores([(i.item_id, i.score) for i in answer.items])


@router.get("/item/{item_id}/neighbors", dependencies=READ)
def get_neighbors(item_id: Key, service: Serving, n: N = 10, offset: Offset = 0) -> list[Any]:
    """Items like an item."""
    found = verbs.similar(service, understood(SimilarRequest, dict(item_id=item_id, k=min(n + offset, 1_000)))).items
    return scores([(i.item_id, i.score) for i in found[offset : offset + n]])


@router.post("/item", dependencies=WRITE)
def post_item(body: Row, service: Serving) -> dict[str, int]:
    """Add an item."""
    return all_taken(intake.items(service, [item_row(body)]))


@router.post("/items", dependencies=WRITE)
def post_items(body: Rows, service: Serving) -> dict[str, int]:
    """Add items."""
    return all_taken(intake.items(service, [item_row(row) for row in limited(service, body)]))


@router.get("/items", dependencies=READ)
def get_items(service: Serving, n: N = 10, cursor: str = "", q: str = "") -> dict[str, Any]:
    """Items page by page; with ``q`` those that the words are about."""
    if q.strip():
        found = verbs.similar(service, understood(SimilarRequest, dict(text=q, k=n))).items
        rows = [row for i in found if (row := service.store.item(i.item_id)) is not None]
        return {"Cursor": "", "Items": [gorse_item(row) for row in rows]}
    page = service.store.items(cursor, n)
    return {"Cursor": page[-1].item_id if len(page) == n else "", "Items": [gorse_item(i) for i in page]}


@router.get("/item/{item_id}", dependencies=READ)
def get_item(item_id: Key, service: Serving) -> dict[str, Any]:
    """An item."""
    return gorse_item(known_item(service, item_id))


@router.patch("/item/{item_id}", dependencies=WRITE)
def patch_item(item_id: Key, body: Row, service: Serving) -> dict[str, int]:
    """Change an item; what is null stays."""
    known = gorse_item(known_item(service, item_id))
    return all_taken(intake.items(service, [item_row(known | {k: v for k, v in body.items() if v is not None})]))


@router.delete("/item/{item_id}", dependencies=WRITE)
def delete_item(item_id: Key, service: Serving) -> dict[str, int]:
    """Delete an item."""
    return affected(int(service.store.delete_item(item_id)))


@router.post("/user", dependencies=WRITE)
def post_user(body: Row, service: Serving) -> dict[str, int]:
    """Add a user."""
    return all_taken(intake.users(service, [user_row(body)]))


@router.post("/users", dependencies=WRITE)
def post_users(body: Rows, service: Serving) -> dict[str, int]:
    """Add users."""
    return all_taken(intake.users(service, [user_row(row) for row in limited(service, body)]))


@router.get("/users", dependencies=READ)
def get_users(service: Serving, n: N = 10, cursor: str = "") -> dict[str, Any]:
    """Users page by page."""
    page = service.store.users(cursor, n)
    return {"Cursor": page[-1].user_id if len(page) == n else "", "Users": [gorse_user(u) for u in page]}


@router.get("/user/{user_id}", dependencies=READ)
def get_user(user_id: Key, service: Serving) -> dict[str, Any]:
    """A user."""
    known_user(service, user_id)
    return gorse_user(service.store.user(user_id) or User(user_id))


@router.delete("/user/{user_id}", dependencies=WRITE)
def delete_user(user_id: Key, service: Serving) -> dict[str, int]:
    """Erase a user."""
    service.writer.flush()
    receipt = service.store.erase_user(user_id)
    service.lists.forget()
    return affected(sum(receipt.counts.values()))
