"""A very large catalogue beside the exact method on its best-known items: memory, time, latency, and NDCG@10 on these.

``python bench/scale/subset.py --events 5000000 --items 1000000 --subset 20000 [--memory-gb 16] [--without sequence]``

The newest event of some people is held out, if its item is among the ``--subset`` items with the most events. One
engine is fitted on everything else; the other, exact one (no sample of items, no graph of neighbours, all items
solved), on the events of these items alone. Both rank these items for the same people.
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
import polars as pl
from run import Stages, asked

import warmstart as ws
from warmstart.data.dataset import Dataset
from warmstart.data.synthetic import Synthetic
from warmstart.evaluate.memory import peak_memory_mb
from warmstart.recipe import Recipe

ASKED = 2_000


def main() -> None:
    """Make the data, hold out, fit both, compare."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--events", type=int, default=5_000_000)
    words.add_argument("--items", type=int, default=1_000_000)
    words.add_argument("--subset", type=int, default=20_000)
    words.add_argument("--unmet", type=float, default=0.02)
    words.add_argument("--memory-gb", type=float, default=0.0)
    words.add_argument("--without", default="", help="experts left out of both, with commas between")
    words.add_argument("--out", type=Path)
    given = words.parse_args()
    recipe = Recipe().without(*filter(None, given.without.split(",")))
    with tempfile.TemporaryDirectory() as folder:
        users = max(1, given.events // 50)
        for _ in Synthetic(users, given.items, given.events, clusters=200, unmet=given.unmet).write(folder):
            pass
        data = ws.read(folder)
    counts = data.interactions.item_counts()
    some = np.sort(np.argsort(-counts, kind="stable")[: given.subset])
    train, people, targets = held_out(data, some)
    told = {"events": len(data.interactions), "items": data.n_items, "met": int((counts > 0).sum())}
    found, lists = told | {"read_mb": round(peak_memory_mb())}, {}
    for name, seen, made in (
        ("everything", train, replace(recipe, memory_gb=given.memory_gb)),
        ("exact", only(train, some), replace(recipe, fusion=replace(recipe.fusion, large=10**9))),
    ):
        stages, start = Stages(), time.perf_counter()
        engine = ws.Engine(made).fit(seen, progress=stages)
        stages.end()
        spent = {"fit_s": round(time.perf_counter() - start, 1), "peak_mb": round(peak_memory_mb())}
        lists[name] = ndcg(engine, train, people, targets, some)
        found[name] = spent | {"stages": stages.found, "ndcg": round(float(lists[name].mean()), 4)} | asked(engine)
        sys.stderr.write(f"{name}: {json.dumps(found[name])}\n")
    found["ratio"] = round(float(lists["everything"].mean() / lists["exact"].mean()), 4)
    text = json.dumps(found, indent=1)
    sys.stdout.write(text + "\n")
    if given.out:
        given.out.write_text(text + "\n")


def held_out(data: Dataset, some: np.ndarray) -> tuple[Dataset, np.ndarray, np.ndarray]:
    """Without the newest event of people whose newest one is of these items; the people drawn, and what they took."""
    x = data.interactions
    newest = np.flatnonzero(np.diff(x.user, append=-1) != 0)
    newest = newest[np.isin(x.item[newest], some) & (x.user_counts()[x.user[newest]] > 1)]
    newest = np.sort(np.random.default_rng(0).permutation(newest)[:ASKED])
    kept = np.ones(len(x), bool)
    kept[newest] = False
    return data.with_interactions(x.select(kept)), x.user[newest], x.item[newest]


def only(data: Dataset, some: np.ndarray) -> Dataset:
    """The events of some items, which are the whole catalogue."""
    x = data.interactions
    kept = np.isin(x.item, some)
    users, items = data.users.names(x.user[kept]), data.catalog.items.names(x.item[kept])
    told = {"time": x.time[kept], "rating": x.rating[kept], "kind": [x.kinds[k] for k in x.kind[kept]]}
    events = pl.DataFrame({"user_id": users, "item_id": items} | told).with_columns(pl.col("rating").fill_nan(None))
    return ws.read(events, items=data.catalog.table[some])


def ndcg(engine: ws.Engine, data: Dataset, people: np.ndarray, targets: np.ndarray, some: np.ndarray) -> np.ndarray:
    """NDCG@10 of each of the people, of whom one item is wanted, among some items: float64."""
    names, ids = list(data.catalog.items.names(some)), data.catalog.items.ids
    inside = np.zeros(data.n_items, bool)
    inside[some] = True
    x, found = data.interactions, np.zeros(len(people))
    for begin in range(0, len(people), 200):
        who = people[begin : begin + 200]
        histories = [x.item[x.starts[u] : x.starts[u + 1]] for u in who]
        asked_of = [[ids[i] for i in h[inside[h]]] for h in histories]
        table = engine.recommend(histories=asked_of, k=10, candidates=names)
        for query, item, rank in table.select("query", "item_id", "rank").iter_rows():
            if item == ids[targets[begin + query]]:
                found[begin + query] = 1.0 / np.log2(rank + 1.0)
    return found


if __name__ == "__main__":
    main()
