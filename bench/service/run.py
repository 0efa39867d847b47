"""What the service does on this machine: latency, rates, overhead, ingest, new items, memory. Prints JSON.

``make bench-serve ENGINE=folder [DATA=dataset]``; without, on what ``make demo`` left. The load comes from this process
over loopback, the service runs in others; the engine alone is measured in a third, right before. Compare the figures of
one run with each other: machines and their load differ.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import load
import polars as pl
import psutil

ALONE = """
import json, sys, time, numpy as np, warmstart as ws
engine, asked = ws.load(sys.argv[1]), json.load(open(sys.argv[2]))
told = {}
for pause, name in ((0.0, ""), (0.012, "paused_")):
    took = []
    for history in asked:
        time.sleep(pause)
        at = time.perf_counter()
        engine.recommend(histories=[history], k=10)
        took.append(1e3 * (time.perf_counter() - at))
    found = np.percentile(took[20:], [50, 95, 99]).round(2).tolist()
    told |= {f"{name}p{q}_ms": ms for q, ms in zip((50, 95, 99), found)}
print(json.dumps(told))
"""
LENGTH, INGEST, CHUNK = 10, 100_000, 2_000


def main() -> None:
    """Measure, part by part."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--engine", type=Path, default=Path("demo/engine"))
    words.add_argument("--data", type=Path)
    words.add_argument("--seconds", type=float, default=20.0, help="of each measurement of a rate")
    words.add_argument("--requests", type=int, default=200_000, help="of the measurement of memory")
    given = words.parse_args()
    items = pl.read_parquet(given.engine / "items.parquet")["item_id"].cast(pl.String).to_list()
    found: dict[str, object] = {"items": len(items), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        found["engine_alone"] = alone(given.engine, items, Path(folder))
        for workers in (1, 2):
            with served(given.engine, given.data, Path(folder), workers) as (port, process):
                found[f"workers_{workers}"] = rates(port, items, given.seconds)
                if workers == 1:
                    found["ingest"] = ingest(port, items)
                    found["new_item_ms"] = new_item(port)
                    found["memory"] = memory(port, process, items, given.requests)
    json.dump(found, sys.stdout, indent=1)
    print()  # noqa: T201


def alone(engine: Path, items: list[str], folder: Path) -> dict[str, float]:
    """One request after another to the engine itself, and with pauses of 12 ms between them, ms."""
    asked = folder / "asked.json"
    asked.write_text(json.dumps(load.histories(items, 300, LENGTH, 1)))
    out = subprocess.run([sys.executable, "-c", ALONE, engine, asked], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(out.stdout)
    return found


@contextmanager
def served(engine: Path, data: Path | None, folder: Path, workers: int) -> Iterator[tuple[int, psutil.Process]]:
    """The service in processes of its own."""
    port, log = 18_400 + workers, folder / f"log{workers}"
    command = [Path(sys.executable).with_name("warmstart"), "serve", engine, "--port", str(port)]
    command += ["--workers", str(workers), "--database-url", f"sqlite:///{folder / f'store{workers}.db'}"]
    command += ["--data", data] if data else []
    asked = {"WARMSTART_RATE_LIMIT": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **asked})
    try:
        wait(port, process, log)
        yield port, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers."""
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the service ended: {log.read_text()[-800:]}")
        try:
            load.ask(port, "/v1/recommend", {"k": 1})
        except (OSError, RuntimeError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the service did not come up within two minutes")


def rates(port: int, items: list[str], seconds: float) -> dict[str, object]:
    """Latency alone, at 50 a second, at full speed; and of what can be remembered."""
    asked = [load.request("/v1/recommend", {"events": h, "k": 10}) for h in load.histories(items, 20_000, LENGTH, 2)]
    everything = [
        load.request("/v1/recommend", {"events": h, "k": 10, "diversity": 0.3, "user_id": f"b{i}", "scenario": "home"})
        for i, h in enumerate(load.histories(items, 20_000, LENGTH, 3))
    ]
    same = load.request("/v1/recommend", {"k": 10})
    load.run(port, lambda i: asked[-1 - i], 200, 4)  # warm
    return {
        "one_at_a_time": load.run(port, lambda i: asked[i], 300, 1).figures(),
        "at_50_per_s": load.run(port, lambda i: asked[300 + i], int(50 * seconds), 50, rate=50).figures(),
        "sustained": load.run(port, lambda i: asked[2_000 + i], int(120 * seconds), 8).figures(),
        "everything_on": load.run(port, lambda i: everything[i], int(100 * seconds), 8).figures(),
        "remembered": load.run(port, lambda i: same, int(600 * seconds), 16).figures(),
    }


def ingest(port: int, items: list[str]) -> dict[str, float]:
    """Events a second, in bulk; acknowledged ones are on the disk."""
    rows = [
        {"user_id": f"u{i % 5_000}", "item_id": items[i % len(items)], "kind": "view", "event_id": f"bench{i}"}
        for i in range(INGEST)
    ]
    parts = [load.request("/v1/events", {"events": rows[s : s + CHUNK]}) for s in range(0, INGEST, CHUNK)]
    took = load.run(port, lambda i: parts[i], len(parts), 2)
    return {"events_per_s": round(INGEST / took.seconds), "failed": took.failed}


def new_item(port: int) -> list[float]:
    """From the POST of an item until an answer shows it, ms, five times."""
    took = []
    for i in range(5):
        name, at = f"fresh{i}", time.perf_counter()
        load.ask(port, "/v1/items", {"items": [{"item_id": name, "fields": {"title": f"A new thing, number {i}"}}]})
        answer = load.ask(port, "/v1/rank", {"items": [name]})
        assert [one["item_id"] for one in answer["items"]] == [name]  # type: ignore[attr-defined,index]
        took.append(round(1e3 * (time.perf_counter() - at), 1))
    return took


def memory(port: int, process: psutil.Process, items: list[str], n: int) -> dict[str, float]:
    """Resident memory after a tenth of the requests and after all, MiB, of the service and its children."""

    def resident() -> float:
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)]) / 2**20

    bodies = [load.request("/v1/recommend", {"events": h, "k": 10}) for h in load.histories(items, 2_000, LENGTH, 4)]
    bodies += [load.request("/v1/recommend", {"user_id": f"m{i}", "k": 10}) for i in range(8_000)]
    load.run(port, lambda i: bodies[i % len(bodies)], n // 10, 16)
    before = resident()
    took = load.run(port, lambda i: bodies[i % len(bodies)], n - n // 10, 16)
    after = resident()
    growth = round(100 * (after / before - 1), 2)
    return {
        "requests": n,
        "before_mb": round(before),
        "after_mb": round(after),
        "growth_percent": growth,
        **took.figures(),
    }


if __name__ == "__main__":
    main()
