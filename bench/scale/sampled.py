"""Lists of a large catalogue where all items are scored, and where a sample stands for them: how alike, how fast.

``python bench/scale/sampled.py ENGINE DATA [--people 200]`` with a saved engine and the saved dataset it was fitted on.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

import warmstart as ws
from warmstart.batch import Lists
from warmstart.data.histories import Histories

PLACES = 10


def main() -> None:
    """Print a line for whole, short and shortest histories."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("engine", type=Path)
    words.add_argument("data", type=Path)
    words.add_argument("--people", type=int, default=200)
    given = words.parse_args()
    engine = ws.load(given.engine, given.data)
    data, items = engine.data, len(engine.fitted.catalog)
    assert data is not None
    rng = np.random.default_rng(0)
    people = rng.choice(data.n_users, min(given.people, data.n_users), replace=False)
    whole = data.histories(people)
    for name, h in (("whole", whole), ("three", whole.newest(3)), ("one", whole.newest(1))):
        (all_items, slow), (some, fast) = (lists(engine, h, large) for large in (items, 0))
        same = shares(all_items, some)
        error = same.std() / np.sqrt(len(same))
        line = f"{name}: {same.mean():.1%} of the items are the same (standard error {error:.1%});"
        sys.stdout.write(f"{line} {1e3 * slow:.2f} ms a person, {1e3 * fast:.2f} with a sample\n")


def lists(engine: ws.Engine, h: Histories, large: int) -> tuple[pl.DataFrame, float]:
    """Lists of ten, and processor seconds a person, where catalogues above so many items are large."""
    f = engine.fitted
    asking = replace(f.fusion.asking, large=large)
    engine._fitted = replace(f, fusion=replace(f.fusion, asking=asking))
    start = time.process_time()
    found = Lists(PLACES).answer(engine, h)
    return found, (time.process_time() - start) / len(h)


def shares(a: pl.DataFrame, b: pl.DataFrame) -> np.ndarray:
    """Share of each query's items that both hold."""
    both = a.join(b.select("query", "item_id"), on=["query", "item_id"]).group_by("query").len()
    every = a.group_by("query").len(name="all").join(both, on="query", how="left").fill_null(0)
    return (every["len"] / every["all"]).to_numpy()


if __name__ == "__main__":
    main()
