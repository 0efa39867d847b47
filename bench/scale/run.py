"""What a size costs: seconds by stage and peak memory of reading and fitting made-up data; latency and rate of answers.

``python bench/scale/run.py --events 1000000 --items 4000 [--recipe FILE] [--without sequence,...] [--out FILE]``

Seconds come by the clock (``s``) and of the processor (``cpu_s``): where others work on the machine, these tell more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import warmstart as ws
from warmstart.data.synthetic import Synthetic
from warmstart.evaluate.memory import peak_memory_mb
from warmstart.recipe import Recipe

ASKED, BATCH = 300, 2_000


def main() -> None:
    """Measure one size."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--events", type=int, default=1_000_000)
    words.add_argument("--items", type=int, default=4_000)
    words.add_argument("--users", type=int, help="one for every 50 events if not given")
    words.add_argument("--unmet", type=float, default=0.02)
    words.add_argument("--recipe", type=Path)
    words.add_argument("--without", default="", help="experts left out, with commas between")
    words.add_argument("--memory-gb", type=float, default=0.0, help="budget of the fit")
    words.add_argument("--out", type=Path)
    given = words.parse_args()
    recipe = Recipe.load(given.recipe) if given.recipe else Recipe()
    recipe = recipe.without(*filter(None, given.without.split(",")))
    recipe = replace(recipe, memory_gb=given.memory_gb or recipe.memory_gb)
    with tempfile.TemporaryDirectory() as folder:
        users = given.users or max(1, given.events // 50)
        for _ in Synthetic(users, given.items, given.events, clusters=200, unmet=given.unmet).write(folder):
            pass
        found = measured(Path(folder), recipe)
    text = json.dumps({"events": given.events, "items": given.items} | found, indent=1)
    sys.stdout.write(text + "\n")
    if given.out:
        given.out.write_text(text + "\n")


class Stages:
    """Seconds and peak memory of each stage that is told."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}
        self.name, self.since = "", (time.perf_counter(), time.process_time())

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Told by the fit."""
        if stage != self.name:
            self.end()
            self.name = stage

    def end(self) -> None:
        """Note the stage that ends."""
        now = time.perf_counter(), time.process_time()
        if self.name:
            before = self.found.get(self.name, {"s": 0.0, "cpu_s": 0.0})
            spent = {k: round(before[k] + b - a, 2) for k, a, b in zip(before, self.since, now, strict=False)}
            self.found[self.name] = spent | {"peak_mb": round(peak_memory_mb())}
            sys.stderr.write(f"{self.name}: {self.found[self.name]}\n")
        self.name, self.since = "", now


def measured(folder: Path, recipe: Recipe) -> dict[str, object]:
    """Read, fit, ask."""
    stages, start = Stages(), time.perf_counter()
    stages("reading", 0, 0)
    data = ws.read(folder)
    stages.end()
    engine = ws.Engine(recipe).fit(data, progress=stages)
    stages.end()
    spent, peak = time.perf_counter() - start, peak_memory_mb()
    return {
        "read": len(data.interactions),
        "users": data.n_users,
        "read_and_fit_s": round(spent, 1),
        "peak_mb": round(peak),
        "stages": stages.found,
    } | asked(engine)


def asked(engine: ws.Engine) -> dict[str, object]:
    """Latency of single answers, and users a second in a batch."""
    data, rng = engine.data, np.random.default_rng(0)
    assert data is not None
    users = [data.users.ids[u] for u in rng.choice(data.n_users, min(BATCH, data.n_users), replace=False)]
    took = []
    for user in users[:ASKED]:
        start = time.perf_counter()
        engine.recommend(users=[user], k=10)
        took.append(1e3 * (time.perf_counter() - start))
    start = time.perf_counter()
    engine.recommend(users=users, k=10)
    rate = len(users) / (time.perf_counter() - start)
    single = {f"p{q}_ms": round(float(np.percentile(took[20:], q)), 2) for q in (50, 95, 99)}
    return {"single": single, "batch_users_per_s": round(rate)}


if __name__ == "__main__":
    main()
