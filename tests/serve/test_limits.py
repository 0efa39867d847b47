"""Limits: how often, how many at once, how large, how slow; and the headers of every answer."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from warmstart.serve import limits
from warmstart.serve.limits import BodyLimit, Concurrency, Rate
from warmstart.serve.patience import Patience
from warmstart.serve.problems import Problem


def run_alone(coroutine):
    """In a thread of its own: a browser of other tests may keep a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def scope(path="/x", **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "headers": pairs, "method": "POST", "client": ("127.0.0.1", 1)}


def chunks(*bodies):
    """A ``receive`` that gives these pieces, the last one without more."""
    left = [{"type": "http.request", "body": body, "more_body": at < len(bodies) - 1} for at, body in enumerate(bodies)]

    async def receive():
        return left.pop(0) if left else {"type": "http.disconnect"}

    return receive


async def nowhere(message):
    pass


async def reading(scope, receive, send):
    """An app that reads the body whole."""
    while (await receive()).get("more_body"):
        pass


def test_too_many_requests_are_told_when_to_come_back(guarded):
    client = guarded(rate_limit=3).client
    assert [client.get("/items/a").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get("/items/a")
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.json()["code"], 1 <= int(refused.headers["retry-after"]) <= 60) == ("rate_limited", True)
    assert client.get("/health/live").status_code == 200


def test_keys_are_counted_each_for_itself_and_guesses_by_address(guarded):
    service = guarded(rate_limit=2, require_keys=True)
    one, two = service.key("read"), service.key("read")
    client = service.client
    assert [client.get("/items/a", headers={"X-API-Key": one}).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/items/a", headers={"X-API-Key": two}).status_code == 200
    guesses = [client.get("/items/a", headers={"X-API-Key": f"ws_{n}_guess"}).status_code for n in range(4)]
    assert guesses == [401, 401, 429, 429]


def test_no_limit_is_no_limit():
    rate = Rate(0)
    for _ in range(1000):
        rate.count("ann")
    assert rate.check("ann") is None


def test_a_clock_set_back_keeps_nobody_out(monkeypatch):
    rate = Rate(1)
    rate.count("ann")
    with pytest.raises(Problem):
        rate.count("ann")
    now = limits.time.time()
    monkeypatch.setattr(limits.time, "time", lambda: now - 86_400)
    rate.count("ann")
    with pytest.raises(Problem) as caught:
        rate.count("ann")
    assert int(caught.value.headers["Retry-After"]) <= 60


def test_a_check_counts_nothing():
    rate = Rate(1)
    for _ in range(5):
        rate.check("ann")
    rate.count("ann")
    with pytest.raises(Problem):
        rate.check("ann")


def test_more_requests_at_once_are_told_to_wait(guarded):
    service = guarded(concurrency=2)
    inside, release = threading.Semaphore(0), threading.Event()

    @service.app.get("/slow")
    def slow() -> str:
        inside.release()
        release.wait(10)
        return "done"

    got = []
    with service.client as client:
        threads = [threading.Thread(target=lambda: got.append(client.get("/slow").status_code)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert inside.acquire(timeout=10)
        busy = client.get("/items/a")
        assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (503, "busy", "1")
        assert client.get("/health/live").status_code == 200
        release.set()
        for thread in threads:
            thread.join(10)
        assert client.get("/items/a").status_code == 200
    assert got == [200, 200]


def test_who_sends_slowly_keeps_nobody_out():
    async def run():
        app = Concurrency(reading, most=1)
        waiting = asyncio.Event()

        async def never():
            waiting.set()
            await asyncio.sleep(60)

        slow = asyncio.create_task(app(scope(content_length="5"), never, nowhere))
        await waiting.wait()
        await app(scope(), chunks(b""), nowhere)
        await app(scope(content_length="2"), chunks(b"a", b"b"), nowhere)
        assert app.now == 0
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert app.now == 0

    run_alone(run())


def test_the_count_of_requests_at_once_survives_errors(guarded):
    service = guarded(concurrency=1)
    for _ in range(3):
        assert service.client.get("/broken").status_code == 500
    assert service.client.get("/items/a").status_code == 200


@pytest.mark.parametrize("path", ["/items", "/parsed"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_be_so_large(guarded, path, chunked):
    client = guarded(body_limit=2_000).client
    fits, beyond = b"[" + b"1," * 900 + b"1]", b"[" + b"1," * 1_500 + b"1]"

    def sent(body):
        pieces = (body[at : at + 300] for at in range(0, len(body), 300))
        return client.post(path, content=pieces if chunked else body, headers={"content-type": "application/json"})

    assert sent(fits).status_code == 200
    refused = sent(beyond)
    assert (refused.status_code, refused.json()["code"]) == (413, "request_entity_too_large")
    assert "2000 bytes" in refused.json()["detail"]
    assert refused.headers["connection"] == "close"


@pytest.mark.parametrize("told", ["-1", "1e3", "many", "1 1"])
def test_a_body_of_no_length_is_refused(told):
    with pytest.raises(Problem) as caught:
        run_alone(BodyLimit(reading, 10)(scope(content_length=told), chunks(b""), nowhere))
    assert caught.value.status == 400


def test_chunks_that_lie_about_their_length_are_counted():
    with pytest.raises(Problem) as caught:
        run_alone(BodyLimit(reading, 10)(scope(content_length="3"), chunks(b"123456", b"123456"), nowhere))
    assert caught.value.status == 413


def test_a_body_that_does_not_come_is_not_waited_for():
    async def run():
        async def never():
            await asyncio.sleep(60)

        with pytest.raises(Problem) as caught:
            await Patience(reading, 0.05)(scope(), never, nowhere)
        assert caught.value.status == 408

    run_alone(run())


def test_a_byte_now_and_then_keeps_nothing_open():
    async def run():
        count = 0

        async def trickle():
            nonlocal count
            count += 1
            await asyncio.sleep(0.03)
            return {"type": "http.request", "body": b"x", "more_body": True}

        with pytest.raises(Problem):
            await Patience(reading, 0.1)(scope(), trickle, nowhere)
        assert 2 <= count <= 5

    run_alone(run())


def test_an_answer_may_take_longer_than_a_body():
    ended = []

    async def slow(scope, receive, send):
        await reading(scope, receive, send)
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.append(True)

    async def run():
        pieces = [{"type": "http.request", "body": b"x", "more_body": False}]

        async def receive():
            if pieces:
                return pieces.pop()
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}

        await Patience(slow, 0.02)(scope(), receive, nowhere)

    run_alone(run())
    assert ended == [True]


def test_every_answer_carries_the_headers_of_safety(guarded):
    service = guarded(rate_limit=4)
    client = service.client
    for path in ("/items/a", "/nowhere", "/broken", "/health/live", "/items/a", "/items/a"):
        response = client.get(path)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
        assert response.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in response.headers
        assert len(response.headers["x-request-id"]) == 32
    assert response.status_code == 429
    told = guarded(https_only=True).client.get("/health/live").headers
    assert told["strict-transport-security"].startswith("max-age=")


def test_other_host_names_are_not_answered(guarded):
    client = guarded().client
    assert client.get("/health/live", headers={"host": "evil.example"}).status_code == 400
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/health/live", headers={"host": host}).status_code == 200, host
