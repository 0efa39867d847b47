"""What a service does when its database is gone, full, or too slow: it answers what it can, and says what it lacks."""

import sqlite3
import time

import pytest

from warmstart.errors import StoreUnavailable


def ask(client, path="/v1/recommend", status=200, **body):
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


EVENT = {"user_id": "ann", "item_id": "i0"}


@pytest.fixture
def on_postgres(serve, postgres):
    with serve(database_url=postgres.store()) as client:
        yield client


def test_postgres_gone_and_back(on_postgres, postgres):
    client = on_postgres
    ask(client, "/v1/events", events=[EVENT])
    before = ask(client, user_id="ann", k=5)
    postgres.server.stop()
    try:
        began = time.perf_counter()
        without = [ask(client, user_id="ann", k=5) for _ in range(20)]
        assert time.perf_counter() - began < 15
        assert all("store cannot be reached" in answer["fallback"] for answer in without)
        assert all(len(ids(answer)) == 5 for answer in without)
        told = ask(client, events=["i0"], k=5)
        assert "i0" not in ids(told)  # what the request itself tells still counts
        refused = client.post("/v1/events", json={"events": [{"user_id": "ann", "item_id": "i4"}]})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["wrong"]) == (503, ["store"])
        assert client.get("/health/live").status_code == 200
    finally:
        postgres.server.start()
    until = time.monotonic() + 20
    while (after := ask(client, user_id="ann", k=5))["fallback"] and time.monotonic() < until:
        time.sleep(0.2)
    assert ids(after) == ids(before)
    assert ask(client, "/v1/events", events=[EVENT | {"item_id": "i4"}])["new"] == 1
    client.service.writer.flush()
    assert client.service.store.answer(without[-1]["recommendation_id"]) is not None  # written when it came back
    assert client.get("/health/ready").status_code == 200


def test_a_locked_database_refuses_writes_and_answers_reads(client):
    ask(client, "/v1/events", events=[EVENT])
    path = client.service.settings.database.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None)
    client.service.store.database.timeout = 0.2
    other.execute("BEGIN IMMEDIATE")
    try:
        answer = ask(client, user_id="ann", k=5)
        assert answer["fallback"] is None
        assert "i0" not in ids(answer)
    finally:
        other.execute("ROLLBACK")
        other.close()
    client.service.writer.flush()
    assert client.service.store.answer(answer["recommendation_id"]) is not None


def test_a_store_that_failed_is_left_alone_for_a_moment(client, monkeypatch):
    asked = []

    def gone():
        asked.append(1)
        raise StoreUnavailable("gone; bring it back")

    monkeypatch.setattr(client.service.store, "versions", gone)
    answers = [client.service.moment().fallback for _ in range(50)]
    assert all(answers)
    assert len(asked) == 1


def test_old_rows_go_when_the_settings_say_so(serve):
    with serve(retention_answers_days=1.0, retention_events_days=1.0) as client:
        old = {"time": time.time() - 5 * 86_400}
        ask(client, "/v1/events", events=[EVENT | old, EVENT | {"item_id": "i4"}])
        client.service._retain()
        assert [e.item_id for e in client.service.store.history("ann", 10)] == ["i4"]
        ask(client, "/v1/events", events=[EVENT | old | {"event_id": "again"}])
        client.service._retain()  # not its turn yet
        assert len(client.service.store.history("ann", 10)) == 2


def test_answers_wait_in_memory_and_a_full_queue_is_told(client, monkeypatch):
    monkeypatch.setattr(client.service.writer, "capacity", 0)
    monkeypatch.setattr(client.service.writer, "_rows", 5)
    assert len(ids(ask(client, k=3))) == 3  # the asker has it all the same
    assert "warmstart_answers_unkept_total 1.0" in client.get("/metrics").text
    monkeypatch.setattr(client.service.writer, "_rows", 0)
