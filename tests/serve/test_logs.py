"""Logs: one line a request, its id, and no secret whatever is tried."""

import json
import logging

import pytest
import structlog

from warmstart.serve.logs import Redact

SECRET, PASSWORD, TYPED = "q7Zr2mPw9XcVb4NkLs8TdYf3Hg6Jh1Ea", "correct horse battery", "slow burning romance"


@pytest.mark.parametrize("form", ["json", "text"])
def test_nothing_secret_is_ever_logged(guarded, logged, form):
    service = guarded(secret_key=SECRET, admin_password=PASSWORD, log_format=form)
    key = service.key("read")
    hush = [SECRET, PASSWORD, TYPED, "cookie-value", key, key.split("_", 2)[2], "dbpass"]
    with logged(service.settings) as written:
        client = service.client
        client.get(f"/broken?text={TYPED}", headers={"X-API-Key": key, "Cookie": "session=cookie-value"})
        client.get(f"/items/{key}?text={TYPED}", headers={"Authorization": f"Bearer {key}"})
        client.get(f"/nowhere/{key}", headers={"Authorization": f"Bearer {key}x", "X-Request-ID": key})
        client.post("/items", content=TYPED, headers={"X-API-Key": key + "x"})
        log = structlog.get_logger()
        nested = {"token": [key], "x": [SECRET]}
        log.info(f"key {key}", password=PASSWORD, Cookie="cookie-value", text=TYPED, nested=nested)
        log.error("no database", url="postgresql+psycopg://me:dbpass@db/shop")
        logging.getLogger("uvicorn.error").error("bad %s with %s", key, SECRET)
        log.error("failed", exc_info=ValueError(f"{key} {PASSWORD}"))
        whole = written()
    assert "RuntimeError" in whole  # the error of /broken was told, without what it says
    assert [secret for secret in hush if secret in whole] == []


def test_even_messages_of_errors_shown_on_debug_hold_no_secret(guarded, logged):
    service = guarded(secret_key=SECRET, admin_password=PASSWORD, log_level="debug")
    key = service.key("read")
    with logged(service.settings) as written:
        structlog.get_logger().error("failed", exc_info=ValueError(f"wrong: {key} {PASSWORD} {SECRET}"))
        whole = written()
    assert "ValueError: wrong: ******** ******** ********" in whole


def test_a_line_a_request_with_its_route_status_time_and_key_id(guarded, logged):
    service = guarded(log_format="json", require_keys=True)
    key = service.key("read")
    with logged(service.settings) as written:
        client = service.client
        asked = {"X-API-Key": key, "X-Request-ID": "abc-12345"}
        assert client.get("/items/private-id?x=1", headers=asked).headers["x-request-id"] == "abc-12345"
        client.get("/nowhere")
        client.get("/health/live")
        lines = [json.loads(line) for line in written().splitlines()]
    first, second = (line for line in lines if line["event"] == "request")
    assert (first["route"], first["status"], first["method"]) == ("/items/{item_id}", 200, "GET")
    assert (first["request_id"], first["key_id"]) == ("abc-12345", key.split("_")[1])
    assert 0 < first["ms"] < 5_000
    assert (second["route"], second["status"], second["key_id"]) == ("none", 404, "")
    assert "private-id" not in str(lines)


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "bad id 123", "new\tline-1", "ünicode-12", "ws_1a2b_secretsecret"]
)
def test_a_malformed_request_id_is_replaced(guarded, given):
    got = guarded().client.get("/items/a", headers={"X-Request-ID": given.encode()}).headers["x-request-id"]
    assert got != given
    assert len(got) == 32


def test_an_error_nobody_foresaw_is_logged_with_the_id_the_client_is_told(guarded, logged):
    service = guarded(log_format="json")
    with logged(service.settings) as written:
        response = service.client.get("/broken")
        lines = [json.loads(line) for line in written().splitlines()]
    told = response.json()["request_id"]
    assert (response.status_code, told) == (500, response.headers["x-request-id"])
    failed = next(line for line in lines if line["event"] == "unexpected error")
    assert failed["request_id"] == told
    assert "RuntimeError" in failed["exception"]
    assert "RuntimeError" not in response.text


def test_other_loggers_speak_the_same_form(guarded, logged):
    service = guarded(log_format="json", log_level="warning")
    with logged(service.settings) as written:
        logging.getLogger("warmstart.engine").warning("item %r is not in the catalogue", "x")
        logging.getLogger("warmstart.engine").info("quiet")
        service.client.get("/items/a")
        (line,) = (json.loads(line) for line in written().splitlines() if "no key exists" not in line)
    assert (line["event"], line["level"]) == ("item 'x' is not in the catalogue", "warning")


def test_redaction_keeps_the_rest():
    line = {"event": "x", "n": 1, "none": None, "ok": True, "tokens": 5, "list": [1, "b"]}
    assert Redact()(None, "info", dict(line)) == line
