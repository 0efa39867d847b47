"""Connections: half requests, clients that take nothing, too many at once; over real sockets."""

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress

import pytest
from uvicorn import Server

from warmstart.serve.protocol import HEAD_LIMIT, Manners, PoliteConfig, PoliteProtocol

ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = 16_000_000


def run_alone(coroutine):
    """In a thread of its own: a browser of other tests may keep a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def app(scope, receive, send):
    """Answer ``ok``; at /large more than a system keeps for a client."""
    if scope["type"] == "lifespan":
        return
    body = b"x" * LARGE if scope["path"] == "/large" else b"ok"
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def running(manners, keep_alive=5):
    config = PoliteConfig(
        app, http=PoliteProtocol, lifespan="off", ws="none", log_config=None, timeout_keep_alive=keep_alive
    )
    config.manners = manners
    server = Server(config)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server, listening.getsockname()
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def connected(address, timeout=5.0):
    return closing(socket.create_connection(address, timeout=timeout))


def rest(client):
    """All that comes until the server closes."""
    got = b""
    while piece := client.recv(65_536):
        got += piece
    return got


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", b""),
        (b"GET / HT", b"HTTP/1.1 408 "),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"HTTP/1.1 408 "),
    ],
)
def test_half_a_head_is_not_waited_for(sent, told):
    with running(Manners(header_seconds=0.2)) as (_, address), connected(address) as client:
        began = time.monotonic()
        client.sendall(sent)
        assert rest(client).startswith(told)
        assert 0.15 < time.monotonic() - began < 2
        assert (told == b"") == (sent == b"")


def test_a_head_in_drops_is_not_waited_for_either():
    with running(Manners(header_seconds=0.3)) as (_, address), connected(address) as client:
        sent = 0
        with suppress(OSError):  # which one, and when, depends on who notices first
            for letter in ASKED * 10:
                client.sendall(bytes([letter]))
                sent += 1
                time.sleep(0.05)
        assert sent < 30


def test_the_second_request_of_a_connection_has_the_same_limit_and_idling_another():
    with running(Manners(header_seconds=0.2), keep_alive=1) as (_, address), connected(address) as client:
        client.sendall(ASKED)
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        time.sleep(0.4)  # longer than a head may take: it is idle, not late
        client.sendall(ASKED)
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /")
        assert rest(client).startswith(b"HTTP/1.1 408 ")


def test_a_body_is_no_head():
    with running(Manners(header_seconds=0.2)) as (_, address), connected(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"x" * 150_000)
        time.sleep(0.4)
        client.sendall(b"x" * 50_000)
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_head_may_be_so_long():
    with running(Manners()) as (_, address), connected(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * (HEAD_LIMIT - 1_000) + b"\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * (HEAD_LIMIT + 1_000))
        assert client.recv(1000).startswith(b"HTTP/1.1 431 ")


def test_a_client_that_takes_nothing_is_let_go():
    with running(Manners(write_seconds=0.3)) as (server, address), connected(address) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic()
        while not server.server_state.connections:
            time.sleep(0.01)
        while server.server_state.connections and time.monotonic() - began < 5:
            time.sleep(0.05)
        assert 0.25 < time.monotonic() - began < 2
        assert not server.server_state.tasks
        with connected(address) as other:
            other.sendall(ASKED)
            assert other.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_client_that_takes_slowly_gets_it_all():
    with running(Manners(write_seconds=3.0)) as (_, address), connected(address) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.2)
        assert len(rest(client)) > LARGE


def test_connections_beyond_the_limit_are_told_to_come_back_while_others_go_on():
    with running(Manners(connections=3)) as (_, address):
        first = [socket.create_connection(address, timeout=5) for _ in range(3)]
        for client in first:
            client.sendall(ASKED)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        with connected(address) as more:
            more.sendall(ASKED)
            told = rest(more)
        assert told.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in told.lower()
        assert b"application/problem+json" in told
        first[0].sendall(ASKED)
        assert first[0].recv(1000).startswith(b"HTTP/1.1 200")
        first[0].close()
        time.sleep(0.1)
        with connected(address) as more:
            more.sendall(ASKED)
            assert more.recv(1000).startswith(b"HTTP/1.1 200")
        for client in first:
            client.close()


def test_connections_there_is_no_room_for_are_closed_at_once():
    with running(Manners(connections=1, room=2)) as (_, address), connected(address), connected(address):
        time.sleep(0.1)
        with connected(address) as third:
            assert rest(third).startswith(b"HTTP/1.1 503 ")


@pytest.mark.no_cover
def test_ten_thousand_connections_at_once_are_answered_or_refused_politely():
    """Each connection asks one question; everyone gets 200 or 503, and the server is well afterwards."""
    pytest.importorskip("resource")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 10_000
    if hard != resource.RLIM_INFINITY and hard < 2 * count + 300:
        count = (hard - 300) // 2  # both ends are in this process
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * count + 300)), hard))

    async def ask(address, done):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(ASKED)
        told = await asyncio.wait_for(reader.read(200), 30)
        done.append(told[9:12])
        while len(done) < count:  # keep it open until everybody was answered
            await asyncio.sleep(0.2)
        writer.close()

    async def crowd(address):
        done = []
        await asyncio.gather(*(ask(address, done) for _ in range(count)))
        return done

    with running(Manners(connections=500, room=count)) as (server, address):
        told = run_alone(crowd(address))
        assert set(told) == {b"200", b"503"}
        assert len(told) == count
        assert 500 <= told.count(b"200") < count // 2
        with connected(address) as client:
            client.sendall(ASKED)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert not server.server_state.connections
