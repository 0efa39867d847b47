"""Cost of the default engine on the embedded data: fit, batch, single requests, folder, memory. Prints JSON.

Run by ``make bench``. Times depend on the machine and its load: compare runs on one machine, and CPU seconds rather
than wall seconds.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import warmstart as ws
from warmstart.data.embedded import embedded


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, wall seconds and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def main(source: str | None = None) -> None:
    """Measure on the embedded data, or on what ``ws.read`` takes."""
    data = ws.read(source) if source else embedded()
    ws.Engine().fit(data)  # the first fit encodes the texts; the second finds them
    engine, wall, cpu = timed(lambda: ws.Engine().fit(data))
    users = list(data.users.ids)[:1000]
    _, batch, _ = timed(lambda: engine.recommend(users=users, k=10))
    with tempfile.TemporaryDirectory() as folder:
        engine.save(folder)
        size = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
        loaded = ws.load(folder, data=data)
    took = []
    for user in (users * 3)[:400]:
        _, one, _ = timed(lambda user=user: loaded.recommend(users=[user], k=10))
        took.append(1000 * one)
    json.dump(
        {
            "users": data.n_users,
            "items": data.n_items,
            "events": len(data.interactions),
            "fit_wall_s": round(wall, 1),
            "fit_cpu_s": round(cpu, 1),
            "batch_users_per_s": round(len(users) / batch),
            "single_p50_ms": round(float(np.percentile(took[50:], 50)), 2),
            "single_p99_ms": round(float(np.percentile(took[50:], 99)), 2),
            "folder_mb": round(size / 2**20, 1),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        },
        sys.stdout,
        indent=1,
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
