"""A client of Amazon Personalize works unchanged: PutEvents, PutItems, PutUsers, GetRecommendations, ranking.

Names and shapes are those of its service models (personalize-events and personalize-runtime, 2018). A campaign's or
recommender's name becomes the scenario; values of filters are columns of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from warmstart.errors import DataError
from warmstart.serve import intake, recommend, verbs
from warmstart.serve.api_data import READ, Serving
from warmstart.serve.problems import problem_responses
from warmstart.serve.schemas import Id, RankRequest, RecommendRequest, SimilarRequest, Value, understood
from warmstart.serve.security import require
from warmstart.serve.service import Service

WRITE = [Depends(require("write"))]
router = APIRouter(tags=["personalize"], responses=problem_responses(400))
SHOWN = 25  # items of an impression
Arn = Annotated[str, Field(max_length=256)]


class Given(BaseModel):
    """A body of theirs; what we have no use for is let pass."""

    model_config = ConfigDict(extra="allow")


class EventList(Given):
    """PutEvents."""

    trackingId: Arn
    sessionId: Id
    userId: Id | None = None
    eventList: list[dict[str, Any]] = Field(min_length=1, max_length=10)


class ItemList(Given):
    """PutItems."""

    items: list[dict[str, Any]] = Field(min_length=1, max_length=10)


class UserList(Given):
    """PutUsers."""

    users: list[dict[str, Any]] = Field(min_length=1, max_length=10)


class Wish(Given):
    """GetRecommendations, or GetPersonalizedRanking with ``inputList``."""

    campaignArn: Arn = ""
    recommenderArn: Arn = ""
    userId: Id | None = None
    itemId: Id | None = None
    numResults: int = Field(25, ge=0, le=500)
    context: dict[str, str] = Field(default_factory=dict)
    filterValues: dict[str, str] = Field(default_factory=dict)
    inputList: list[Id] = Field(default_factory=list, max_length=500)


def refused(error: DataError) -> Response:
    """An error as their clients read it."""
    body = orjson.dumps({"message": str(error)})
    return Response(body, 400, {"x-amzn-ErrorType": "InvalidInputException"}, media_type="application/json")


def properties(row: dict[str, Any]) -> dict[str, Any]:
    """What stands in ``properties``, JSON in a string.

    Raises
    ------
    DataError
        If it is no JSON object.

    Examples
    --------
    >>> properties({"properties": '{"title": "Alien"}'}), properties({})
    ({'title': 'Alien'}, {})
    """
    text = row.get("properties") or "{}"
    try:
        found = orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise DataError(f"properties {str(text)[:40]!r} are no JSON object; give one as a string")
    return found


def shown(event: dict[str, Any]) -> list[Any]:
    """Items that an event says were shown, as many as theirs takes.

    Raises
    ------
    DataError
        If it is no list, or too long.
    """
    found = event.get("impression") or []
    if not isinstance(found, list) or len(found) > SHOWN:
        raise DataError(f"impression is no list of at most {SHOWN} items; give the ids of what was shown")
    return found


def event_rows(body: EventList) -> list[dict[str, Any]]:
    """Events as ours; what was shown in an event becomes impressions; without a user the session stands for one."""
    who, rows = body.userId or f"session:{body.sessionId}", []
    for event in body.eventList:
        item = event.get("itemId") or properties(event).get("itemId")
        led = {"recommendation_id": event.get("recommendationId"), "time": event.get("sentAt"), "user_id": who}
        known = {"event_id": event.get("eventId"), "value": event.get("eventValue"), "kind": event.get("eventType")}
        if item:
            rows.append({**led, **known, "item_id": item})
        rows += [{**led, "kind": "impression", "item_id": one} for one in shown(event)]
    if not rows:
        raise DataError("no event names an item; give itemId, or an impression")
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def written(make: Callable[[], intake.Taken]) -> Response:
    """Nothing, as they answer, or the first refusal."""
    try:
        taken = make()
    except DataError as error:
        return refused(error)
    if taken.rejected:
        first = taken.rejected[0]
        return refused(DataError(f"row {first.index}, {first.field}: {first.error}; the other rows were written"))
    return Response(b"{}", 200, media_type="application/json")


@router.post("/events", dependencies=WRITE, summary="PutEvents")
def put_events(body: EventList, service: Serving) -> Response:
    """Append events."""
    return written(lambda: intake.events(service, event_rows(body)))


@router.post("/items", dependencies=WRITE, summary="PutItems")
def put_items(body: ItemList, service: Serving) -> Response:
    """Add items."""
    return written(
        lambda: intake.items(service, [{"item_id": r.get("itemId"), "fields": properties(r)} for r in body.items])
    )


@router.post("/users", dependencies=WRITE, summary="PutUsers")
def put_users(body: UserList, service: Serving) -> Response:
    """Add users."""
    return written(
        lambda: intake.users(service, [{"user_id": r.get("userId"), "attributes": properties(r)} for r in body.users])
    )


def filters(service: Service, given: dict[str, str]) -> dict[str, Value | list[Value]]:
    r"""Their filter values, quoted and between commas, as ours; a name that is no column is an error.

    Raises
    ------
    DataError
        If the catalogue has no such column, whatever the case.
    """
    columns = {c.lower(): c for c in service.moment().snapshot.fitted.catalog.table.columns}
    found: dict[str, Value | list[Value]] = {}
    for name, text in given.items():
        if name.lower() not in columns:
            raise DataError(f"filterValues name {name!r}, and the catalogue has no such column; it has {list(columns)}")
        found[columns[name.lower()]] = [part.strip().strip('"') for part in text.split(",")]
    return found


def scenario(wish: Wish) -> str:
    """The last part of the campaign's or recommender's name.

    Examples
    --------
    >>> scenario(Wish(campaignArn="arn:aws:personalize:eu-west-1:1:campaign/home"))
    'home'
    """
    return (wish.campaignArn or wish.recommenderArn).rpartition("/")[2][:64]


@router.post("/recommendations", dependencies=READ, summary="GetRecommendations")
def get_recommendations(body: Wish, service: Serving) -> Response:
    """For a user; for an item alone, items like it."""
    try:
        passing, k = filters(service, body.filterValues), max(body.numResults, 1)
        if body.itemId is not None and body.userId is None:
            like = verbs.similar(service, understood(SimilarRequest, dict(item_id=body.itemId, k=k, filters=passing)))
            return told("itemList", [{"itemId": i.item_id, "score": i.score} for i in like.items], "")
        known = {name: value for name, value in body.context.items() if name}
        at = scenario(body)
        ask = understood(
            RecommendRequest, dict(user_id=body.userId, k=k, filters=passing, attributes=known, scenario=at)
        )
        answer = recommend.recommend(service, ask)
    except DataError as error:
        return refused(error)
    items = [{"itemId": i.item_id, "score": i.score} for i in answer.items]
    return told("itemList", items, answer.recommendation_id)


@router.post("/personalize-ranking", dependencies=READ, summary="GetPersonalizedRanking")
def get_ranking(body: Wish, service: Serving) -> Response:
    """Given items in order; those that are unknown come last, as they stood."""
    if not body.inputList:
        return refused(DataError("inputList is empty; give the items to be ranked"))
    try:
        passing = filters(service, body.filterValues)
        at = scenario(body)
        ask = understood(RankRequest, dict(user_id=body.userId, items=body.inputList, filters=passing, scenario=at))
        answer = recommend.rank(service, ask)
    except DataError as error:
        return refused(error)
    ranked: list[dict[str, Any]] = [{"itemId": i.item_id, "score": i.score} for i in answer.items]
    return told("personalizedRanking", ranked + [{"itemId": i} for i in answer.unknown], answer.recommendation_id)


def told(name: str, items: list[dict[str, Any]], recommendation_id: str) -> Response:
    """A list as they answer it."""
    body = {name: items, "recommendationId": recommendation_id}
    return Response(orjson.dumps(body), media_type="application/json")
