"""Amazon's own client against the running server."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ARN = "arn:aws:personalize:eu-west-1:000000000000:campaign/home"
SET = "arn:aws:personalize:eu-west-1:000000000000:dataset/shop/ITEMS"


@pytest.fixture
def aws(running):
    def made(name, key="local"):
        return boto3.client(
            name,
            endpoint_url=running[0],
            region_name="eu-west-1",
            aws_access_key_id=key,
            aws_secret_access_key="unused",
            config=Config(retries={"max_attempts": 1}),
        )

    return made


@pytest.fixture
def events(aws):
    return aws("personalize-events")


@pytest.fixture
def runtime(aws):
    return aws("personalize-runtime")


def test_events_count_in_the_next_recommendation(running, events, runtime):
    before = runtime.get_recommendations(campaignArn=ARN, userId="ann", numResults=3)
    first = before["itemList"][0]["itemId"]
    event = {"eventType": "click", "sentAt": datetime(2024, 1, 1, tzinfo=UTC), "itemId": first, "eventId": "e1"}
    led = {"recommendationId": before["recommendationId"], "impression": [i["itemId"] for i in before["itemList"]]}
    events.put_events(trackingId="t", sessionId="s", userId="ann", eventList=[event | led])
    after = runtime.get_recommendations(campaignArn=ARN, userId="ann", numResults=3)
    assert first not in [i["itemId"] for i in after["itemList"]]
    stored = running[1].store.history("ann", 10)
    assert sorted(e.kind for e in stored) == ["click", *["impression"] * 3]
    assert {e.recommendation_id for e in stored} == {before["recommendationId"]}
    running[1].writer.flush()
    assert running[1].store.answer(before["recommendationId"]).scenario == "home"


def test_a_session_without_a_user_is_somebody(running, events):
    event = {"eventType": "view", "sentAt": datetime.now(UTC), "properties": json.dumps({"itemId": "i2"})}
    events.put_events(trackingId="t", sessionId="s9", eventList=[event])
    assert [e.item_id for e in running[1].store.history("session:s9", 10)] == ["i2"]


def test_items_and_users_are_taken(running, events, runtime):
    row = {"itemId": "n7", "properties": json.dumps({"title": "The Orbit of the Star", "genre": "fresh"})}
    events.put_items(datasetArn=SET, items=[row])
    events.put_users(datasetArn=SET, users=[{"userId": "cy", "properties": json.dumps({"age": 33})}])
    assert running[1].store.user("cy").attributes == {"age": 33}
    found = runtime.get_recommendations(campaignArn=ARN, userId="cy", filterValues={"GENRE": '"fresh"'})
    assert [i["itemId"] for i in found["itemList"]] == ["n7"]


def test_items_like_an_item(runtime):
    found = runtime.get_recommendations(campaignArn=ARN, itemId="i0", numResults=4)["itemList"]
    assert len(found) == 4
    assert "i0" not in [i["itemId"] for i in found]


def test_given_items_are_ranked_unknown_ones_last(events, runtime):
    liked = ("i0", "i4", "i12", "i16", "i20")
    rows = [{"eventType": "buy", "sentAt": datetime(2024, 1, 1, tzinfo=UTC), "itemId": i} for i in liked]
    events.put_events(trackingId="t", sessionId="s", userId="dan", eventList=rows)
    found = runtime.get_personalized_ranking(campaignArn=ARN, userId="dan", inputList=["none", "i1", "i8", "i2"])
    ranked = [i["itemId"] for i in found["personalizedRanking"]]
    assert (ranked[0], ranked[-1]) == ("i8", "none")


@pytest.mark.parametrize(
    "event", [{"properties": "no json"}, {"itemId": "i1", "eventType": "x" * 65}, {"properties": "{}"}]
)
def test_what_cannot_be_used_is_refused_in_their_words(events, event):
    rows = [{"eventType": "view", "sentAt": datetime.now(UTC)} | event]
    with pytest.raises(ClientError, match="InvalidInputException"):
        events.put_events(trackingId="t", sessionId="s", userId="ed", eventList=rows)


def test_an_unknown_filter_is_refused(runtime):
    with pytest.raises(ClientError, match="no such column"):
        runtime.get_recommendations(campaignArn=ARN, userId="ed", filterValues={"COLOUR": '"red"'})


def test_the_access_key_id_is_the_key(running, aws):
    from warmstart.serve.security import new_key

    text, row = new_key("aws", ["read"])
    running[1].store.put_key(row)
    read = aws("personalize-runtime", text)
    assert read.get_recommendations(campaignArn=ARN, userId="u", numResults=2)["itemList"]
    with pytest.raises(ClientError):
        aws("personalize-runtime", "wrong").get_recommendations(campaignArn=ARN, userId="u")


@pytest.mark.parametrize("impression", [5, "i1", {"i1": 1}, ["i1"] * 26])
def test_an_impression_that_is_none_is_refused(client, impression):
    row = {"eventType": "view", "sentAt": 1_700_000_000, "itemId": "i1", "impression": impression}
    answer = client.post("/events", json={"trackingId": "t", "sessionId": "s", "eventList": [row]})
    assert answer.status_code == 400
    assert "at most 25" in answer.json()["message"]
