"""HTTP connections with manners: too many are told to come back; who sends half or takes nothing is not waited for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HEAD_LIMIT = 65_536  # bytes of a request's head; what a parser was given already may exceed it by one read
EXCESS_SECONDS = 2.0  # for the head of a connection that will be refused


@dataclass(frozen=True)
class Manners:
    """What a server puts up with.

    Parameters
    ----------
    connections
        Open connections beyond which new ones are answered 503.
    room
        Open connections beyond which new ones are closed at once: what the system has file descriptors for.
    header_seconds
        For a head to arrive.
    write_seconds
        For a client to take what is ready for it.
    """

    connections: int = 2_000
    room: int = 20_000
    header_seconds: float = 10.0
    write_seconds: float = 30.0


class PoliteConfig(uvicorn.Config):
    """What uvicorn is told, and the manners of its connections."""

    manners = Manners()


def refusal(status: int, title: str, remedy: str) -> bytes:
    """A whole answer, for a connection that never reaches the app."""
    body = _body(status, title, remedy)
    retry = "Retry-After: 1\r\n" if status == 503 else ""
    head = f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{retry}Connection: close\r\n\r\n".encode() + body


def _body(status: int, title: str, remedy: str) -> bytes:
    return orjson.dumps({"type": "about:blank", "title": title, "status": status, "remedy": remedy})


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """The app of connections beyond the limit."""
    body = _body(503, "Too busy", "try again in a second")
    names = {b"content-type": b"application/problem+json", b"retry-after": b"1", b"connection": b"close"}
    headers = [*names.items(), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class PoliteProtocol(HttpToolsProtocol):
    """One connection; uvicorn's own has no time limit for heads and for writing, and none for the size of a head."""

    def __init__(
        self,
        config: PoliteConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.manners = config.manners
        self.head_seconds = config.manners.header_seconds
        self.head_timer: asyncio.TimerHandle | None = None
        self.write_timer: asyncio.TimerHandle | None = None
        self.head_bytes = self.chunk = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take, refuse or close a new connection."""
        super().connection_made(transport)
        count = len(self.connections)
        if count > self.manners.room:
            return self._end(refusal(503, "Too busy", "try again in a second"))
        if count > self.manners.connections:
            self.app, self.head_seconds = busy, min(EXCESS_SECONDS, self.head_seconds)
        self._await_head()
        return None

    def data_received(self, data: bytes) -> None:
        """Read; a head may be so long."""
        self.chunk = len(data)
        self.head_bytes += self.chunk
        super().data_received(data)
        if self.head_timer and self.head_bytes > HEAD_LIMIT:
            self._end(refusal(431, "Request Header Fields Too Large", "send fewer or shorter headers"))

    def on_message_begin(self) -> None:
        """Begin to wait for a head."""
        super().on_message_begin()
        if self.head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._stop_head()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client takes less than there is for it; not for ever."""
        super().pause_writing()
        self.write_timer = self.loop.call_later(self.manners.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It took what was waiting."""
        self._stop_writing()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for a while; if the last answer still waits to be taken, nobody is there."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_head()
        self._stop_writing()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self.head_bytes = self.chunk  # of the piece in which it begins
        self.head_timer = self.loop.call_later(self.head_seconds, self._no_head)

    def _no_head(self) -> None:
        if self.app is busy:
            self._end(refusal(503, "Too busy", "try again in a second"))
        else:
            begun = self.head_bytes > 0
            self._end(refusal(408, "Request Timeout", "send the request again") if begun else b"")

    def _end(self, told: bytes) -> None:
        self._stop_head()
        if not self.transport.is_closing():
            if told:
                self.transport.write(told)
            self.transport.close()
            self.loop.call_later(EXCESS_SECONDS, self.transport.abort)  # it may not take even that

    def _stop_head(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _stop_writing(self) -> None:
        if self.write_timer is not None:
            self.write_timer.cancel()
            self.write_timer = None
