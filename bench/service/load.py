"""A load generator of few instructions, raw HTTP/1.1 over kept connections: it must cost less than what it measures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Took:
    """What a run of requests took."""

    milliseconds: np.ndarray
    seconds: float
    failed: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def figures(self) -> dict[str, float]:
        """Rate, quantiles of the latency in ms, and failures."""
        p50, p95, p99 = np.percentile(self.milliseconds, [50, 95, 99]).round(2).tolist()
        return {"per_s": round(self.rate, 1), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "failed": self.failed}


def request(path: str, body: object) -> bytes:
    """A POST as it goes over the wire."""
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer of a connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
    return int(head[9:12]), await reader.readexactly(size)


def run(port: int, make: Callable[[int], bytes], n: int, connections: int, rate: float = 0.0) -> Took:
    """Send n requests.

    Parameters
    ----------
    make
        The i-th request.
    connections
        Open at once.
    rate
        Requests a second, sent when they are due whatever became of those before; where all connections are busy then,
        the wait counts. 0 = each connection sends when it has its answer.
    """
    return asyncio.run(_run(port, make, n, connections, rate))


async def _run(port: int, make: Callable[[int], bytes], n: int, connections: int, rate: float) -> Took:
    took, failed, turn = np.full(n, np.nan), 0, iter(range(n))
    began = time.perf_counter()

    async def work() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(HOST, port)
        for i in turn:
            data, at = make(i), time.perf_counter()
            if rate and (early := began + i / rate - at) > 0:
                await asyncio.sleep(early)
                at = time.perf_counter()  # the timer of this process may be late; that is not the service's doing
            elif rate:
                at += early
            writer.write(data)
            status, _ = await answer(reader)
            failed += status != 200
            took[i] = (time.perf_counter() - at) * 1e3
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return Took(took, time.perf_counter() - began, failed)


def ask(port: int, path: str, body: object) -> dict[str, object]:
    """One request and its answer."""

    async def once() -> bytes:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(request(path, body))
        status, data = await answer(reader)
        writer.close()
        if status >= 300:
            raise RuntimeError(f"{path} answered {status}: {data[:300]!r}")
        return data

    found: dict[str, object] = json.loads(asyncio.run(once()))
    return found


def histories(items: Sequence[str], n: int, length: int, seed: int) -> list[list[str]]:
    """Histories of distinct items, no two alike, as unfriendly to a cache as can be."""
    rng = np.random.default_rng(seed)
    return [[items[i] for i in rng.choice(len(items), length, replace=False)] for _ in range(n)]
