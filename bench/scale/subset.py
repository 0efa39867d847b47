"""A very large catalogue beside the exact method on its best-known items: memory, time, latency, and NDCG@10 on these.

``python bench/scale/subset.py --work FOLDER --events 5000000 --items 1000000 --subset 20000 [--without sequence]``

The newest event of some people is held out, if its item is among the ``--subset`` items with the most events. One
engine is fitted on everything else; the other, exact one (no sample of items, no graph of neighbours, all items
solved), on the events of these items alone. Both rank these items for the same people, by what each knows of their
histories. Engines and their figures stay in ``--work``: a run that was stopped goes on with the engine it was at (to
judge one anew, remove its ``ndcg.npy``),
``--only everything`` or ``--only exact`` makes one of them, so that the peak of each is its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp
from run import Stages, asked

import warmstart as ws
from warmstart.data.dataset import Dataset
from warmstart.data.synthetic import Synthetic
from warmstart.evaluate.intervals import intervals
from warmstart.evaluate.memory import peak_memory_mb
from warmstart.evaluate.metrics import find_hits, ndcg
from warmstart.recipe import Recipe

ASKED, BLOCK, K = 2_000, 200, 10
BOTH = ("everything", "exact")


def main() -> None:
    """Make the data, hold out, fit, compare what is there."""
    given = words().parse_args()
    data = made(given)
    counts = data.interactions.item_counts()
    some = np.sort(np.argsort(-counts, kind="stable")[: given.subset])
    train, people, targets = held_out(data, some)
    for name in [given.only] if given.only else BOTH:
        folder = given.work / name
        if (folder / "ndcg.npy").is_file():
            continue
        known = train if name == "everything" else only(train, some)
        engine = kept(folder, known) or fitted(name, given, known, folder)
        lists = judged(engine, train, people, targets, some)
        figures = json.loads((folder / "figures.json").read_text())
        (folder / "figures.json").write_text(json.dumps(figures | asked(engine), indent=1))
        np.save(folder / "ndcg.npy", lists)
    told = {"events": len(data.interactions), "items": data.n_items, "met": int((counts > 0).sum())}
    text = json.dumps(told | {"people": len(people)} | compared(given.work), indent=1)
    sys.stdout.write(text + "\n")
    (given.work / "subset.json").write_text(text + "\n")


def words() -> argparse.ArgumentParser:
    """What can be said."""
    found = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    found.add_argument("--work", type=Path, required=True, help="folder of the data, the engines and what they reach")
    found.add_argument("--events", type=int, default=5_000_000)
    found.add_argument("--items", type=int, default=1_000_000)
    found.add_argument("--subset", type=int, default=20_000)
    found.add_argument("--unmet", type=float, default=0.02)
    found.add_argument("--memory-gb", type=float, default=0.0, help="budget of the fit on everything")
    found.add_argument("--without", default="", help="experts left out of both, with commas between")
    found.add_argument("--only", choices=BOTH)
    return found


def made(given: argparse.Namespace) -> Dataset:
    """The data, made where they are not there yet."""
    folder = given.work / "data"
    asked_for = {name: getattr(given, name) for name in ("events", "items", "subset", "unmet", "without", "memory_gb")}
    noted = given.work / "asked.json"
    if noted.is_file() and json.loads(noted.read_text()) != asked_for:
        raise SystemExit(
            f"{given.work} holds what was made of {noted.read_text()}, not {asked_for}; name another --work"
        )
    if not (folder / "manifest.json").is_file():
        tables, users = given.work / "tables", max(1, given.events // 50)
        for _ in Synthetic(users, given.items, given.events, clusters=200, unmet=given.unmet).write(tables):
            pass
        ws.read(tables).save(folder)
    noted.write_text(json.dumps(asked_for))
    return Dataset.load(folder)


def kept(folder: Path, data: Dataset) -> ws.Engine | None:
    """The engine that an earlier run left, if it came so far."""
    if not (folder / "figures.json").is_file():
        return None
    return ws.load(folder / "engine", data)


def fitted(name: str, given: argparse.Namespace, data: Dataset, folder: Path) -> ws.Engine:
    """One of the two engines, saved with what it took."""
    recipe = Recipe().without(*filter(None, given.without.split(",")))
    if name == "exact":
        recipe = replace(recipe, fusion=replace(recipe.fusion, large=10**9))
    else:
        recipe = replace(recipe, memory_gb=given.memory_gb)
    stages, start = Stages(), time.perf_counter()
    engine = ws.Engine(recipe).fit(data, progress=stages)
    stages.end()
    spent = {"fit_s": round(time.perf_counter() - start, 1), "peak_mb": round(peak_memory_mb())}
    engine.save(folder / "engine")
    (folder / "figures.json").write_text(json.dumps(spent | {"stages": stages.found}, indent=1))
    return engine


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


def judged(engine: ws.Engine, data: Dataset, people: np.ndarray, targets: np.ndarray, some: np.ndarray) -> np.ndarray:
    """NDCG@10 of each of the people, of whom one item is wanted, among some items: float64."""
    ids, x, found = data.catalog.items, data.interactions, []
    names = data.catalog.items.names(some)
    for begin in range(0, len(people), BLOCK):
        who = people[begin : begin + BLOCK]
        histories = [x.item[x.starts[u] : x.starts[u + 1]] for u in who]
        table = engine.recommend(histories=[ids.names(h) for h in histories], k=K, candidates=names)
        lists = np.full((len(who), K), -1)
        lists[table["query"].to_numpy(), table["rank"].to_numpy() - 1] = ids.codes(table["item_id"].to_list())
        one = np.ones(len(who), int), (np.arange(len(who)), targets[begin : begin + BLOCK])
        found.append(ndcg(find_hits(lists, sp.csr_matrix(one, shape=(len(who), data.n_items))), one[0]))
    return np.concatenate(found)


def compared(work: Path) -> dict[str, object]:
    """Figures of each engine that is there, its NDCG@10, and of both the ratio."""
    there = {name: np.load(work / name / "ndcg.npy") for name in BOTH if (work / name / "ndcg.npy").is_file()}
    found: dict[str, object] = {
        name: {"ndcg": str(intervals(lists[:, None])[0])} | json.loads((work / name / "figures.json").read_text())
        for name, lists in there.items()
    }
    if len(there) == len(BOTH):
        found["ratio"] = round(float(there["everything"].mean() / there["exact"].mean()), 4)
    return found


if __name__ == "__main__":
    main()
