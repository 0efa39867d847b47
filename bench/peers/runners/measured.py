"""One run of a system: read the task, fit, answer, measure, write; what every runner ends with.

    python RUNNER TASK OUT SETTINGS [--threads N] [--speed]

SETTINGS is JSON. OUT gets ``lists-N.parquet`` for question N and ``run.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from given import Queries, Train, best, read_questions

Settings = Mapping[str, Any]
Answer = Callable[[Queries, int], np.ndarray]
Fit = Callable[[Train, Settings, int], Answer]
ROWS, SINGLE, WARM, SECONDS = 1000, 200, 10, 30.0
CELLS = 10_000_000


def run(fit: Fit, *libraries: str) -> None:
    """Everything, by the words of the command line.

    Parameters
    ----------
    fit
        From the training set, settings and the number of threads to a function of queries and k: int32 item codes,
        shape (n_queries, k), best first, -1 = no item. A row of -1 says that the system has no answer of its own.
    libraries
        Installed packages whose versions are told.
    """
    words = argparse.ArgumentParser()
    words.add_argument("task", type=Path)
    words.add_argument("out", type=Path)
    words.add_argument("settings", type=json.loads)
    words.add_argument("--threads", type=int, default=1)
    words.add_argument("--speed", action="store_true")
    given = words.parse_args()
    train = Train.read(given.task / "train")
    wall, cpu = time.perf_counter(), time.process_time()
    answer = fit(train, given.settings, given.threads)
    found: dict[str, Any] = {"fit_wall_s": time.perf_counter() - wall, "fit_cpu_s": time.process_time() - cpu}
    questions = read_questions(given.task, train.n_items)
    given.out.mkdir(parents=True, exist_ok=True)
    found["own"] = {
        name: write(given.out / f"lists-{place}.parquet", whole(answer, queries, length), queries, train.counts())
        for place, (name, (queries, length)) in enumerate(questions.items())
    }
    if given.speed:
        # of the question whose histories are longest: some have none
        found |= speed(answer, max((q for q, _ in questions.values()), key=lambda q: len(q.pairs()[0])))
    found |= {
        "peak_mb": peak_mb(),
        "threads": given.threads,
        "load": os.getloadavg()[1],
        "python": platform.python_version(),
    }
    found["versions"] = {name: version(name) for name in libraries}
    (given.out / "run.json").write_text(json.dumps(found), encoding="utf-8")


def whole(answer: Answer, queries: Queries, k: int) -> np.ndarray:
    """All lists, asked for in blocks, so that no block has more than ``CELLS`` scores."""
    step = max(1, CELLS // len(queries.allowed))
    starts = range(0, len(queries), step)
    parts = [answer(queries.take(np.arange(s, min(s + step, len(queries)))), k) for s in starts]
    return np.concatenate([np.empty((0, k), np.int32), *parts])


def write(file: Path, lists: np.ndarray, queries: Queries, counts: np.ndarray) -> float:
    """Write lists; where there is none, popularity's. Returns the share of queries with an answer of their own."""
    none = np.flatnonzero((lists < 0).all(axis=1))
    full = np.array(lists, np.int32)
    if len(none):
        floor = np.tile(np.where(counts > 0, counts, -np.inf), (len(none), 1))
        full[none] = best(floor, queries.take(none), lists.shape[1])
    query, place = np.nonzero(full >= 0)
    columns = {"query": query.astype(np.int32), "rank": (place + 1).astype(np.int32), "item": full[query, place]}
    pq.write_table(pa.table(columns), file)
    return 1.0 - len(none) / max(len(lists), 1)


def speed(answer: Answer, queries: Queries) -> dict[str, float]:
    """Users a second in one batch, and milliseconds of single requests; k = 10.

    Up to ``ROWS`` queries and ``SINGLE`` requests, after ``WARM``; of slow ones as many as ``SECONDS`` allow.
    """
    batch = queries.take(np.arange(min(ROWS, len(queries))))
    start = time.perf_counter()
    whole(answer, batch, 10)
    rate = len(batch) / (time.perf_counter() - start)
    singles = [batch.take(np.array([p % len(batch)])) for p in range(SINGLE + WARM)]
    took, end = [], time.perf_counter() + SECONDS
    for one in singles:
        start = time.perf_counter()
        answer(one, 10)
        took.append(1e3 * (time.perf_counter() - start))
        if start > end and len(took) > 2 * WARM:
            break
    p50, p99 = np.percentile(took[WARM:], [50, 99])
    return {"users_per_s": rate, "single_p50_ms": p50, "single_p99_ms": p99, "single_n": len(took) - WARM}


def peak_mb() -> float:
    """Largest resident size of this process in MB (10^6 bytes).

    Linux's ``ru_maxrss`` begins with that of the process that started this one; VmHWM does not.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
