"""Rows as clients send them: taken or told, never lost; times in every customary form; twice is once."""

from contextlib import suppress
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.times import read_times
from warmstart.errors import DataError
from warmstart.serve.times import AHEAD, Clock, seconds


def post(client, **row):
    answer = client.post("/v1/events", json={"events": [{"user_id": "ann", "item_id": "i1"} | row]})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "time", [1_700_000_000, 1_700_000_000_000, "1700000000", "2023-11-14T22:13:20Z", "2023-11-14 23:13:20+01:00"]
)
def test_times_in_seconds_milliseconds_or_iso(client, time):
    assert post(client, time=time)["new"] == 1
    assert client.service.store.history("ann", 1)[0].time == 1_700_000_000


@pytest.mark.parametrize("time", ["yesterday", -5, 12, 10**17, "1970-01-01", True, ""])
def test_times_that_make_no_sense_are_refused(client, time):
    answer = post(client, time=time)
    assert (answer["accepted"], answer["rejected"][0]["field"]) == (0, "time")


@given(st.datetimes(datetime(1990, 1, 2), datetime(2025, 1, 1)), st.sampled_from(["", "Z", "+05:30", "-08:00"]))
def test_the_quick_way_reads_times_as_the_slow_one_does(at, zone):
    for text in (at.isoformat() + zone, at.isoformat(" ") + zone, at.isoformat(timespec="seconds") + zone):
        assert seconds(text, "time") == read_times(pl.Series([text])).seconds[0]
    number = at.timestamp() * 1000
    assert seconds(number, "time") == read_times(pl.Series([number])).seconds[0]


def test_a_time_far_ahead_is_refused_and_names_the_clock():
    import time

    with pytest.raises(DataError, match="ahead"):
        seconds(int(time.time()) + AHEAD + 100, "time")


def test_the_clock_never_goes_back(monkeypatch):
    import time

    clock, now = Clock(), [1_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    assert clock.now() == 1_000
    now[0] = 400.0
    assert clock.now() == 1_000
    now[0] = 1_001.0
    assert clock.now() == 1_001


def test_an_event_sent_twice_counts_once(client):
    row = {"kind": "buy", "time": "2024-01-01T00:00:00Z"}
    assert [post(client, **row)["new"] for _ in range(3)] == [1, 0, 0]
    assert [post(client, **row, event_id="mine")["new"] for _ in range(2)] == [1, 0]
    assert len(client.service.store.history("ann", 10)) == 2


def test_events_that_differ_in_their_weight_are_two(client):
    row = {"kind": "buy", "time": "2024-01-01T00:00:00Z"}
    assert [post(client, **row, weight=weight)["new"] for weight in (None, 1, 2, 2.0)] == [1, 1, 1, 0]
    assert sorted(e.weight or 0 for e in client.service.store.history("ann", 10)) == [0, 1, 2]


def test_good_rows_are_taken_beside_bad_ones(client):
    rows = [
        {"user_id": "u", "item_id": "i1"},
        {"user_id": "u"},
        {"user_id": "u", "item_id": "i2", "colour": "red"},
        {"user_id": "u", "item_id": "i3", "value": "NaN"},
        {"user_id": "u", "item_id": "i4", "weight": -1},
        {"user_id": "x" * 300, "item_id": "i5"},
        {"user_id": "u", "item_id": "i6", "time": "2024-05-05"},
    ]
    answer = client.post("/v1/events", json={"events": rows}).json()
    assert answer["accepted"] == answer["new"] == 2
    fields = {row["index"]: row["field"] for row in answer["rejected"]}
    assert fields == {1: "item_id", 2: "colour", 3: "value", 4: "weight", 5: "user_id"}


def test_more_rows_than_allowed_are_refused_whole(serve):
    with serve(row_limit=3) as client:
        answer = client.post("/v1/events", json={"events": [{"user_id": "u", "item_id": "i"}] * 4})
        assert answer.status_code == 413
        assert client.service.store.last_seq() == 0


def test_users_are_changed_and_erased(client):
    assert client.post("/v1/users", json={"users": [{"user_id": "bo", "attributes": {"age": 3}}]}).json()["new"] == 1
    client.patch("/v1/users/bo", json={"attributes": {"city": "Oslo", "age": None}})
    assert client.get("/v1/users/bo").json() == {"user_id": "bo", "attributes": {"city": "Oslo"}, "events": 0}
    client.post("/v1/events", json={"events": [{"user_id": "bo", "item_id": "i1"}]})
    shown = client.post("/v1/recommend", json={"user_id": "bo", "k": 2}).json()
    receipt = client.delete("/v1/users/bo").json()
    assert (receipt["removed"]["users"], receipt["removed"]["events"], receipt["removed"]["answers"]) == (1, 1, 1)
    assert "bo" not in str(receipt)
    assert client.get("/v1/users/bo").status_code == 404
    assert client.service.store.answer(shown["recommendation_id"]) is None


@pytest.mark.parametrize("text", ["x" * 10_001, "1" * 10_001])
def test_texts_of_users_end_somewhere(client, text):
    rows = [{"user_id": "a", "attributes": {"about": text}}, {"user_id": "b", "attributes": {"about": text[1:]}}]
    answer = client.post("/v1/users", json={"users": rows}).json()
    assert answer["accepted"] == 1
    assert [(row["index"], row["field"]) for row in answer["rejected"]] == [(0, "attributes.about")]
    assert "at most 10000 characters" in answer["rejected"][0]["error"]
    assert client.patch("/v1/users/b", json={"attributes": {"about": text}}).status_code == 422


def test_attributes_of_a_stored_user_change_the_list(client, toy):
    table = toy.user_table.to_dicts()
    client.post("/v1/users", json={"users": [{"user_id": "a", "attributes": table[0]}]})
    client.post("/v1/users", json={"users": [{"user_id": "b", "attributes": table[1]}]})
    lists = [client.post("/v1/recommend", json={"user_id": u, "k": 10}).json()["items"] for u in "ab"]
    assert [i["item_id"] for i in lists[0]] != [i["item_id"] for i in lists[1]]
    told = client.post("/v1/recommend", json={"attributes": table[0], "k": 10}).json()
    assert [i["item_id"] for i in told["items"]] == [i["item_id"] for i in lists[0]]
    assert told["fallback"] is None


def test_items_cannot_widen_the_catalogue_without_end(client):
    def columns():
        return len(client.service.moment().snapshot.fitted.catalog.table.columns)

    def send(*rows):
        return client.post("/v1/items", json={"items": [{"item_id": name, "fields": fields} for name, fields in rows]})

    wide = [(f"n{part}", {f"c{part}-{n}": n for n in range(200)}) for part in range(4)]
    answer = send(wide[0], wide[1], wide[2], ("plain", {"title": "A film"})).json()
    assert answer["accepted"] == 3
    assert [(row["index"], row["field"]) for row in answer["rejected"]] == [(2, "fields")]
    assert "more than 500; leave out what is new" in answer["rejected"][0]["error"]
    assert columns() <= 500
    assert send(wide[3]).json()["accepted"] == 0
    assert send(("again", wide[0][1])).json()["accepted"] == 1
    assert columns() <= 500


def test_what_the_request_before_brought_is_counted(client):
    for part in range(4):
        fields = {f"c{part}-{n}": n for n in range(200)}
        answer = client.post("/v1/items", json={"items": [{"item_id": f"n{part}", "fields": fields}]}).json()
        assert answer["accepted"] == (part < 2)


def wide(client):
    """Columns of the catalogue, and of all items that the store holds."""
    items = client.service.store.items(limit=10**5)
    catalogue = len(client.service.moment().snapshot.fitted.catalog.table.columns)
    return catalogue, len({"item_id", *(name for item in items for name in item.fields)})


def bring(client, number, count, **more):
    fields = {f"c{number}-{n}": n for n in range(count)}
    return client.patch(f"/v1/items/i{number % 40}", json={"fields": fields, **more}).status_code


def test_a_hundred_requests_cannot_widen_what_is_known_without_end(client):
    told = [bring(client, number, 10) for number in range(100)]
    room = (500 - 4) // 10  # item_id and three columns are there
    assert told == [200] * room + [422] * (100 - room)
    assert wide(client) == (4 + 10 * room,) * 2


def test_requests_at_once_cannot_either(client):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(lambda number: bring(client, number, 100), range(24)))
    assert sorted(told) == [200] * 4 + [422] * 20
    assert max(wide(client)) <= 500


def test_columns_of_hidden_items_count(client):
    told = [bring(client, number, 150, hidden=True) for number in range(6)]
    assert told == [200] * 3 + [422] * 3
    assert wide(client)[1] <= 500
    assert bring(client, 0, 150, hidden=False) == 200
    rows = [{"item_id": f"h{part}", "fields": {f"h{part}-{n}": 1 for n in range(20)}, "hidden": True} for part in "abc"]
    answers = [client.post("/v1/items", json={"items": [row]}).json()["accepted"] for row in rows]
    assert answers == [1, 1, 0]


def test_two_services_of_one_store_wait_for_each_other(client, monkeypatch):
    from warmstart.serve import widening

    monkeypatch.setattr(widening, "WAIT", 0.1)
    store = client.service.store
    assert store.lock(widening.LOCK, "another", 60)
    assert bring(client, 1, 5) == 503
    assert client.post("/v1/items", json={"items": [{"item_id": "x", "fields": {"title": "X"}}]}).json()["new"] == 1
    assert store.unlock(widening.LOCK, "another")
    assert bring(client, 1, 5) == 200
    assert store.lock(widening.LOCK, "another", 60)


def test_items_page_by_page(client):
    found, after = [], ""
    while after is not None:
        page = client.get("/v1/items", params={"after": after, "limit": 20}).json()
        found += [item["item_id"] for item in page["items"]]
        after = page["next"]
    assert len(found) == len(set(found)) == 48


@given(st.one_of(st.floats(allow_nan=True), st.integers(), st.text(max_size=20)))
def test_no_time_breaks_the_reader(value):
    with suppress(DataError):
        assert 0 < seconds(value, "time") < 2**33
